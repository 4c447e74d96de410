package main

import (
	"bufio"
	"os"
)

// ordersName is the virtio-serial port by which a simulator makes things go wrong on
// purpose. No board has it.
const ordersName = "orders0"

// orderKill ends the flight program as a crash would.
const orderKill = "kill-flight"

// listenOrders passes on the lines of the simulator's port, if there is one.
func listenOrders(orders chan<- string) {
	port := portNamed("/sys/class/virtio-ports", ordersName)
	if port == "" {
		return
	}
	f, err := os.Open("/dev/" + port)
	if err != nil {
		logf("orders: %v", err)
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		orders <- lines.Text()
	}
}
