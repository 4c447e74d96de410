package station

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/cfdp"
	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/internal/client"
)

// maxJSON bounds the body of a request that is not a file, in octets.
const maxJSON = 1 << 20

// Handler answers the API. What requests begin goes on until ctx ends.
func (s *Station) Handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	answer := func(pattern string, fn func(r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := fn(r)
			reply(w, v, err)
		})
	}
	answer("GET /v1/status", func(*http.Request) (any, error) { return s.Status(), nil })
	answer("GET /v1/database", func(*http.Request) (any, error) { return s.cfg.Database, nil })
	answer("GET /v1/missions", func(*http.Request) (any, error) { return s.missions(), nil })
	answer("GET /v1/transfers", func(*http.Request) (any, error) { return s.cfg.Files.Transfers(), nil })
	answer("GET /v1/files", func(*http.Request) (any, error) {
		all, err := s.cfg.Files.List()
		if all == nil {
			all = []client.File{}
		}
		return all, err
	})
	answer("GET /v1/commands", func(*http.Request) (any, error) { return s.list(), nil })
	answer("GET /v1/commands/{id}", s.getCommand)
	answer("POST /v1/commands", s.postCommand)
	answer("POST /v1/time", func(*http.Request) (any, error) { return s.SetTime() })
	answer("GET /v1/keys", func(*http.Request) (any, error) { return s.KeyList(), nil })
	answer("POST /v1/keys/rotation", func(r *http.Request) (any, error) {
		var rot client.Rotation
		if err := decode(r, &rot); err != nil {
			return nil, err
		}
		return s.Rotate(r.Context(), ccsds.VCID(rot.VC), rot.Down)
	})
	answer("POST /v1/keys/recovery", func(r *http.Request) (any, error) { return s.Recover(r.Context()) })
	answer("POST /v1/procedures", func(r *http.Request) (any, error) {
		var p client.Procedure
		if err := decode(r, &p); err != nil {
			return nil, err
		}
		return s.Procedure(r.Context(), p)
	})
	answer("POST /v1/transfers", s.postTransfer)
	answer("POST /v1/transfers/{id}/{verb}", func(r *http.Request) (any, error) {
		t, err := s.cfg.Files.Control(s.now(), r.PathValue("id"), r.PathValue("verb"))
		s.poke()
		return t, err
	})
	answer("POST /v1/asks", s.postAsk)
	answer("GET /v1/activations/{id}", func(r *http.Request) (any, error) {
		a, ok := s.activation(r.PathValue("id"))
		if !ok {
			return nil, fmt.Errorf("activation %s: %w", r.PathValue("id"), fs.ErrNotExist)
		}
		return a, nil
	})
	answer("POST /v1/activations", func(r *http.Request) (any, error) {
		return s.Activate(ctx, http.MaxBytesReader(nil, r.Body, client.MaxFile), r.URL.Query().Get("onboard") == "true")
	})
	mux.HandleFunc("GET /v1/file", s.getFile)
	mux.HandleFunc("GET /v1/events", s.getEvents)
	return mux
}

// reply writes v as JSON, or err with the status that fits it.
func reply(w http.ResponseWriter, v any, err error) {
	status := http.StatusOK
	if err != nil {
		e := client.Error{Message: err.Error()}
		var refused *client.RefusedError
		if errors.As(err, &refused) {
			e.Refused, e.Rule, e.Code = true, refused.Rule, refused.Code
		}
		status, v = statusOf(err), e
	}
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The client is gone if this fails; nobody is left to be told.
	_, _ = w.Write(append(body, '\n'))
}

func statusOf(err error) int {
	var large *http.MaxBytesError
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused):
		return http.StatusConflict
	case errors.Is(err, errRequest), errors.Is(err, errGround), errors.Is(err, fs.ErrInvalid):
		return http.StatusBadRequest
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, cfdp.ErrUnknown):
		return http.StatusNotFound
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, link.ErrFull), errors.Is(err, cfdp.ErrFull):
		return http.StatusServiceUnavailable
	case errors.Is(err, errNoOrders):
		return http.StatusForbidden
	}
	return http.StatusInternalServerError
}

func (s *Station) getCommand(r *http.Request) (any, error) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: command %q", errRequest, r.PathValue("id"))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(id)
	if c == nil {
		return nil, fmt.Errorf("command %d: %w", id, fs.ErrNotExist)
	}
	return c.Command, nil
}

func (s *Station) postCommand(r *http.Request) (any, error) {
	var req client.Request
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	return s.Send(req)
}

// decode reads the JSON of a request.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxJSON))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	return nil
}

func (s *Station) postTransfer(r *http.Request) (any, error) {
	q := r.URL.Query()
	p := client.Put{Dest: q.Get("dest")}
	for name, to := range map[string]*int{"class": &p.Class, "priority": &p.Priority} {
		if v := q.Get(name); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				return nil, fmt.Errorf("%w: %s %q", errRequest, name, v)
			}
			*to = n
		}
	}
	t, err := s.cfg.Files.Upload(s.now(), http.MaxBytesReader(nil, r.Body, client.MaxFile), p)
	s.poke()
	return t, err
}

func (s *Station) postAsk(r *http.Request) (any, error) {
	var ask client.Ask
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	t, err := s.cfg.Files.Ask(s.now(), ask)
	s.poke()
	return t, err
}

func (s *Station) getFile(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("name")
	f, err := s.cfg.Files.OpenFile(name)
	if err != nil {
		reply(w, nil, fmt.Errorf("file %q: %w", name, err))
		return
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil {
		w.Header().Set("Content-Length", strconv.FormatInt(st.Size(), 10))
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	// A client that went away, or a disk that failed: the length tells the client.
	_, _ = io.Copy(w, f)
}

// getEvents streams events as server-sent events: ?since=N and any number of ?kind=.
func (s *Station) getEvents(w http.ResponseWriter, r *http.Request) {
	since := s.cfg.Archive.Last()
	if q := r.URL.Query().Get("since"); q != "" {
		var err error
		if since, err = strconv.ParseUint(q, 10, 64); err != nil {
			reply(w, nil, fmt.Errorf("%w: since %q", errRequest, q))
			return
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := &eventWriter{w: w, c: http.NewResponseController(w)}
	out.comment("station " + s.cfg.Craft)
	kinds := r.URL.Query()["kind"]
	// A stream ends when the client goes or the archive closes; either is no error.
	_ = s.cfg.Archive.Follow(r.Context(), since, func(e client.Event) error {
		if !wanted(e.Kind, kinds) {
			return nil
		}
		return out.event(e)
	})
}

// wanted says whether kind is among kinds; one that ends in a dot stands for all that
// begin with it, and none at all stands for every kind.
func wanted(kind string, kinds []string) bool {
	for _, k := range kinds {
		if k == kind || strings.HasSuffix(k, ".") && strings.HasPrefix(kind, k) {
			return true
		}
	}
	return len(kinds) == 0
}

// eventWriter writes server-sent events and pushes each out at once.
type eventWriter struct {
	w io.Writer
	c *http.ResponseController
}

func (o *eventWriter) event(e client.Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(o.w, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Kind, data); err != nil {
		return err
	}
	return o.c.Flush()
}

func (o *eventWriter) comment(text string) {
	// The first event finds out if the client is gone.
	_, _ = fmt.Fprintf(o.w, ": %s\n\n", text)
	_ = o.c.Flush()
}
