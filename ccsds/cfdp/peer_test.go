package cfdp_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/ccsds/cfdp"
)

// peer is an entity of another make: cfdp-py, in a process of its own.
type peer struct {
	t        *testing.T
	in       io.WriteCloser
	out      *bufio.Scanner
	finished []string
}

func startPeer(t *testing.T, crc bool) *peer {
	t.Helper()
	named := os.Getenv("PERILUNE_PYTHON")
	python := cmp.Or(named, "python3")
	if err := exec.Command(python, "-c", "import cfdppy").Run(); err != nil {
		if named != "" {
			t.Fatalf("PERILUNE_PYTHON=%s has no Python package cfdp-py: %v", named, err)
		}
		t.Skip("needs the Python package cfdp-py: run 'make venv' and set PERILUNE_PYTHON=$PWD/out/cache/venv/bin/python, as 'make test' does")
	}
	flag := "0"
	if crc {
		flag = "1"
	}
	cmd := exec.Command(python, "../../test/golden/cfdp_peer.py", fmt.Sprint(craft), fmt.Sprint(ground), flag)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var talk bytes.Buffer
	cmd.Stderr = &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("peer: %v\n%s", err, talk.String())
		}
	})
	return &peer{t: t, in: in, out: bufio.NewScanner(out)}
}

// ask gives a command and returns the PDUs that come in answer.
func (p *peer) ask(command string) [][]byte {
	p.t.Helper()
	if _, err := io.WriteString(p.in, command+"\n"); err != nil {
		p.t.Fatal(err)
	}
	var pdus [][]byte
	for p.out.Scan() {
		word, rest, _ := strings.Cut(p.out.Text(), " ")
		switch word {
		case "done":
			return pdus
		case "finished":
			p.finished = append(p.finished, rest)
		case "pdu":
			b, err := hex.DecodeString(rest)
			if err != nil {
				p.t.Fatal(err)
			}
			pdus = append(pdus, b)
		}
	}
	p.t.Fatal("the peer is gone")
	return nil
}

// talk carries PDUs between the node and the peer, losing some, until done.
func (p *peer) talk(n *node, loss float64, done func() bool) {
	p.t.Helper()
	rng := rand.New(rand.NewPCG(12, 1))
	deadline := time.Now().Add(5 * time.Minute) // the machine may be busy
	var toNode [][]byte
	for !done() {
		now := time.Now()
		if now.After(deadline) {
			p.t.Fatalf("not done: %+v, peer %v", n.e.Transactions(), p.finished)
		}
		n.e.Tick(now)
		command := "poll"
		if pdu, ok := n.e.Next(now); ok && rng.Float64() >= loss {
			command = "pdu " + hex.EncodeToString(pdu)
		} else if !ok {
			time.Sleep(2 * time.Millisecond)
		}
		toNode = append(toNode, p.ask(command)...)
		for _, pdu := range toNode {
			if rng.Float64() < loss {
				continue
			}
			if err := n.e.Receive(now, pdu); err != nil {
				p.t.Logf("receive %x: %v", pdu, err)
			}
		}
		toNode = nil
	}
}

func peerNode(t *testing.T, crc bool) *node {
	return newNode(t, ground, func(c *cfdp.Config) {
		c.MaxPDU, c.CRC = 512, crc
		c.Timers.Ack, c.Timers.NAK = 200*time.Millisecond, 200*time.Millisecond
	})
}

func TestPeerReceives(t *testing.T) {
	for _, loss := range []float64{0, 0.1} {
		t.Run(fmt.Sprintf("loss %v", loss), func(t *testing.T) {
			p := startPeer(t, loss > 0)
			n := peerNode(t, loss > 0)
			data := pattern(20_001, 7)
			n.write("in", data)
			out := filepath.Join(t.TempDir(), "out")
			id, err := n.e.Put(time.Now(), cfdp.Put{Dest: craft, Source: "in", DestName: out, Checksum: cfdp.ChecksumCRC32})
			if err != nil {
				t.Fatal(err)
			}
			p.talk(n, loss, func() bool { return len(n.finished) == 1 && len(p.finished) == 1 })
			i := n.check(id, cfdp.NoError)
			if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, data) || p.finished[0] != "NO_ERROR" {
				t.Errorf("%v, peer %v", err, p.finished)
			}
			if loss > 0 && i.NAKs == 0 {
				t.Error("the peer asked for nothing")
			}
		})
	}
}

func TestPeerSends(t *testing.T) {
	for _, loss := range []float64{0, 0.1} {
		t.Run(fmt.Sprintf("loss %v", loss), func(t *testing.T) {
			p := startPeer(t, loss > 0)
			n := peerNode(t, loss > 0)
			data := pattern(20_001, 7)
			n.write("unused", nil)
			in := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(in, data, 0o644); err != nil {
				t.Fatal(err)
			}
			if pdus := p.ask("put " + in + " out"); len(pdus) > 0 {
				for _, pdu := range pdus {
					if err := n.e.Receive(time.Now(), pdu); err != nil {
						t.Fatal(err)
					}
				}
			}
			p.talk(n, loss, func() bool { return len(n.finished) == 1 && len(p.finished) == 1 })
			for _, i := range n.finished {
				if i.Condition != cfdp.NoError || loss > 0 && i.NAKs == 0 {
					t.Errorf("%+v", i)
				}
			}
			if !bytes.Equal(n.read("out"), data) || p.finished[0] != "NO_ERROR" {
				t.Errorf("peer %v", p.finished)
			}
		})
	}
}
