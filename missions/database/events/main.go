// Command events writes the numbers of events, as Go, from the mission database.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/perilune/perilune/missions/database"
)

func main() {
	out := flag.String("o", "eventids.go", "file to write")
	flag.Parse()
	text, err := database.Default().EventsGo()
	if err == nil {
		err = os.WriteFile(*out, text, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "events:", err)
		os.Exit(1)
	}
}
