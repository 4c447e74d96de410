// Package ground wires a ground station: radio, archive, files, state, keys and the
// API's socket, as one process. The parts are below it; they know each other by
// interfaces only.
package ground

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/ccsds/spp"
	"github.com/perilune/perilune/devices/radio"
	"github.com/perilune/perilune/ground/archive"
	"github.com/perilune/perilune/ground/files"
	"github.com/perilune/perilune/ground/station"
	"github.com/perilune/perilune/internal/client"
	"github.com/perilune/perilune/internal/clock"
	"github.com/perilune/perilune/internal/durable"
	"github.com/perilune/perilune/missions/craft"
	"github.com/perilune/perilune/missions/grant"
)

// filePDU is about how long a CFDP PDU is, in octets.
const filePDU = 900

// filesVC is the uplink channel of file transfers.
const filesVC = 1

// fileTimer is when a file directive that got no answer goes up again. The way up is
// sequence controlled and the way down is not, so it is mostly the answer that is lost.
const fileTimer = 4 * time.Second

// Config is what a station process is made of.
type Config struct {
	Craft    *craft.Craft
	Keys     string        // folder of link keys and, unless NoOrders, development keys
	Radio    string        // "unix:PATH" of the bit stream
	Dir      string        // for archive, files and state
	Socket   string        // of the API
	Open     Opener        // opens the bit stream, in place of what Radio names; may be nil
	Listener net.Listener  // of the API, in place of Socket; may be nil
	Timers   cfdp.Timers   // of file transfers; zero fields: Ack and NAK 4 s, else cfdp's own
	Repeat   time.Duration // until a telecommand without a report is sent again; 0: 10 s
	AutoTime bool          // set the craft's clock whenever it runs free
	Faults   link.Faults   // for demonstrations
	Clock    clock.Clock   // nil: the machine's
	Log      *slog.Logger
	Ready    func() // called when the API answers; may be nil
}

// Opener opens the bit stream of a radio.
type Opener = func(context.Context) (radio.Port, error)

// Run is a station; it ends with ctx.
func Run(ctx context.Context, cfg Config) (err error) {
	if cfg.Clock == nil {
		cfg.Clock = clock.Real{}
	}
	for _, t := range []*time.Duration{&cfg.Timers.Ack, &cfg.Timers.NAK} {
		if *t == 0 {
			*t = fileTimer
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return err
	}
	closing := &closers{}
	defer func() { err = errors.Join(err, closing.close()) }()
	s, end, err := build(cfg, closing)
	if err != nil {
		return err
	}
	l := cfg.Listener
	if l == nil {
		if l, err = listen(cfg.Socket); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.Run(ctx) })
	g.Go(func() error { return serve(ctx, l, s.Handler(ctx), end) })
	if cfg.Ready != nil {
		cfg.Ready()
	}
	return g.Wait()
}

// closers are undone in reverse order.
type closers []func() error

func (c *closers) add(fn func() error) { *c = append(*c, fn) }

func (c *closers) close() (err error) {
	for i := len(*c) - 1; i >= 0; i-- {
		err = errors.Join(err, (*c)[i]())
	}
	*c = nil
	return err
}

// build makes the station; end lets go of those who follow its events.
func build(cfg Config, closing *closers) (s *station.Station, end func(), err error) {
	keys, err := cfg.Craft.LoadKeys(cfg.Keys)
	if err != nil {
		return nil, nil, err
	}
	master, err := craft.LoadMaster(cfg.Keys)
	if err != nil {
		return nil, nil, err
	}
	profile, err := cfg.Craft.Profile(keys)
	if err != nil {
		return nil, nil, err
	}
	profile.Faults = cfg.Faults
	db, err := durable.Open(filepath.Join(cfg.Dir, "station.db"))
	if err != nil {
		return nil, nil, err
	}
	closing.add(db.Close)
	a, err := archive.Open(filepath.Join(cfg.Dir, "archive"), cfg.Clock.Now, cfg.Log)
	if err != nil {
		return nil, nil, err
	}
	closing.add(a.Close)
	f, err := files.Open(files.Config{
		Dir: cfg.Dir, MaxPDU: pduSize(profile), Timers: cfg.Timers, State: db, Log: cfg.Log, Now: cfg.Clock.Now(),
		Event: func(e files.Event) { a.Add(e) },
	})
	if err != nil {
		return nil, nil, err
	}
	closing.add(f.Close)
	temp := filepath.Join(cfg.Dir, "tmp")
	if err := errors.Join(os.RemoveAll(temp), os.MkdirAll(temp, 0o700)); err != nil {
		return nil, nil, err
	}
	p := port{dial: cfg.Open}
	if p.dial == nil {
		p.dial = dial(cfg.Radio)
	}
	var changed station.Keys
	if master != nil {
		if changed, err = station.NewKeyStore(cfg.Keys, cfg.Craft.Name, *master); err != nil {
			return nil, nil, err
		}
	}
	s, err = station.New(station.Config{
		Craft: cfg.Craft.Name, Tenants: tenants(cfg.Craft), Database: cfg.Craft.Messages(), Profile: profile, Clear: cfg.Craft.Link.Clear(),
		Radio: radio.NewFunc(p.open, cfg.Log), Archive: a, Files: f, Counters: station.NewCounter(db, cfg.Clock.Now),
		Master: master, Keys: changed, Orders: orders(cfg), Clock: cfg.Clock, Repeat: cfg.Repeat, Soft: cfg.Craft.Link.Soft, AutoTime: cfg.AutoTime, Temp: temp, Streams: filepath.Join(cfg.Dir, "streams"), Log: cfg.Log,
	})
	if err != nil {
		return nil, nil, err
	}
	p.state = s.RadioState
	return s, func() { _ = a.Close() }, nil
}

func tenants(c *craft.Craft) map[uint16]string {
	out := map[uint16]string{}
	for _, t := range c.Tenants {
		out[t.APID] = t.Name
	}
	return out
}

// orders signs flight orders with the folder's mission control key.
func orders(cfg Config) station.Orders {
	var mu sync.Mutex // two activations at a time would get one number
	return func(bundles ...string) (string, uint64, error) {
		mu.Lock()
		defer mu.Unlock()
		dev, err := grant.DevKeys(cfg.Keys)
		if err != nil {
			return "", 0, err
		}
		token, o, err := dev.Order(cfg.Craft.Name, bundles...)
		return token, o.Sequence, err
	}
}

// pduSize is near filePDU and such that a packet with a PDU fills whole frames of the uplink.
func pduSize(p link.Profile) int {
	room := p.UnitRoom(filesVC)
	if room <= 0 {
		return filePDU
	}
	return max(1, (filePDU+spp.HeaderLength)/room)*room - spp.HeaderLength
}

// port opens the radio's bit stream and tells when it is open.
type port struct {
	dial  Opener
	state func(string)
}

func (p *port) open(ctx context.Context) (radio.Port, error) {
	stream, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	p.state("connected")
	return &openPort{Port: stream, p: p}, nil
}

// dial opens the socket that address names.
func dial(address string) Opener {
	return func(ctx context.Context) (radio.Port, error) {
		path, ok := strings.CutPrefix(address, "unix:")
		if !ok {
			return nil, fmt.Errorf("radio %q: want unix:PATH", address)
		}
		return new(net.Dialer).DialContext(ctx, "unix", client.Short(path))
	}
}

type openPort struct {
	radio.Port
	p *port
}

// SetWriteDeadline lets a radio give up a write where the stream knows deadlines.
func (o *openPort) SetWriteDeadline(t time.Time) error {
	if d, ok := o.Port.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}

func (o *openPort) Close() error {
	o.p.state("away")
	return o.Port.Close()
}

// listen makes the API's socket. One that a dead process left is replaced; one that
// somebody answers is not.
func listen(path string) (net.Listener, error) {
	path = client.Short(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err == nil {
		return l, os.Chmod(path, 0o600)
	}
	if conn, dialled := net.DialTimeout("unix", path, time.Second); dialled == nil {
		conn.Close()
		return nil, fmt.Errorf("a station already answers at %s", path)
	}
	st, gone := os.Lstat(path)
	if gone != nil || st.Mode().Type() != os.ModeSocket {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	if l, err = net.Listen("unix", path); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}

// serve answers the API until ctx ends, and returns when the last answer is out.
func serve(ctx context.Context, l net.Listener, h http.Handler, end func()) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		end() // event streams would keep Shutdown waiting
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			srv.Close()
		}
	})
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-closed // Serve returns when Shutdown begins
	return nil
}
