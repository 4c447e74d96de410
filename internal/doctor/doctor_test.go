package doctor

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	needs := []Need{
		{Name: "shell", Command: "sh", Package: "dash"},
		{Name: "hosts", File: "/etc/hosts"},
		{Name: "wonder", Why: "does wonders", Command: "no-such-command", Package: "wonder"},
		{Name: "more", Why: "does more", File: "/no/such/file", Package: "wonder"},
		{Name: "art", Why: "pleases", File: "/no/such/art", Package: "art"},
		{Name: "luck", Why: "helps", File: "/no/such/luck", Package: "luck", Optional: true},
		{Name: "skill", Why: "helps", Command: "no-such-skill"},
	}
	results := Check(needs)
	missing, packages := Missing(results)
	if len(missing) != 4 || !slices.Equal(packages, []string{"art", "wonder"}) {
		t.Errorf("missing %v, packages %v", missing, packages)
	}
	text := Format(results)
	for _, want := range []string{"✓ shell", "✓ hosts", "✗ wonder", "(Debian package wonder)", "· luck", "✗ skill", "install it by hand"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestCommand(t *testing.T) {
	for _, c := range []struct {
		apt, root, sudo bool
		want            string
	}{
		{true, true, false, "apt-get install -y --no-install-recommends a b"},
		{true, false, true, "sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends a b"},
		{true, false, false, "have somebody run: apt-get install -y --no-install-recommends a b"},
		{false, true, true, "packages of Debian bring: a b"},
	} {
		args, err := command([]string{"a", "b"}, c.apt, c.root, c.sudo)
		got := strings.Join(args, " ")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// Each need says why it is one, and how it is found in exactly one way.
func TestNeeds(t *testing.T) {
	for name, needs := range Sets {
		for _, n := range needs {
			if n.Name == "" || n.Why == "" || (n.Command == "") == (n.File == "") {
				t.Errorf("%s: %+v", name, n)
			}
		}
	}
}

// A program that is too old is as good as none, and a release's newer package is named instead.
func TestVersion(t *testing.T) {
	for _, c := range []struct {
		says, least, want string
	}{
		{"cargo 1.65.0", "1.70", "is 1.65.0, and 1.70 or newer is wanted"},
		{"cargo 1.70.0 (ec8a8a0ca 2023-04-25)", "1.70", ""},
		{`openjdk version "17.0.15" 2025-04-15`, "17", ""},
		{"javac 17.0.15", "17", ""},
		{`openjdk version "1.8.0_412"`, "17", "is 1.8.0,"},
		{"none", "1", "names no version"},
	} {
		program := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(program, []byte("#!/bin/sh\necho '"+c.says+"' >&2\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		r := Check([]Need{{Name: "program", Command: program, Version: "--version", Least: c.least}})[0]
		if r.OK != (c.want == "") || !strings.Contains(r.Detail, c.want) {
			t.Errorf("%s: %t, %s", c.says, r.OK, r.Detail)
		}
	}
}

// A source of packages that does not answer does not keep those of others from being installed;
// what cannot be installed is told with both reasons.
func TestInstallWithStaleLists(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "wonder")
	for _, c := range []struct{ install, want string }{
		{"cp /bin/true " + tool, ""},
		{"echo 'no such package' >&2; exit 100", "no such package"},
	} {
		apt := "#!/bin/sh\ncase \"$*\" in *update*) echo 'no release file' >&2; exit 100 ;; *'DPkg::Lock::Timeout'*'install'*wonder) " + c.install + " ;; *) exit 3 ;; esac\n"
		if err := os.WriteFile(filepath.Join(dir, "apt-get"), []byte(apt), 0o755); err != nil {
			t.Fatal(err)
		}
		sudo := "#!/bin/sh\nexec \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, "sudo"), []byte(sudo), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
		err := Ensure(t.Context(), []Need{{Name: "wonder", Why: "does wonders", Command: "wonder", Package: "wonder"}}, func(string) {})
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "no release file")) {
			t.Errorf("%s: %v", c.install, err)
		}
		os.Remove(tool)
	}
}

// Who is called off lets apt-get end in good order.
func TestInstallCalledOff(t *testing.T) {
	dir := t.TempDir()
	started, ended := filepath.Join(dir, "started"), filepath.Join(dir, "ended")
	for name, text := range map[string]string{
		"apt-get": "trap 'echo >" + ended + "; exit 1' INT\necho >" + started + "\nwhile :; do sleep 0.01; done",
		"sudo":    `exec "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() {
		over <- Ensure(ctx, []Need{{Name: "wonder", Command: "wonder", Package: "wonder"}}, func(string) {})
	}()
	for _, err := os.Stat(started); err != nil; _, err = os.Stat(started) {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-over; err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(ended); err != nil {
		t.Error(err)
	}
}
