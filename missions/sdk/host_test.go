package sdk_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/perilune/perilune/ccsds/lossless"
	"github.com/perilune/perilune/hvt"
)

// hostProgram builds source with the guest's library, except what speaks to a
// tender (testdata/host.c stands in for that), as a process of this machine.
func hostProgram(t *testing.T, source string) string {
	t.Helper()
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("needs clang: run 'perilune doctor --install' (Debian: clang lld)")
	}
	program := filepath.Join(t.TempDir(), "program")
	args := []string{
		"-std=c11", "-ffreestanding", "-nostdlibinc", "-nostdlib", "-static", "-O2", "-mgeneral-regs-only", "-fno-pie",
		"-fno-stack-protector", "-fuse-ld=lld", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Ilib", "-o", program,
		"testdata/host.c", source, "lib/aec.c", "lib/heap.c", "lib/perilune.c", "lib/sort.c", "lib/stdio.c", "lib/stdlib.c", "lib/string.c",
	}
	if said, err := exec.Command(clang, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// hostRun runs a program with a block device and returns its console, its exit
// status and the messages of its packet device; telecommands wait from the start.
func hostRun(t *testing.T, program, cmdline, image string, telecommands ...[]byte) (console []byte, status int, messages [][]byte) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	for _, tc := range telecommands {
		if _, err := ours.Write(tc); err != nil {
			t.Fatal(err)
		}
	}
	block, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer block.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, cmdline)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.ExtraFiles = []*os.File{theirs, block}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	buf := make([]byte, 8192)
	for {
		n, err := ours.Read(buf)
		if n == 0 || err != nil {
			break
		}
		messages = append(messages, bytes.Clone(buf[:n]))
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.Bytes(), cmd.ProcessState.ExitCode(), messages
}

const earthImage = "../examples/earth/earth.pgm"

// TestHeap runs a hundred thousand calls of malloc, realloc and free with blocks of all
// sizes: each keeps its content, none overlaps another, and all memory comes back.
func TestHeap(t *testing.T) {
	said, status, _ := hostRun(t, hostProgram(t, "testdata/heap.c"), "", earthImage)
	if status != 0 || string(said) != "whole\n" {
		t.Errorf("status %d, %q", status, said)
	}
	said, status, _ = hostRun(t, hostProgram(t, "testdata/heap.c"), "twice", earthImage)
	if status != 255 {
		t.Errorf("free of a block twice: status %d, %q", status, said)
	}
}

// TestLibc runs the C library's test and compares with what C11 says.
func TestLibc(t *testing.T) {
	got, status, _ := hostRun(t, hostProgram(t, "testdata/libc.c"), "the command line", earthImage)
	want, err := os.ReadFile("testdata/libc.txt")
	if err != nil {
		t.Fatal(err)
	}
	if status != 7 {
		t.Errorf("exit status %d, want 7", status)
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := "", ""
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if g != w {
			t.Errorf("line %d: %q, want %q", i+1, g, w)
		}
	}
}

var earthParams = lossless.Params{BitsPerSample: 8, BlockSize: 16, RSI: 128, Flags: lossless.MSB | lossless.Preprocess}

// TestEarth runs the example as a process: its product is what the Go coder
// and aec make of the image, and restores to it.
func TestEarth(t *testing.T) {
	_, status, messages := hostRun(t, hostProgram(t, "../examples/earth/main.c"), "", earthImage)
	if status != 0 {
		t.Fatalf("exit status %d", status)
	}
	image, err := os.ReadFile(earthImage)
	if err != nil {
		t.Fatal(err)
	}
	product := checkProduct(t, messages, "earth.aec")
	want, err := lossless.Encode(earthParams, image)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(product, want) {
		t.Errorf("the product has %d octets, not the %d of package lossless", len(product), len(want))
	}
	back, err := lossless.Decode(earthParams, product, len(image))
	if err != nil || !bytes.Equal(back, image) {
		t.Errorf("the product does not restore to the image: %v", err)
	}
	report := append([]byte{hvt.PacketTelemetry}, "earth"...)
	report = binary.BigEndian.AppendUint64(report, uint64(len(image)))
	report = binary.BigEndian.AppendUint64(report, uint64(len(product)))
	if last := messages[len(messages)-1]; !bytes.Equal(last, report) {
		t.Errorf("telemetry %x, want %x", last, report)
	}
	if _, err := exec.LookPath("aec"); err != nil {
		t.Log("aec is not installed (Debian: libaec-tools): not compared with it")
		return
	}
	coded := filepath.Join(t.TempDir(), "coded")
	if said, err := exec.Command("aec", "-n", "8", "-j", "16", "-r", "128", earthImage, coded).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	if data, err := os.ReadFile(coded); err != nil || !bytes.Equal(data, product) {
		t.Errorf("the product is not what aec makes: %v", err)
	}
}

// checkProduct puts one product together and checks the messages' form.
func checkProduct(t *testing.T, messages [][]byte, name string) (product []byte) {
	t.Helper()
	if len(messages) == 0 || string(messages[0]) != "\x02"+name {
		t.Fatalf("the first of %d messages does not open %q", len(messages), name)
	}
	for i, m := range messages[1:] {
		switch {
		case m[0] == hvt.PacketProductData && len(m) > 1 && len(m) <= hvt.PacketMax:
			product = append(product, m[1:]...)
		case m[0] == hvt.PacketProductEnd && len(m) == 9:
			if total := binary.LittleEndian.Uint64(m[1:]); total != uint64(len(product)) {
				t.Errorf("the product claims %d octets and has %d", total, len(product))
			}
			return product
		default:
			t.Fatalf("message %d is of kind %#x, %d octets", i+1, m[0], len(m))
		}
	}
	t.Fatal("the product does not end")
	return nil
}

// TestEcho sends telecommands, one of a kind that is not known, and an empty
// one that ends the guest.
func TestEcho(t *testing.T) {
	telecommands := [][]byte{[]byte("\x81one"), []byte("\x70unknown"), bytes.Repeat([]byte{0x81}, 1001), bytes.Repeat([]byte{0x81}, 1002), {0x81}}
	console, status, messages := hostRun(t, hostProgram(t, "../examples/echo/main.c"), "", earthImage, telecommands...)
	if status != 0 {
		t.Errorf("exit status %d", status)
	}
	if want := "echo: telecommand over 1000 octets\n"; string(console) != want {
		t.Errorf("console %q, want %q", console, want)
	}
	if len(messages) != 2 || string(messages[0]) != "\x01one" || len(messages[1]) != 1001 {
		t.Errorf("%d messages: %.20q", len(messages), messages)
	}
}

// TestEchoAsked sends the craft's request to end behind a telecommand, which is answered still.
func TestEchoAsked(t *testing.T) {
	_, status, messages := hostRun(t, hostProgram(t, "../examples/echo/main.c"), "", earthImage, []byte("\x81one"), []byte{hvt.PacketStop})
	if status != 0 || len(messages) != 2 || string(messages[0]) != "\x01one" || string(messages[1]) != "\x01bye" {
		t.Errorf("exit status %d, messages %q", status, messages)
	}
}

// TestAecGuest compares the coder in C with the one in Go for many
// parameters; that one is compared with libaec.
func TestAecGuest(t *testing.T) {
	program := hostProgram(t, "testdata/aec.c")
	rng := rand.New(rand.NewPCG(121, 3))
	for n := 1; n <= 32; n++ {
		for range 3 {
			p := lossless.Params{BitsPerSample: n, BlockSize: 8 << rng.IntN(4), RSI: 1 + rng.IntN(1<<rng.IntN(12)), Flags: lossless.MSB | lossless.Preprocess}
			count := rng.IntN(12000)
			t.Run(fmt.Sprintf("n%d/J%d/r%d/%d", n, p.BlockSize, p.RSI, count), func(t *testing.T) {
				samples := walk(rng, p, count)
				want, err := lossless.Encode(p, samples)
				if err != nil {
					t.Fatal(err)
				}
				image := filepath.Join(t.TempDir(), "image")
				if err := os.WriteFile(image, append(samples, make([]byte, -len(samples)&511)...), 0o600); err != nil {
					t.Fatal(err)
				}
				cmdline := strings.Join([]string{strconv.Itoa(n), strconv.Itoa(p.BlockSize), strconv.Itoa(p.RSI), strconv.Itoa(count)}, " ")
				got, status, _ := hostRun(t, program, cmdline, image)
				if status != 0 || !bytes.Equal(got, want) {
					t.Errorf("exit status %d, %d octets, want %d", status, len(got), len(want))
				}
			})
		}
	}
}

// walk makes big-endian samples that rest, wander and jump.
func walk(rng *rand.Rand, p lossless.Params, count int) []byte {
	var out []byte
	high := int64(1)<<p.BitsPerSample - 1
	x, noise := rng.Int64N(high+1), int64(0)
	for i := range count {
		if i%41 == 0 {
			noise = rng.Int64N(int64(1)<<rng.IntN(p.BitsPerSample+1) + 1)
			if rng.IntN(3) == 0 {
				noise = 0
			}
		}
		x = max(0, min(high, x+rng.Int64N(2*noise+1)-noise))
		for b := p.SampleSize() - 1; b >= 0; b-- {
			out = append(out, byte(x>>(8*b)))
		}
	}
	return out
}
