//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// peer is a program that answers each line by lines, of which the last is
// "done". It is killed when it does not end by itself.
type peer struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
}

// startPeer runs a Python script.
func startPeer(t *testing.T, script string, args ...string) *peer {
	t.Helper()
	exe, err := python()
	if err != nil {
		t.Fatalf("python environment: %v", err)
	}
	return startProgram(t, exe, append([]string{script}, args...)...)
}

func startProgram(t *testing.T, exe string, args ...string) *peer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.WaitDelay = time.Second
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
		time.AfterFunc(patience, cancel)
		if err := cmd.Wait(); err != nil || t.Failed() {
			t.Logf("%s: %v\n%s", exe, err, talk.String())
		}
		cancel()
	})
	p := &peer{t: t, in: in, out: bufio.NewScanner(out)}
	p.out.Buffer(nil, 1<<20)
	return p
}

// ask gives a line and returns the fields of each line of the answer.
func (p *peer) ask(words ...string) [][]string {
	p.t.Helper()
	if _, err := io.WriteString(p.in, strings.Join(words, " ")+"\n"); err != nil {
		p.t.Fatal(err)
	}
	var lines [][]string
	for p.out.Scan() {
		if p.out.Text() == "done" {
			return lines
		}
		lines = append(lines, strings.Fields(p.out.Text()))
	}
	p.t.Fatalf("the peer is gone after %q", words[0])
	return nil
}

// one is ask for an answer of one line.
func (p *peer) one(words ...string) []string {
	p.t.Helper()
	lines := p.ask(words...)
	if len(lines) != 1 || len(lines[0]) == 0 {
		p.t.Fatalf("%q: answer %q", words[0], lines)
	}
	return lines[0]
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
