// Command perilune is the human's end of Perilune: missions, telecommands, telemetry,
// files, and the station and simulator that carry them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

// run is main without the exit, so that tests can call it in their own process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{ctx: ctx, out: os.Stdout, talk: os.Stderr, in: os.Stdin, env: os.Getenv}
	return a.main(os.Args[1:])
}
