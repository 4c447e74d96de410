package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Transfers are the files of this station, oldest first.
func (c *Client) Transfers(ctx context.Context) (out []Transfer, err error) {
	err = c.get(ctx, "/v1/transfers", &out)
	return out, err
}

// Upload sends the file at local to the craft. It returns when the station has the
// file; the transfer goes on.
func (c *Client) Upload(ctx context.Context, local string, p Put) (t Transfer, err error) {
	f, err := os.Open(local)
	if err != nil {
		return t, err
	}
	defer f.Close()
	err = c.send(ctx, http.MethodPost, fmt.Sprintf("/v1/transfers?dest=%s&class=%d&priority=%d", url.QueryEscape(p.Dest), p.Class, p.Priority), f, &t)
	return t, err
}

// Ask asks the craft for a listing, a file or changes. The transfer that bears the
// question is over when the answer is there.
func (c *Client) Ask(ctx context.Context, a Ask) (t Transfer, err error) {
	err = c.post(ctx, "/v1/asks", a, &t)
	return t, err
}

// ControlTransfer suspends, resumes or cancels a transfer.
func (c *Client) ControlTransfer(ctx context.Context, id, verb string) (t Transfer, err error) {
	err = c.post(ctx, "/v1/transfers/"+url.PathEscape(id)+"/"+url.PathEscape(verb), nil, &t)
	return t, err
}

// Files lists what came down.
func (c *Client) Files(ctx context.Context) (out []File, err error) {
	err = c.get(ctx, "/v1/files", &out)
	return out, err
}

// File is a file that came down.
type File struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Received time.Time `json:"received"`
	Transfer string    `json:"transfer"`
	Tenant   string    `json:"tenant,omitempty"`
	Mission  string    `json:"mission,omitempty"`
	Path     string    `json:"path"`
}

// Fetch copies a file that came down to w.
func (c *Client) Fetch(ctx context.Context, name string, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, "/v1/file?name="+url.QueryEscape(name), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}
