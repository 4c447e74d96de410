package qemu

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeQEMU answers on its end of a socket pair as given, command by command.
func fakeQEMU(t *testing.T, greeting string, answers map[string]string) *os.File {
	t.Helper()
	ours, theirs, err := socketpair("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close(); theirs.Close() })
	go func() {
		theirs.WriteString(greeting)
		for dec := json.NewDecoder(theirs); ; {
			var c struct{ Execute string }
			if dec.Decode(&c) != nil {
				return
			}
			theirs.WriteString(answers[c.Execute])
		}
	}()
	return ours
}

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}` + "\r\n"

func TestQMP(t *testing.T) {
	q, err := dial(fakeQEMU(t, greeting, map[string]string{
		"qmp_capabilities": `{"return": {}}`,
		"system_reset": `{"timestamp": {"seconds": 100, "microseconds": 250000}, "event": "RESET", "data": {"guest": false}}
			{"return": {}}`,
		"query-status": `{"return": {"running": true}}`,
		"bad":          `{"error": {"class": "CommandNotFound", "desc": "The command bad has not been found"}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := q.Do(ctx, "system_reset"); err != nil {
		t.Error(err)
	}
	if e := <-q.Events(); e.Name != "RESET" || !e.Time.Equal(time.Unix(100, 250e6)) || e.Data["guest"] != false {
		t.Errorf("event %+v", e)
	}
	if v, err := q.Execute(ctx, "query-status", nil); err != nil || string(v) != `{"running": true}` {
		t.Errorf("status %s, %v", v, err)
	}
	if err := q.Do(ctx, "bad"); !errors.Is(err, ErrQMP) || !strings.Contains(err.Error(), "CommandNotFound") {
		t.Errorf("bad command: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := q.Do(short, "silence"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no answer: %v", err)
	}
	if err := q.Do(ctx, "query-status"); err == nil {
		t.Error("the connection outlived a command that was not answered")
	}
}

func TestQMPRefusesOthers(t *testing.T) {
	for _, g := range []string{"{}", "SSH-2.0\r\n"} {
		if _, err := dial(fakeQEMU(t, g, nil)); !errors.Is(err, ErrQMP) {
			t.Errorf("%q: %v", g, err)
		}
	}
}

// Events that nobody takes must not stop answers.
func TestQMPManyEvents(t *testing.T) {
	q, err := dial(fakeQEMU(t, greeting, map[string]string{
		"qmp_capabilities": `{"return": {}}`,
		"flood":            strings.Repeat(`{"event": "RTC_CHANGE", "timestamp": {"seconds": 1, "microseconds": 0}}`, 500) + `{"return": {}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := q.Do(ctx, "flood"); err != nil {
		t.Error(err)
	}
}

// What QEMU answers last counts, also when the connection has ended by the time somebody looks.
func TestQMPLastAnswer(t *testing.T) {
	for range 50 {
		ours, theirs, err := socketpair("test")
		if err != nil {
			t.Fatal(err)
		}
		q := &QMP{f: ours, events: make(chan Event, 1), answers: make(chan answer, 1), closed: make(chan struct{})}
		theirs.WriteString(`{"return": {}}`)
		if err := unix.Shutdown(int(theirs.Fd()), unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		q.listen(json.NewDecoder(ours)) // all that is said
		if err := q.Do(t.Context(), "quit"); err != nil {
			t.Error(err)
		}
		if err := q.Do(t.Context(), "quit"); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("once more: %v", err)
		}
		q.Close()
		theirs.Close()
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		console, qemu string
		want          Accel
		reason        string
	}{
		{"init: [1.0] PROBE OK\n[1.2] reboot: Power down", "", KVM, "nested guest halts"},
		{"init: [1.0] PROBE FAIL /dev/kvm: no such file\nmore", "", TCG, "KVM does not nest: /dev/kvm: no such file"},
		{"", "KVM internal error. Suberror: 1\nextra data", TCG, "does not boot by KVM: KVM internal error. Suberror: 1"},
		{"", "", TCG, "did not boot by KVM within 20s"},
	} {
		v := judge(c.console, c.qemu, ProbeLimit)
		if v.Accel != c.want || !strings.HasSuffix(v.Reason, c.reason) {
			t.Errorf("%q, %q: %+v", c.console, c.qemu, v)
		}
	}
}

func TestProbeRemembers(t *testing.T) {
	c := ProbeConfig{Kernel: "vmlinuz-1", Cache: t.TempDir(), Limit: time.Second}
	if _, ok := c.cached(c.key()); ok {
		t.Error("a verdict before there was one")
	}
	c.remember(c.key(), Verdict{KVM, "because"})
	if v, ok := c.cached(c.key()); !ok || v != (Verdict{KVM, "because"}) {
		t.Errorf("%+v, %v", v, ok)
	}
	other := c
	other.Kernel = "vmlinuz-2"
	if _, ok := other.cached(other.key()); ok {
		t.Error("the verdict on another kernel was taken")
	}
}

func TestConfig(t *testing.T) {
	if _, err := Start(context.Background(), Config{Dir: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "disk or a kernel") {
		t.Errorf("neither: %v", err)
	}
	c := Config{Dir: "/x", Disk: "/a,b", Accel: TCG, RadioSocket: "/r,s", MemoryMiB: 512, CPUs: 2}
	all := strings.Join(c.args(), " ")
	for _, want := range []string{"file=/a,,b", "path=/r,,s", "-cpu max,+svm", "-accel tcg", "-m 512", "-smp 2", "watchdog=reset"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in %s", want, all)
		}
	}
	if strings.Contains(all, "-kernel") {
		t.Error("a disk is not booted by -kernel")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var b tail
	for range 1000 {
		b.Write([]byte("0123456789"))
	}
	b.Write([]byte(" end \n"))
	if s := b.String(); len(s) > 4096 || !strings.HasSuffix(s, "9 end") {
		t.Errorf("%d octets, ends %q", len(s), s[len(s)-10:])
	}
}
