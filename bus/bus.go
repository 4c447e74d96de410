package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Limits of the embedded server. A craft's whole control plane fits in 64 MiB.
const (
	maxPayload      = 256 << 10
	maxPending      = 4 << 20
	defaultMaxStore = 32 << 20
	readyWithin     = 30 * time.Second // an emulated processor is slow
)

// ErrClosed says that the bus has ended.
var ErrClosed = errors.New("bus is closed")

// Config says how to start a bus.
type Config struct {
	Name     string // of the craft or station; unique where buses meet
	Prefix   string // of all subjects; Name if empty
	StoreDir string // where JetStream keeps traffic; empty: no JetStream
	MaxStore int64  // octets kept; 0: 32 MiB
}

// Bus is a running bus. It is safe for concurrent use.
type Bus struct {
	prefix string
	srv    *server.Server
	conn   *nats.Conn

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
	b := &Bus{prefix: prefix, srv: srv}
	srv.Start()
	if !srv.ReadyForConnections(readyWithin) {
		b.Close()
		return nil, fmt.Errorf("start bus: not ready within %v", readyWithin)
	}
	if b.conn, err = nats.Connect("", nats.InProcessServer(srv), nats.Name(cfg.Name), nats.MaxReconnects(-1)); err != nil {
		b.Close()
		return nil, fmt.Errorf("start bus: %w", err)
	}
	if cfg.StoreDir != "" {
		if err := b.openStream(cfg); err != nil {
			b.Close()
			return nil, fmt.Errorf("start bus: %w", err)
		}
	}
	return b, nil
}

func options(cfg Config) *server.Options {
	return &server.Options{
		ServerName: token(cfg.Name), DontListen: true, NoSigs: true, NoLog: true,
		MaxPayload: maxPayload, MaxPending: maxPending,
		JetStream: cfg.StoreDir != "", StoreDir: cfg.StoreDir, JetStreamDomain: token(cfg.Name),
		JetStreamMaxMemory: 1 << 20, JetStreamMaxStore: 2 * cfg.MaxStore,
		// Traffic is a copy; half a minute of it may be lost at a power cut.
		SyncInterval: 30 * time.Second,
	}
}

func (b *Bus) openStream(cfg Config) error {
	js, err := jetstream.NewWithDomain(b.conn, token(cfg.Name))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "traffic", Subjects: []string{b.prefix + ".>"}, Storage: jetstream.FileStorage,
		MaxBytes: cfg.MaxStore, Discard: jetstream.DiscardOld, NoAck: true,
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
	if err := b.conn.Publish(b.prefix+"."+e.Subject(), data); err != nil {
		if errors.Is(err, nats.ErrConnectionClosed) {
			return ErrClosed
		}
		return fmt.Errorf("publish %s: %w", e.Subject(), err)
	}
	return nil
}

// Flush waits until what was published before has reached the server.
func (b *Bus) Flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	return b.conn.FlushWithContext(ctx)
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

// Close ends the bus. Further calls return ErrClosed.
func (b *Bus) Close() error {
	if b.conn != nil {
		b.conn.Close()
	}
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	return nil
}
