package station

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/perilune/perilune/ccsds/pus"
	"github.com/perilune/perilune/ccsds/sdls"
	"github.com/perilune/perilune/internal/client"
)

// replyWithin is how long the reply to a procedure may be behind the report that it was
// carried out. It is telemetry that is sent once: noise may have taken it.
const (
	replyWithin = 10 * time.Second
	replyTries  = 5
)

// procedure has the craft carry out an extended procedure.
func (s *Station) procedure(ctx context.Context, p sdls.PDU) error {
	data, err := p.Append(nil)
	if err != nil {
		return err
	}
	r := client.Request{Service: pus.ServiceSecurity, Subtype: pus.SecurityCommand, Data: data}
	if s.recovering {
		r.VC, r.BD = vcRecovery, true
	}
	return s.await(ctx, r, nil)
}

// ask has the craft carry out a procedure that answers, again if the answer gets lost: such
// procedures may be done twice.
func (s *Station) ask(ctx context.Context, p sdls.PDU) (sdls.PDU, error) {
	for range replyTries {
		for len(s.replies) > 0 {
			<-s.replies // to what was asked before
		}
		if err := s.procedure(ctx, p); err != nil {
			return sdls.PDU{}, err
		}
		late := s.cfg.Clock.After(replyWithin)
		for waiting := true; waiting; {
			select {
			case reply := <-s.replies:
				if reply.Reply && reply.Procedure == p.Procedure {
					return reply, nil
				}
			case <-late:
				waiting = false
			case <-ctx.Done():
				return sdls.PDU{}, ctx.Err()
			}
		}
	}
	return sdls.PDU{}, errors.New("the craft carried it out, but its answer did not come: try again")
}

// security takes TM[129,1], the reply to a procedure.
func (s *Station) security(e *client.Event, tm pus.Telemetry) error {
	p, err := sdls.ParsePDU(tm.Payload)
	if err != nil {
		return err
	}
	e.Text = fmt.Sprintf("reply to procedure %d.%d", p.Procedure.Group, p.Procedure.ID)
	select {
	case s.replies <- p:
	default: // nobody asked
	}
	return nil
}

// stateOf asks for the state of an association. first is that of one which no procedure has
// changed.
func (s *Station) stateOf(ctx context.Context, spi uint16, first sdls.State) (sdls.State, error) {
	reply, err := s.ask(ctx, sdls.AssociationPDU(sdls.SAStatus, spi))
	if err != nil {
		return 0, err
	}
	st, err := sdls.ParseStatus(reply)
	if err == nil && st.SPI != spi {
		err = fmt.Errorf("the craft tells of association %d, not %d", st.SPI, spi)
	}
	return st.State(first), err
}

// firstState is the state of an association on a craft whose keys nobody has changed.
func (s *Station) firstState(spi uint16) sdls.State {
	for _, w := range s.ways() {
		if s.image(w).SPI == spi {
			return sdls.Operational
		}
	}
	return sdls.Unkeyed
}

// keyStates asks for the inventory of keys.
func (s *Station) keyStates(ctx context.Context) ([]sdls.Key, error) {
	reply, err := s.ask(ctx, sdls.InventoryPDU(0, 0xFFFF))
	if err != nil {
		return nil, err
	}
	return sdls.ParseInventory(reply)
}
