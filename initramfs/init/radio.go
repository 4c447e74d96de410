package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/perilune/perilune/internal/initproto"
)

// radioName is the virtio-serial port that stands for the radio.
const radioName = "radio0"

// findRadio waits for the radio's port, gives it to flight and returns its
// path.
func findRadio(wait time.Duration) (string, error) {
	for end := time.Now().Add(wait); ; time.Sleep(50 * time.Millisecond) {
		if p := portNamed("/sys/class/virtio-ports", radioName); p != "" {
			path := "/dev/" + p
			if err := os.Chown(path, initproto.UID, initproto.GID); err != nil {
				return "", err
			}
			return path, os.Chmod(path, 0o600)
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("no virtio port named %s", radioName)
		}
	}
}

func portNamed(class, name string) string {
	names, err := filepath.Glob(filepath.Join(class, "*", "name"))
	if err != nil {
		return ""
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err == nil && strings.TrimSpace(string(b)) == name {
			return filepath.Base(filepath.Dir(n))
		}
	}
	return ""
}
