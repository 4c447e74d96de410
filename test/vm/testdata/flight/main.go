// A stand-in for the flight program, for the boot test: it speaks initproto,
// starts one slot and is commanded by lines over the radio.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/perilune/perilune/internal/initproto"
)

var out struct {
	sync.Mutex
	radio *os.File
}

func say(format string, a ...any) {
	out.Lock()
	defer out.Unlock()
	line := fmt.Sprintf("flight: "+format+"\n", a...)
	fmt.Print(line)
	if out.radio != nil {
		if _, err := out.radio.WriteString(line); err != nil {
			fmt.Println("flight: radio:", err)
		}
	}
}

func main() {
	conn, err := initproto.Inherited()
	if err != nil {
		fmt.Println("flight:", err)
		os.Exit(1)
	}
	radio, err := os.OpenFile(os.Getenv(initproto.RadioEnv), os.O_RDWR, 0)
	if err != nil {
		fmt.Println("flight: radio:", err)
	}
	out.radio = radio
	_, dataErr := os.Stat(initproto.FlightDir)
	say("pid %d uid %d data %v", os.Getpid(), os.Getuid(), dataErr == nil)
	send(conn, initproto.Health{})
	go func() {
		for range time.Tick(2 * time.Second) {
			send(conn, initproto.Health{})
		}
	}()
	go listen(conn)
	for lines := bufio.NewScanner(radio); ; {
		if !lines.Scan() {
			time.Sleep(100 * time.Millisecond)
			lines = bufio.NewScanner(radio)
			continue
		}
		command(conn, lines.Text())
	}
}

func command(conn *initproto.Conn, line string) {
	switch line {
	case "die":
		os.Exit(7)
	case "slot":
		send(conn, initproto.SlotRequest{ID: 1, Name: "acme/test", MemoryMax: 64 << 20, CPUPercent: 50, IOMax: 7 << 20})
	case "pool":
		send(conn, initproto.Pool{Size: 1})
	case "walls":
		walls("/sys/fs/cgroup/tenders/1")
	case "kill":
		send(conn, initproto.SlotKill{ID: 1})
	case "leave":
		send(conn, initproto.SafeLeave{})
	case "reboot":
		send(conn, initproto.Reboot{Reason: "test"})
	case "whoami":
		b, err := os.ReadFile("/proc/self/status")
		fmt.Println(string(b), err)
	default:
		say("unknown command %q", line)
	}
}

// walls reports the limits of a slot as the kernel has them.
func walls(dir string) {
	for _, name := range []string{"memory.max", "pids.max", "cpu.max", "cpu.weight", "io.max"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		say("%s %q %v", name, strings.TrimSpace(string(b)), err)
	}
}

func send(conn *initproto.Conn, m initproto.Message) {
	if err := conn.Send(m); err != nil {
		say("%v", err)
		os.Exit(1)
	}
}

func listen(conn *initproto.Conn) {
	for {
		m, files, err := conn.Receive()
		if err != nil {
			say("%v", err)
			os.Exit(1)
		}
		say("%T %+v files %d", m, m, len(files))
		if _, ok := m.(initproto.SlotReady); ok && len(files) == 2 {
			go count(files[0])
		}
	}
}

// count reports what the stand-in for a tender says on its control socket.
func count(f *os.File) {
	b := make([]byte, 100)
	for {
		n, err := f.Read(b)
		if err != nil {
			say("slot: %v", err)
			return
		}
		say("slot says %s", b[:n])
	}
}
