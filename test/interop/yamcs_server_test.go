//go:build interop

package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// yamcs is a running YAMCS server with the instance perilune.
type yamcs struct {
	t    *testing.T
	dir  string
	base string
	tm   *net.UDPAddr  // where it takes TM frames
	gone chan struct{} // closed when the server ends
	log  *bytes.Buffer
}

// freeUDP and freeTCP find a port that was free a moment ago.
func freeUDP(t *testing.T) int {
	c := listenUDP(t)
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func listenUDP(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func freeTCP(t *testing.T) int {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startYamcs runs a server that is the ground of c. Its own UDP port listens on every
// address: the link has no setting for that.
// change, if any, alters what is configured before the start.
func startYamcs(t *testing.T, c *craftEnd, change ...func(*yamcs)) *yamcs {
	t.Helper()
	path, err := jars("yamcs")
	if err != nil {
		t.Fatalf("fetch YAMCS: %v", err)
	}
	y := &yamcs{t: t, dir: t.TempDir(), log: new(bytes.Buffer), gone: make(chan struct{}),
		tm: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: freeUDP(t)}}
	web := freeTCP(t)
	y.base = fmt.Sprintf("http://127.0.0.1:%d/api", web)
	y.configure(c.link.configuration(t, y.dir), strings.NewReplacer("${dir}", y.dir, "${http}", fmt.Sprint(web),
		"${tm}", fmt.Sprint(y.tm.Port), "${tc}", fmt.Sprint(c.port())))
	for _, f := range change {
		f(y)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "java", "-Xmx512m", "-cp", path, "org.yamcs.YamcsServer",
		"--etc-dir", filepath.Join(y.dir, "etc"), "--data-dir", filepath.Join(y.dir, "data"), "--no-color")
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = y.dir, y.log, y.log, 5*time.Second
	cmd.Cancel = func() error { return cmd.Process.Kill() }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // mostly killed
		close(y.gone)
	}()
	t.Cleanup(func() {
		cancel()
		<-y.gone
		if t.Failed() {
			t.Logf("YAMCS:\n%s", y.log)
		}
	})
	y.wait("YAMCS is up", func() bool {
		var links struct {
			Links []struct{ Name, Status string }
		}
		return y.get("/links/perilune", &links) == nil && len(links.Links) >= 2
	})
	return y
}

// configure writes the configuration that is under testdata.
func (y *yamcs) configure(link, r *strings.Replacer) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata/yamcs", name))
		if err != nil {
			y.t.Fatal(err)
		}
		return string(b)
	}
	var verifiers strings.Builder
	for _, v := range [][3]string{{"Received", "Accepted", "1"}, {"Execution", "Started", "3"}, {"Complete", "Completed", "7"}} {
		verifiers.WriteString(strings.NewReplacer("${kind}", v[0], "${name}", v[1], "${stage}", v[2]).Replace(read("verifier.xml")))
	}
	for name, text := range map[string]string{
		"etc/yamcs.yaml": r.Replace(read("yamcs.yaml")), "etc/yamcs.perilune.yaml": r.Replace(link.Replace(read("yamcs.perilune.yaml"))),
		"etc/processor.yaml": read("processor.yaml"), "etc/streams.sql": read("streams.sql"), "mdb/craft.xml": strings.Replace(read("craft.xml"), "${verifiers}", verifiers.String(), 1),
		"up/.keep": "", "down/.keep": "",
	} {
		name = filepath.Join(y.dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			y.t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			y.t.Fatal(err)
		}
	}
}

var browser = http.Client{Timeout: patience}

func (y *yamcs) get(path string, into any) error {
	res, err := browser.Get(y.base + path)
	if err != nil {
		return err
	}
	return answer(res, into)
}

func (y *yamcs) post(path string, body, into any) {
	y.t.Helper()
	y.change(http.MethodPost, path, body, into)
}

func (y *yamcs) change(method, path string, body, into any) {
	y.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		y.t.Fatal(err)
	}
	req, err := http.NewRequest(method, y.base+path, bytes.NewReader(b))
	if err != nil {
		y.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := browser.Do(req)
	if err == nil {
		err = answer(res, into)
	}
	if err != nil {
		y.t.Fatalf("%s: %v", path, err)
	}
}

func answer(res *http.Response, into any) error {
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", res.Status, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

// wait polls until the condition holds.
func (y *yamcs) wait(what string, ok func() bool) {
	y.t.Helper()
	end := time.After(patience)
	for !ok() {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-y.gone:
			y.t.Fatalf("YAMCS has ended: %s", what)
		case <-end:
			y.t.Fatalf("waited %v: %s", patience, what)
		}
	}
}
