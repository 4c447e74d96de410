package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxEvent bounds one line of the event stream in octets.
const maxEvent = 1 << 20

// Now as the position of Events stands for "from now on".
const Now = ^uint64(0)

// Stream is a run of events in order of their sequence numbers.
type Stream struct {
	body io.ReadCloser
	scan *bufio.Scanner
}

// Events opens the stream of events after sequence number since: 0 replays all that
// the station has on record, Now none of it. With kinds, only those are sent; a kind
// that ends in a dot stands for all that begin with it. The stream ends with ctx.
func (c *Client) Events(ctx context.Context, since uint64, kinds ...string) (*Stream, error) {
	q := url.Values{"kind": kinds}
	if since != Now {
		q.Set("since", strconv.FormatUint(since, 10))
	}
	resp, err := c.do(ctx, http.MethodGet, "/v1/events?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return newStream(resp.Body), nil
}

func newStream(body io.ReadCloser) *Stream {
	s := &Stream{body: body, scan: bufio.NewScanner(body)}
	s.scan.Buffer(make([]byte, 64<<10), maxEvent)
	return s
}

// Next waits for the next event; io.EOF when the station ends the stream.
func (s *Stream) Next() (Event, error) {
	for s.scan.Scan() {
		data, ok := strings.CutPrefix(s.scan.Text(), "data:")
		if !ok {
			continue // id, event name, comment, or the blank line that ends an event
		}
		var e Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return Event{}, fmt.Errorf("decode event: %w", err)
		}
		return e, nil
	}
	if err := s.scan.Err(); err != nil {
		return Event{}, fmt.Errorf("event stream: %w", err)
	}
	return Event{}, io.EOF
}

// Close ends the stream.
func (s *Stream) Close() error { return s.body.Close() }

// Wait returns the first event after since that match takes.
func (c *Client) Wait(ctx context.Context, since uint64, match func(Event) bool, kinds ...string) (Event, error) {
	s, err := c.Events(ctx, since, kinds...)
	if err != nil {
		return Event{}, err
	}
	defer s.Close()
	for {
		e, err := s.Next()
		switch {
		case ctx.Err() != nil:
			return Event{}, ctx.Err()
		case errors.Is(err, io.EOF):
			return Event{}, fmt.Errorf("%w: the event stream ended", ErrUnreachable)
		case err != nil:
			return Event{}, err
		case match(e):
			return e, nil
		}
	}
}
