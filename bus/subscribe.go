package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Subscribe calls fn for each event of type T from now on, one at a time and in the
// order of publication, until stop is called or the bus is closed; a call that is under way then
// goes on. For a listener that is slow a bounded number of events waits, newer ones are dropped, and
// nobody else is held up. An event that does not decode is passed over.
func Subscribe[T Event](b *Bus, fn func(T)) (stop func(), err error) {
	var zero T
	sub, err := b.sub.Subscribe(b.prefix+"."+zero.Pattern(), func(m *nats.Msg) {
		var e T
		if json.Unmarshal(m.Data, &e) == nil {
			fn(e)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", zero.Pattern(), err)
	}
	if err := sub.SetPendingLimits(maxWaiting, maxPending); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", zero.Pattern(), err)
	}
	// The server must know of the interest before Subscribe returns, or the caller's
	// next Publish could overtake it.
	if err := b.sub.FlushTimeout(readyWithin); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", zero.Pattern(), err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// ErrNoStore says that the bus keeps no traffic.
var ErrNoStore = errors.New("the bus keeps no traffic")

// History calls fn for each stored event of type T published at since or later, oldest
// first, up to the newest at the time of the call. fn may end it early by an error.
func History[T Event](ctx context.Context, b *Bus, since time.Time, fn func(T, time.Time) error) error {
	b.mu.Lock()
	stream := b.stream
	b.mu.Unlock()
	if stream == nil {
		return ErrNoStore
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	var zero T
	cfg := jetstream.OrderedConsumerConfig{FilterSubjects: []string{b.prefix + "." + zero.Pattern()}}
	if !since.IsZero() {
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	c, err := stream.OrderedConsumer(ctx, cfg)
	if err != nil {
		return fmt.Errorf("history of %s: %w", zero.Pattern(), err)
	}
	for {
		batch, err := c.FetchNoWait(256)
		if err != nil {
			return fmt.Errorf("history of %s: %w", zero.Pattern(), err)
		}
		n := 0
		for m := range batch.Messages() {
			n++
			meta, err := m.Metadata()
			if err != nil {
				return fmt.Errorf("history of %s: %w", zero.Pattern(), err)
			}
			if meta.Sequence.Stream > info.State.LastSeq {
				return nil // those that come while it is read could be without end
			}
			var e T
			if json.Unmarshal(m.Data(), &e) != nil {
				continue
			}
			if err := fn(e, meta.Timestamp); err != nil {
				return err
			}
		}
		if err := errors.Join(batch.Error(), ctx.Err()); err != nil {
			return fmt.Errorf("history of %s: %w", zero.Pattern(), err)
		}
		if n == 0 {
			return nil
		}
	}
}
