package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits of the embedded server. A craft's whole control plane fits in 64 MiB: everything that can
// wait is bounded, in octets of maxPending and where that applies in events of maxWaiting.
const (
	maxPayload      = 256 << 10
	maxPending      = 4 << 20 // for a listener, for the store, and while a connection is made anew
	maxWaiting      = 4096    // for a listener, and for the store; newer events are dropped
	defaultMaxStore = 32 << 20
	readyWithin     = 30 * time.Second // an emulated processor is slow
	storeWithin     = 2 * time.Second  // for the last events: init gives flight 5 s to end
)

// ErrClosed says that the bus has ended.
var ErrClosed = errors.New("bus is closed")

// Config says how to start a bus.
type Config struct {
	Name     string       // of the craft or station; unique where buses meet
	Prefix   string       // of all subjects; Name if empty
	StoreDir string       // where JetStream keeps traffic; empty: no JetStream
	MaxStore int64        // octets kept; 0: 32 MiB
	Log      *slog.Logger // nil: nobody is told what goes wrong inside
}

// Bus is a running bus. It is safe for concurrent use.
type Bus struct {
	prefix string
	log    *slog.Logger
	srv    *server.Server
	// Publishers and listeners have a connection each: on a shared one a listener that falls behind and
	// somebody who publishes could wait for each other, until the server cuts both off.
	pub, sub *nats.Conn
	slow     sync.Map // subjects of listeners that have missed events

	mu     sync.Mutex
	stream jetstream.Stream // nil without JetStream
}

// Start runs the server and connects to it.
func Start(cfg Config) (*Bus, error) {
	if cfg.Name == "" {
		return nil, errors.New("start bus: it needs a name")
	}
	if cfg.MaxStore == 0 {
		cfg.MaxStore = defaultMaxStore
	}
	prefix := cfg.Prefix
	if prefix == "" {
		prefix = token(cfg.Name)
	}
	if strings.ContainsAny(prefix, " *>\t\r\n") || strings.Contains("."+prefix+".", "..") {
		return nil, fmt.Errorf("start bus: prefix %q is no subject", prefix)
	}
	srv, err := server.NewServer(options(cfg))
	if err != nil {
		return nil, fmt.Errorf("start bus: %w", err)
	}
	b := &Bus{prefix: prefix, srv: srv, log: cfg.Log}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if err := b.start(cfg); err != nil {
		return nil, fmt.Errorf("start bus: %w", errors.Join(err, b.Close()))
	}
	return b, nil
}

func (b *Bus) start(cfg Config) (err error) {
	var last words
	b.srv.SetLogger(&last, false, false)
	b.srv.Start()
	// A server that cannot have its store stops in the middle of its start, with a word to its log,
	// and is never ready.
	if why := last.fatal(); why != "" {
		return fmt.Errorf("store in %q: %s", cfg.StoreDir, why)
	}
	if !b.srv.ReadyForConnections(readyWithin) {
		return fmt.Errorf("not ready within %v", readyWithin)
	}
	for _, c := range []**nats.Conn{&b.pub, &b.sub} {
		*c, err = nats.Connect("", nats.InProcessServer(b.srv), nats.Name(cfg.Name), nats.Timeout(readyWithin), nats.MaxReconnects(-1),
			nats.ReconnectBufSize(maxPending), nats.ErrorHandler(b.failed))
		if err != nil {
			return err
		}
	}
	if cfg.StoreDir == "" {
		return nil
	}
	return b.openStream(cfg)
}

// failed is told what goes wrong on a connection: of listeners to a subject that fall behind, once.
func (b *Bus) failed(_ *nats.Conn, sub *nats.Subscription, err error) {
	if sub == nil {
		b.log.Warn("bus", "err", err)
		return
	}
	if _, told := b.slow.LoadOrStore(sub.Subject, true); !told {
		b.log.Warn("bus: a listener misses events", "subject", sub.Subject, "err", err)
	}
}

func options(cfg Config) *server.Options {
	return &server.Options{
		ServerName: token(cfg.Name), DontListen: true, NoSigs: true, NoLog: true,
		MaxPayload: maxPayload, MaxPending: maxPending,
		JetStream: cfg.StoreDir != "", StoreDir: cfg.StoreDir, JetStreamDomain: token(cfg.Name),
		JetStreamMaxMemory: 1 << 20, JetStreamMaxStore: 2 * cfg.MaxStore,
		StreamMaxBufferedMsgs: maxWaiting, StreamMaxBufferedSize: maxPending, // the usual 128 MiB are too many
		// Traffic is a copy; half a minute of it may be lost at a power cut.
		SyncInterval: 30 * time.Second,
	}
}

func (b *Bus) openStream(cfg Config) error {
	js, err := jetstream.NewWithDomain(b.sub, token(cfg.Name), jetstream.WithDefaultTimeout(readyWithin))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "traffic", Subjects: []string{b.prefix + ".>"}, Storage: jetstream.FileStorage,
		MaxBytes: cfg.MaxStore, Discard: jetstream.DiscardOld,
	})
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	b.mu.Lock()
	b.stream = s
	b.mu.Unlock()
	return nil
}

// Publish sends e to those who listen now, and to the store if there is one. It does
// not wait for them.
func (b *Bus) Publish(ctx context.Context, e Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("publish %s: %w", e.Subject(), err)
	}
	if err := b.pub.Publish(b.prefix+"."+e.Subject(), data); err != nil {
		if errors.Is(err, nats.ErrConnectionClosed) {
			return ErrClosed
		}
		return fmt.Errorf("publish %s: %w", e.Subject(), err)
	}
	return nil
}

// Flush waits until what was published before has reached the server, and its store if there is one.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if !b.Stored() {
		return b.pub.FlushWithContext(ctx)
	}
	// The store takes messages one after the other, and refuses this one, which is for another stream:
	// with its refusal, all before it have been taken.
	m := nats.NewMsg(b.prefix + ".flush")
	m.Header.Set(jetstream.ExpectedStreamHeader, "none")
	_, err := b.pub.RequestMsgWithContext(ctx, m)
	if errors.Is(err, nats.ErrNoResponders) { // the store has been dropped meanwhile
		return nil
	}
	return err
}

// Stored says whether traffic is kept.
func (b *Bus) Stored() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stream != nil
}

// DropStore ends JetStream and goes on without; safe mode wants it.
func (b *Bus) DropStore() error {
	b.mu.Lock()
	had := b.stream != nil
	b.stream = nil
	b.mu.Unlock()
	if !had {
		return nil
	}
	if err := b.srv.DisableJetStream(); err != nil {
		return fmt.Errorf("drop the bus's store: %w", err)
	}
	return nil
}

// Close ends the bus, once the store has what was published, or does not take it. Further calls
// return ErrClosed.
func (b *Bus) Close() error {
	if b.pub != nil && b.Stored() {
		ctx, cancel := context.WithTimeout(context.Background(), storeWithin)
		defer cancel()
		if err := b.Flush(ctx); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
			b.log.Warn("bus", "doing", "store the last events", "err", err)
		}
	}
	for _, c := range []*nats.Conn{b.pub, b.sub} {
		if c != nil {
			c.Close()
		}
	}
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	return nil
}
