package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/perilune/perilune/internal/client"
)

// serve answers at a socket as h says and returns a client of it.
func serve(t *testing.T, h http.HandlerFunc) (*client.Client, context.Context) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	c, err := client.Dial(filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return c, ctx
}

func TestNobodyListens(t *testing.T) {
	_, err := client.Dial(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestSocketDeepDown(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 12))
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(deep)
	path := filepath.Join(deep, "s")
	l, err := net.Listen("unix", client.Short(path))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := client.Dial(path); err != nil {
		t.Error(err)
	}
}

func TestErrorsOfTheStation(t *testing.T) {
	for _, tt := range []struct{ body, want string }{
		{`{"error":"no such thing"}`, "no such thing"},
		{"<html>", "station answers 404 Not Found"},
		{"", "station answers 404 Not Found"},
	} {
		c, ctx := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, tt.body)
		})
		_, err := c.Status(ctx)
		var e *client.Error
		if !errors.As(err, &e) || e.Status != 404 || err.Error() != tt.want {
			t.Errorf("body %q: got %v, want %q", tt.body, err, tt.want)
		}
	}
}

func TestEventsAskForWhatIsWanted(t *testing.T) {
	c, ctx := serve(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		fmt.Fprintf(w, ": hello\n\nid: 7\nevent: tm\ndata: {\"seq\":7,\"kind\":%q,\"text\":%q}\n\n", q.Get("since"), fmt.Sprint(q["kind"]))
	})
	s, err := c.Events(ctx, 6, "tm", "link.")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	e, err := s.Next()
	if err != nil || e.Seq != 7 || e.Kind != "6" || e.Text != "[tm link.]" {
		t.Errorf("got %+v, %v", e, err)
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
	if _, err := c.Wait(ctx, client.Now, func(e client.Event) bool { return e.Kind != "" }); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("a stream that ends: %v", err)
	}
}

func TestStagesAreInOrder(t *testing.T) {
	c := client.Command{Stage: client.StageVerified}
	for stage, want := range map[string]bool{
		client.StageQueued: true, client.StageAccepted: true, client.StageVerified: true,
		client.StageStarted: false, client.StageCompleted: false, "nonsense": false,
	} {
		if c.Reached(stage) != want {
			t.Errorf("verified has reached %s: %v", stage, !want)
		}
	}
	c.Stage = client.StageFailed
	if c.Reached(client.StageQueued) || !c.Done() {
		t.Error("a failed command has reached a stage")
	}
}

func TestRuleOf(t *testing.T) {
	for text, want := range map[string]string{
		"not permitted: bundle.signature: signed by A":       "bundle.signature",
		"bundles/ab12.tar: grant.missing: tenant x has none": "grant.missing",
		"order.sequence: order 3":                            "order.sequence",
		"unknown name: no mission x":                         "",
		"open bundle: a.b.c: no":                             "",
		"":                                                   "",
	} {
		if got := client.RuleOf(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	e := client.Event{Fields: map[string]any{"text": "a", "number": 12.0, "whole": 3, "yes": true}}
	for name, want := range map[string]string{"text": "a", "number": "12", "whole": "3", "yes": "true", "none": ""} {
		if got := e.Field(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if e.Number("number") != 12 || e.Number("whole") != 3 || e.Number("text") != 0 {
		t.Error("numbers")
	}
}
