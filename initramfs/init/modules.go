package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/u-root/u-root/pkg/kmodule"
	"golang.org/x/sys/unix"
)

// loadModules loads dir's modules in the order of their names, which are
// NN-name.ko. A module that does not load is reported and missed, no more.
func loadModules(dir string) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.ko"))
	if err != nil {
		logf("modules: %v", err)
	}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		logf("modules: %v", err)
	}
	flags := cpuFlags(string(cpu))
	loaded := 0
	for _, p := range paths {
		name := moduleName(p)
		if need := moduleFlag[name]; need != "" && !flags[need] {
			continue
		}
		if err := loadModule(p); err != nil {
			logf("module %s: %v", name, err)
			continue
		}
		loaded++
	}
	logf("%d modules", loaded)
	mountOptional()
}

// moduleFlag is the processor's feature without which a module cannot load.
var moduleFlag = map[string]string{"kvm_amd": "svm", "kvm_intel": "vmx"}

func moduleName(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".ko")
	if _, after, ok := strings.Cut(name, "-"); ok {
		name = after
	}
	return strings.ReplaceAll(name, "-", "_")
}

func cpuFlags(cpuinfo string) map[string]bool {
	flags := map[string]bool{}
	for line := range strings.Lines(cpuinfo) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "flags" {
			for _, f := range strings.Fields(value) {
				flags[f] = true
			}
			break // all processors are alike
		}
	}
	return flags
}

func loadModule(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := kmodule.FileInit(f, "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}
