//go:build !amd64

package main

import (
	"errors"
	"os"
)

// haltGuest is only needed where QEMU may run by KVM, which is on amd64; it
// says no more than that /dev/kvm is there.
func haltGuest(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), errors.New("no probe for this processor"))
}
