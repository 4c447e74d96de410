package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// MaxFile bounds a file that a station takes for the uplink, in octets.
const MaxFile = 256 << 20

// maxAnswer bounds one JSON answer of the station.
const maxAnswer = 16 << 20

// ErrUnreachable says that no station answers at the socket.
var ErrUnreachable = errors.New("no station answers")

// Error is what a station says when it does not do what it was asked.
type Error struct {
	Status  int    `json:"-"` // HTTP
	Message string `json:"error"`

	// Refused says that the craft did, by which rule and with which failure code.
	Refused bool   `json:"refused,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Code    uint16 `json:"code,omitempty"`
}

func (e *Error) Error() string { return e.Message }

// RefusedError says that the craft, or a check on the way to it, said no.
type RefusedError struct {
	Rule   string // such as bundle.signature; "" when no rule was named
	Code   uint16 // of the failure report, 0 if there was none
	Reason string
}

func (e *RefusedError) Error() string {
	reason := strings.TrimPrefix(e.Reason, "refused: ")
	if e.Rule == "" || strings.Contains(reason, e.Rule) {
		return "refused: " + reason
	}
	return "refused: " + e.Rule + ": " + e.Reason
}

// Client talks to one station. It is safe for concurrent use.
type Client struct {
	path string
	http *http.Client
}

// Dial checks that somebody listens on the unix socket at path.
func Dial(path string) (*Client, error) {
	path = Short(path)
	conn, err := net.DialTimeout("unix", path, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, path, err)
	}
	conn.Close()
	c := Over(func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) })
	c.path = path
	return c, nil
}

// Over talks to a station through the connections that dial makes.
func Over(dial func(context.Context) (net.Conn, error)) *Client {
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	return &Client{http: &http.Client{Transport: t}}
}

// maxSocket is the longest path of a unix socket, sun_path of sockaddr_un.
const maxSocket = 107

// Short is path, or if it is too long for a socket the same place seen from the
// working directory, if that is shorter.
func Short(path string) string {
	if len(path) <= maxSocket {
		return path
	}
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}

// Socket is the path that the client was dialled to.
func (c *Client) Socket() string { return c.path }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status is the station at a glance.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.get(ctx, "/v1/status", &s)
	return s, err
}

// Database is the craft's mission database, as JSON of missions/database.
func (c *Client) Database(ctx context.Context) (data json.RawMessage, err error) {
	err = c.get(ctx, "/v1/database", &data)
	return data, err
}

// Command hands a telecommand to the station and returns the id by which events and
// CommandByID know it. It does not wait.
func (c *Client) Command(ctx context.Context, r Request) (uint64, error) {
	var out Command
	err := c.post(ctx, "/v1/commands", r, &out)
	return out.ID, err
}

// Schedule hands over a telecommand that the craft shall release at an instant.
func (c *Client) Schedule(ctx context.Context, at time.Time, r Request) (uint64, error) {
	r.At = at
	return c.Command(ctx, r)
}

// Function sends TC[8,1].
func (c *Client) Function(ctx context.Context, name string, arguments ...string) (uint64, error) {
	return c.Command(ctx, Request{Function: name, Arguments: arguments})
}

// SetTime sends TC[9,128] with the instant at which the station makes the packet.
func (c *Client) SetTime(ctx context.Context) (uint64, error) {
	var out Command
	err := c.post(ctx, "/v1/time", struct{}{}, &out)
	return out.ID, err
}

// SendPing sends TC[17,1].
func (c *Client) SendPing(ctx context.Context) (uint64, error) {
	return c.Command(ctx, Request{Service: 17, Subtype: 1})
}

// CommandByID is how far a telecommand has come.
func (c *Client) CommandByID(ctx context.Context, id uint64) (out Command, err error) {
	err = c.get(ctx, "/v1/commands/"+strconv.FormatUint(id, 10), &out)
	return out, err
}

// Commands are the telecommands that the station remembers, oldest first.
func (c *Client) Commands(ctx context.Context) (out []Command, err error) {
	err = c.get(ctx, "/v1/commands", &out)
	return out, err
}

// Missions is the craft's guest table as last reported.
func (c *Client) Missions(ctx context.Context) (out []Guest, err error) {
	err = c.get(ctx, "/v1/missions", &out)
	return out, err
}

// StartActivation hands over a mission bundle: the station sends it up, signs a flight
// order for it and commands bundle.activate. It does not wait. With onBoard the bundle
// is taken to be on board from an earlier upload, and only order and command go up.
func (c *Client) StartActivation(ctx context.Context, bundle string, onBoard bool) (a Activation, err error) {
	f, err := os.Open(bundle)
	if err != nil {
		return a, err
	}
	defer f.Close()
	err = c.send(ctx, http.MethodPost, "/v1/activations?onboard="+strconv.FormatBool(onBoard), f, &a)
	return a, err
}

// ActivationByID is how far an activation has come.
func (c *Client) ActivationByID(ctx context.Context, id string) (a Activation, err error) {
	err = c.get(ctx, "/v1/activations/"+url.PathEscape(id), &a)
	return a, err
}

func (c *Client) get(ctx context.Context, path string, out any) error {
	return c.send(ctx, http.MethodGet, path, nil, out)
}

func (c *Client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.send(ctx, http.MethodPost, path, bytes.NewReader(body), out)
}

func (c *Client) send(ctx context.Context, method, path string, body io.Reader, out any) error {
	resp, err := c.do(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("answer of the station to %s %s: %w", method, path, err)
	}
	return nil
}

// do sends one request; an answer of 400 or more becomes an *Error.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://station"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, c.path, err)
	}
	if resp.StatusCode < 400 {
		return resp, nil
	}
	defer resp.Body.Close()
	e := &Error{Status: resp.StatusCode}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if json.Unmarshal(text, e) != nil || e.Message == "" {
		e.Message = fmt.Sprintf("station answers %s", resp.Status)
	}
	if e.Refused {
		return nil, &RefusedError{Rule: e.Rule, Code: e.Code, Reason: e.Message}
	}
	return nil, e
}

func fieldText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
