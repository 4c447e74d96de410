package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// suiteText has what the suite's text is read for, and fakeBats runs its tests: a test's
// body is a script.
const suiteText = `setup() {
  x
}

hvt_run() {
  run ${TIMEOUT} --foreground 1s "${HVT_TENDER}" --mem=4096 "$@"
}

@test "one hvt" {
  echo "ok 1 one hvt"
}

@test "one spt" {
  if two; then {
    three
  }
}

@test "two hvt" {
  ( ${TIMEOUT} 60s ping ) &
}
end
`

// fakeTree is a Solo5 tree whose suite file has the text, and whose bats runs what stands
// between the braces of its one test.
func fakeTree(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, s := range map[string]string{
		suiteFile: text, "Makeconf.sh": "CONFIG_HOST_ARCH=\"x86_64\"\nCONFIG_TARGET_ARCH=\"aarch64\"\n",
		"tests/bats-core/bats": "#!/bin/sh\nsed -n '/^@test/,/^}/p' tests.bats | sed '1d;$d' >body\n. ./body\n",
		"tests/setup-tests.sh": "", "tests/test_hello/test_hello.hvt": "", "tenders/hvt/solo5-hvt": "", "tenders/hvt/solo5-hvt-debug": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(s), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	dir := fakeTree(t, suiteText)
	s, err := open(dir, regexp.MustCompile(""), 10)
	if err != nil || !slices.Equal(s.names, []string{"one hvt", "two hvt"}) || s.limit != 10*time.Second {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, want := range []string{"--foreground 10s \"${HVT", "( ${TIMEOUT} 600s ping )"} {
		if !strings.Contains(string(s.text), want) {
			t.Errorf("no %q in\n%s", want, s.text)
		}
	}
	if _, err := open(dir, regexp.MustCompile("spt"), 1); err == nil {
		t.Error("a test for another tender was taken")
	}
	if err := s.builtFor("amd64"); err == nil || !strings.Contains(err.Error(), "CONFIG_TARGET_ARCH") {
		t.Errorf("guests for arm64 and a tender for amd64: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "tests/test_hello/test_hello.hvt")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(dir, regexp.MustCompile(""), 1); err == nil || !strings.Contains(err.Error(), "is not built") {
		t.Errorf("%v", err)
	}
	if _, err := open(fakeTree(t, "@test \"one hvt\" {\n}\n"), regexp.MustCompile(""), 1); err == nil {
		t.Error("a suite without a limit")
	}
}

func TestChoose(t *testing.T) {
	rest := suiteText[strings.Index(suiteText, "@test \"one spt\""):]
	want := strings.Replace(suiteText, rest, "\nend\n", 1)
	if got := string(choose([]byte(suiteText), "one hvt")); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
