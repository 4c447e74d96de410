package router

import "github.com/perilune/perilune/ccsds/pus"

// Reports of the craft itself that are longer than largeAbove go down in parts (service 13),
// so that each part fits a frame and is sent again by itself.
const (
	largeAbove = 1000 // octets of a message
	partOctets = 900
)

// sendLarge sends a packet in parts, in their order.
func (r *Router) sendLarge(packet []byte) error {
	r.mu.Lock()
	r.transaction++
	transaction := r.transaction
	r.mu.Unlock()
	parts, kinds := pus.SplitLarge(true, transaction, packet, partOctets)
	for i := range parts {
		data, err := pus.EncodeMessage(kinds[i], parts[i])
		if err == nil {
			err = r.send(APIDFlight, vcFlight, kinds[i].Service, kinds[i].Subtype, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
