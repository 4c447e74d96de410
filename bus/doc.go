// Package bus carries what happens on a craft or a station as typed events to
// whoever asks for them. It is NATS inside the process: the server listens on
// nothing, its connections are pipes. No other package imports NATS.
//
// An event is a copy of what happened, never the only record of it: losing one
// loses no command and no product. So whatever waits is bounded, and publishing waits for nobody. With a store folder, JetStream keeps a bounded
// copy of the traffic that History reads back.
//
//	b, err := bus.Start(bus.Config{Name: "perilune-1"})
//	stop, err := bus.Subscribe(b, func(e bus.GuestState) { … })
//	err = b.Publish(ctx, bus.GuestState{Guest: "acme/beacon", State: "running"})
//
// Subjects are prefix.kind.details. On board the prefix is the craft's name, on the
// ground "gs.<station>.<craft>".
package bus
