package hvt

// A NET device whose host is "packet" carries no Ethernet: each datagram is
// one message between the guest and flight. Its first octet says what it is.
// The guest never writes packet headers; flight adds APID, sequence count,
// time and secondary header, so that a guest cannot forge them.
const (
	// PacketMax is the longest datagram either way, kind octet included.
	PacketMax = 4096
	// PacketMTU is what the guest reads as the device's MTU.
	PacketMTU = PacketMax

	// Guest to flight.
	PacketTelemetry    = 0x01 // user data of one telemetry packet, ≤ TelemetryMax
	PacketProductBegin = 0x02 // product name, ProductNameMax octets of [A-Za-z0-9._-]
	PacketProductData  = 0x03 // the next octets of the open product
	PacketProductEnd   = 0x04 // total size in octets, u64 little endian

	// Flight to guest.
	PacketTelecommand = 0x81 // user data of one telecommand
	PacketStop        = 0x82 // nothing: the guest is to end by itself, before it is ended
)

// Limits of the datagrams, in octets.
const (
	TelemetryMax   = 1000
	ProductNameMax = 64
)

// ValidProductName says whether name may name a product: 1 to 64 octets of
// [A-Za-z0-9._-], not "." or "..", so that it can never leave a folder.
func ValidProductName(name string) bool {
	if len(name) < 1 || len(name) > ProductNameMax || name == "." || name == ".." {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '.' || c == '_' || c == '-':
		default:
			return false
		}
	}
	return true
}
