// Command crash makes the kernel under it panic.
package main

import "os"

func main() {
	if err := os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0); err != nil {
		panic(err)
	}
}
