package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/perilune/perilune/test/nest"
)

// hosts are what Solo5 calls the architectures that a nest has.
var hosts = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}

// inNest runs this very program on the tree in an emulated machine.
func (s *suite) inNest(ctx context.Context, o options, tmp string, slower int, out io.Writer) (ok bool, err error) {
	if err := s.builtFor(o.nest); err != nil {
		return false, err
	}
	// Each test might take all of its time, and what runs beside its guest as much again.
	c := nest.Config{Arch: o.nest, Cache: o.cache, Output: out, Limit: nest.DefaultLimit + 4*time.Duration(len(s.names))*s.limit,
		Counted: true} // the suite looks at clocks, and gives its guests a minute each
	fmt.Fprintf(out, "in an emulated %s; its start takes a minute\n", o.nest)
	if err := c.AddSolo5(ctx, tmp, s.dir, o.tender, "--run", o.run, "--slower", strconv.Itoa(slower)); err != nil {
		return false, err
	}
	results, err := nest.Run(ctx, c)
	switch {
	case ctx.Err() != nil:
		return false, errors.New("interrupted")
	case err != nil:
		return false, err
	case results[0].Error != "":
		err = errors.New(results[0].Error)
	}
	return results[0].Status == 0, err
}

// builtFor says what is wrong if the tree's tender and guests are not for arch.
func (s *suite) builtFor(arch string) error {
	want, known := hosts[arch]
	if !known {
		return fmt.Errorf("nest %q: want amd64 or arm64", arch)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "Makeconf.sh"))
	if err != nil {
		return err
	}
	for _, v := range []string{"CONFIG_HOST_ARCH", "CONFIG_TARGET_ARCH"} {
		if m := regexp.MustCompile(`(?m)^` + v + `="(.*)"$`).FindSubmatch(text); m == nil || string(m[1]) != want {
			return fmt.Errorf("this tree is not built for %s: its Makeconf.sh has no %s=%q; see the handbook's page on Solo5", arch, v, want)
		}
	}
	return nil
}
