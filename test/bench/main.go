// Command bench turns the output of `go test -bench` into one line for each figure:
//
//	BENCH name value unit goal ok|short
//
// Goals are ratios or counts that hold on any machine, such as no allocation for a packet;
// a figure without one says "-". Lines that are already BENCH lines pass through.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// goals bound figures from above, by package, benchmark and unit.
var goals = map[string]float64{
	"ccsds/spp.DecodePacket allocs/op": 0,
}

func main() {
	if err := convert(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func convert(r io.Reader, w io.Writer) error {
	lines := bufio.NewScanner(r)
	pkg := ""
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "pkg: "):
			_, pkg, _ = strings.Cut(strings.TrimPrefix(line, "pkg: github.com/"), "/")
			_, pkg, _ = strings.Cut(pkg, "/")
		case strings.HasPrefix(line, "BENCH "), strings.HasPrefix(line, "FAIL"), strings.HasPrefix(line, "--- FAIL"):
			fmt.Fprintln(w, line)
		case strings.HasPrefix(line, "Benchmark"):
			for _, f := range figures(pkg, strings.Fields(line)) {
				fmt.Fprintln(w, f)
			}
		}
	}
	return lines.Err()
}

// figures reads "BenchmarkName-2  100  123 ns/op  45 MB/s …".
func figures(pkg string, fields []string) []string {
	name := strings.TrimPrefix(fields[0], "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	var out []string
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return out
		}
		id := pkg + "." + name
		goal, verdict := "-", "ok"
		if g, ok := goals[id+" "+fields[i+1]]; ok {
			goal = strconv.FormatFloat(g, 'g', -1, 64)
			if value > g {
				verdict = "short"
			}
		}
		out = append(out, fmt.Sprintf("BENCH %s %s %s %s %s", id, fields[i], fields[i+1], goal, verdict))
	}
	return out
}
