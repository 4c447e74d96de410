package seqpacket_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/internal/seqpacket"
)

const maxText = 1000

// text is a protocol of one message.
var text = seqpacket.Protocol[string]{MaxMessage: 2000, MaxFiles: 2, Encode: encode, Decode: decode}

func encode(dst []byte, m string) ([]byte, error) {
	w := seqpacket.NewWriter(dst, 7)
	w.Str(m, maxText)
	return w.Done(2000)
}

func decode(b []byte) (string, error) {
	kind, r := seqpacket.NewReader(b, 2000)
	if kind != 7 {
		r.Fail("kind %d", kind)
	}
	m := r.Str(maxText)
	return m, r.Done()
}

func pair(t *testing.T) (a, b *seqpacket.Conn[string]) {
	t.Helper()
	near, far, err := seqpacket.Pair("text")
	if err != nil {
		t.Fatal(err)
	}
	a, errA := seqpacket.New(near, text)
	b, errB := seqpacket.New(far, text)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestFiles(t *testing.T) {
	a, b := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := a.Send("two files", r, w); err != nil {
		t.Fatal(err)
	}
	w.Close()
	m, files, err := b.Receive()
	if err != nil || m != "two files" || len(files) != 2 {
		t.Fatalf("received %q, %d files, %v", m, len(files), err)
	}
	if _, err := files[1].WriteString("through"); err != nil {
		t.Fatal(err)
	}
	files[1].Close()
	got, err := io.ReadAll(files[0])
	files[0].Close()
	if err != nil || string(got) != "through" {
		t.Errorf("read %q, %v", got, err)
	}
	if err := a.Send("", r, r, r); !errors.Is(err, seqpacket.ErrMessage) {
		t.Errorf("three files: %v", err)
	}
}

func TestDeadlineAndEnd(t *testing.T) {
	a, b := pair(t)
	b.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, _, err := b.Receive(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("deadline: %v", err)
	}
	b.SetReadDeadline(time.Time{})
	if err := a.Send("plain"); err != nil {
		t.Fatal(err)
	}
	if m, err := b.ReceivePlain(); err != nil || m != "plain" {
		t.Errorf("ReceivePlain: %q, %v", m, err)
	}
	a.Close()
	if _, _, err := b.Receive(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
	if _, err := b.ReceivePlain(); err != io.EOF {
		t.Errorf("after close: %v", err)
	}
}

// A full socket must not block who only tries.
// An end that is closed with messages unread has not taken back what it said before: the kernel
// tells of the reset first, and has the messages still.
func TestLastWords(t *testing.T) {
	for name, receive := range map[string]func(c *seqpacket.Conn[string]) (string, error){
		"with files": func(c *seqpacket.Conn[string]) (string, error) { m, _, err := c.Receive(); return m, err },
		"plain":      (*seqpacket.Conn[string]).ReceivePlain,
	} {
		a, b := pair(t)
		for _, m := range []string{"one", "two"} {
			if err := errors.Join(a.Send(m), b.Send("not read")); err != nil {
				t.Fatal(err)
			}
		}
		a.Close()
		for _, want := range []string{"one", "two"} {
			if m, err := receive(b); err != nil || m != want {
				t.Errorf("%s: %q, %v; want %q", name, m, err, want)
			}
		}
		if m, err := receive(b); err != io.EOF {
			t.Errorf("%s: after the end: %q, %v", name, m, err)
		}
	}
}

func TestTrySendDoesNotBlock(t *testing.T) {
	a, _ := pair(t)
	for i := range 10000 {
		if err := a.TrySend(strings.Repeat("x", maxText)); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) || i == 0 {
				t.Fatalf("message %d: %v", i, err)
			}
			return
		}
	}
	t.Fatal("the socket never filled")
}

// raw is a connection whose other end is a bare descriptor.
func raw(t *testing.T) (fd int, c *seqpacket.Conn[string]) {
	t.Helper()
	near, far, err := seqpacket.Pair("text")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	if c, err = seqpacket.New(far, text); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if fd, err = seqpacket.Descriptor(near); err != nil {
		t.Fatal(err)
	}
	return fd, c
}

// A bad message must neither end the connection nor leak a descriptor.
func TestGarbage(t *testing.T) {
	fd, c := raw(t)
	before := descriptors(t)
	for _, b := range [][]byte{{99}, {7, 1}, bytes.Repeat([]byte{7}, 2001)} {
		for _, files := range [][]int{{0}, {0, 0, 0}} {
			if err := unix.Sendmsg(fd, b, unix.UnixRights(files...), nil, 0); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Receive(); !errors.Is(err, seqpacket.ErrMessage) || got != nil {
				t.Errorf("garbage %.3x: %v, %v", b, err, got)
			}
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
	good, err := encode(nil, "fine")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Write(fd, good); err != nil {
		t.Fatal(err)
	}
	if m, _, err := c.Receive(); err != nil || m != "fine" {
		t.Errorf("after garbage: %q, %v", m, err)
	}
}

// A message of no octets is the end of the connection; files beside it are closed.
func TestFilesBesideNothing(t *testing.T) {
	fd, c := raw(t)
	before := descriptors(t)
	rights := unix.UnixRights(0, 0)
	m := unix.Msghdr{Control: &rights[0]}
	m.SetControllen(len(rights))
	// unix.Sendmsg would add an octet.
	if _, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), 0); errno != 0 {
		t.Fatal(errno)
	}
	if _, got, err := c.Receive(); !errors.Is(err, io.EOF) || got != nil {
		t.Errorf("%v, %v", got, err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestNewRefusesOthers(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := seqpacket.New(r, text); err == nil {
		t.Error("a pipe was taken for a socket")
	}
	if _, err := seqpacket.New(nil, text); err == nil {
		t.Error("no file was taken for a socket")
	}
}

func TestFields(t *testing.T) {
	w := seqpacket.NewWriter([]byte("before"), 5)
	w.U8(1)
	w.U16(0x0203)
	w.U32(0x04050607)
	w.U64(0x08090a0b0c0d0e0f)
	w.Flag(true)
	w.Bytes([]byte{0xaa})
	w.Str("hi", 2)
	b, err := w.Done(23)
	want := "before\x05\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\x01\xaa\x02\x00hi"
	if err != nil || string(b) != want {
		t.Fatalf("%x, %v", b, err)
	}
	if _, err := w.Done(20); !errors.Is(err, seqpacket.ErrMessage) {
		t.Errorf("too long: %v", err)
	}
	kind, r := seqpacket.NewReader(b[6:], 100)
	if kind != 5 || r.U8() != 1 || r.U16() != 0x0203 || r.U32() != 0x04050607 || r.U64() != 0x08090a0b0c0d0e0f ||
		!r.Flag() || r.Take(1)[0] != 0xaa || r.Str(2) != "hi" || !r.OK() || r.Done() != nil {
		t.Errorf("read back otherwise: %v", r.Done())
	}
	if r.U32() != 0 || !errors.Is(r.Done(), seqpacket.ErrMessage) {
		t.Error("read past the end")
	}
	if _, r := seqpacket.NewReader([]byte{1, 2}, 100); r.Flag() && r.Done() == nil {
		t.Error("2 is a flag")
	}
	if _, r := seqpacket.NewReader([]byte{1, 3, 0, 'a', 'b', 'c'}, 100); r.Str(2) != "" || r.OK() {
		t.Error("a string above its limit")
	}
	if _, r := seqpacket.NewReader([]byte{1, 2}, 100); r.Done() == nil {
		t.Error("an octet left over")
	}
}
