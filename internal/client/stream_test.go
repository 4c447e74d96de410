package client

import (
	"bytes"
	"io"
	"testing"
)

// FuzzStream reads any octets as an event stream: it ends, in an error or with the
// stream, and never makes an event of what is none.
func FuzzStream(f *testing.F) {
	f.Add([]byte("id: 1\nevent: tm\ndata: {\"seq\":1,\"kind\":\"tm\",\"data\":\"AAE=\"}\n\n"))
	f.Add([]byte(": heartbeat\n\ndata:\n\n"))
	f.Add([]byte("data: {\"seq\":-1}\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStream(io.NopCloser(bytes.NewReader(data)))
		lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
		for n := 0; ; n++ {
			if _, err := s.Next(); err != nil {
				return
			}
			if n > lines {
				t.Fatalf("%d events from %d lines", n, lines)
			}
		}
	})
}
