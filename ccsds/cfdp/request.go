package cfdp

import (
	"errors"
	"fmt"
	"math"
)

// Action is what a filestore request asks for, 727.0-B-5 table 5-16.
type Action uint8

// Filestore actions.
const (
	ActionCreateFile      Action = 0
	ActionDeleteFile      Action = 1
	ActionRenameFile      Action = 2
	ActionAppendFile      Action = 3 // the second file behind the first
	ActionReplaceFile     Action = 4 // the first file's content by the second's
	ActionCreateDirectory Action = 5
	ActionRemoveDirectory Action = 6
	ActionDenyFile        Action = 7 // delete it if it is there
	ActionDenyDirectory   Action = 8
)

var actionNames = []string{
	"create", "delete", "rename", "append", "replace", "create directory", "remove directory", "deny file", "deny directory",
}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action %d", uint8(a))
}

// RequestStatus is how a filestore request ended. 0 is success and 15 "not
// performed" whatever the action; the others depend on it (table 5-18).
type RequestStatus uint8

// Statuses of all actions, and those of the actions on two files.
const (
	RequestDone         RequestStatus = 0
	RequestNotPerformed RequestStatus = 15

	createRefused = 1 // create file; create directory
	missingFirst  = 1 // delete, rename, append, replace; remove directory
	targetExists  = 2 // rename
	missingSecond = 2 // append, replace
	refused       = 2 // delete; remove directory; deny
	refusedTwo    = 3 // rename, append, replace
)

var statusNames = map[Action][]string{
	ActionCreateFile:      {"", "not allowed"},
	ActionDeleteFile:      {"", "no such file", "not allowed"},
	ActionRenameFile:      {"", "no such file", "the new name is taken", "not allowed"},
	ActionAppendFile:      {"", "no first file", "no second file", "not allowed"},
	ActionReplaceFile:     {"", "no first file", "no second file", "not allowed"},
	ActionCreateDirectory: {"", "cannot be created"},
	ActionRemoveDirectory: {"", "no such directory", "not allowed"},
	ActionDenyFile:        {"", "", "not allowed"},
	ActionDenyDirectory:   {"", "", "not allowed"},
}

// FilestoreRequest is the value of a filestore request field, §5.4.1.
type FilestoreRequest struct {
	Action        Action
	First, Second string // Second only for rename, append and replace
}

func (f FilestoreRequest) twoNames() bool {
	return f.Action >= ActionRenameFile && f.Action <= ActionReplaceFile
}

func (f FilestoreRequest) String() string {
	if f.twoNames() {
		return fmt.Sprintf("%v %s, %s", f.Action, f.First, f.Second)
	}
	return fmt.Sprintf("%v %s", f.Action, f.First)
}

// DecodeFilestoreRequest reads the value of a filestore request. The four spare
// bits are passed over.
func DecodeFilestoreRequest(value []byte) (FilestoreRequest, error) {
	r := &reader{data: value}
	f, _ := decodeRequest(r)
	return f, r.end()
}

func decodeRequest(r *reader) (FilestoreRequest, RequestStatus) {
	b := r.u8()
	f := FilestoreRequest{Action: Action(b >> 4), First: string(r.lv())}
	if r.err == nil && int(f.Action) >= len(actionNames) {
		r.fail("filestore " + f.Action.String())
	}
	if f.twoNames() {
		f.Second = string(r.lv())
	}
	return f, RequestStatus(b & 0x0F)
}

// TLV makes the field of f.
func (f FilestoreRequest) TLV() (TLV, error) {
	v, err := f.append(0)
	if err != nil {
		return TLV{}, fmt.Errorf("filestore request: %w", err)
	}
	return TLV{TLVFilestoreRequest, v}, nil
}

func (f FilestoreRequest) append(status RequestStatus) ([]byte, error) {
	if int(f.Action) >= len(actionNames) {
		return nil, errors.New(f.Action.String())
	}
	v, err := appendLV([]byte{byte(f.Action)<<4 | byte(status&0x0F)}, f.First)
	if err == nil && f.twoNames() {
		v, err = appendLV(v, f.Second)
	}
	if err == nil && len(v) > math.MaxUint8 {
		err = fmt.Errorf("%d octets do not fit a field", len(v))
	}
	return v, err
}

// FilestoreResponse is the value of a filestore response field, §5.4.2.
type FilestoreResponse struct {
	FilestoreRequest
	Status  RequestStatus
	Message string // for a human; cut where it does not fit
}

func (f FilestoreResponse) String() string {
	what := "done"
	switch names := statusNames[f.Action]; {
	case f.Status == RequestDone:
	case f.Status == RequestNotPerformed:
		what = "not performed"
	case int(f.Status) < len(names):
		what = names[f.Status]
	default:
		what = fmt.Sprintf("status %d", f.Status)
	}
	if f.Message != "" {
		what += " (" + f.Message + ")"
	}
	return f.FilestoreRequest.String() + ": " + what
}

// DecodeFilestoreResponse reads the value of a filestore response.
func DecodeFilestoreResponse(value []byte) (FilestoreResponse, error) {
	r := &reader{data: value}
	var f FilestoreResponse
	f.FilestoreRequest, f.Status = decodeRequest(r)
	f.Message = string(r.lv())
	return f, r.end()
}

// TLV makes the field of f.
func (f FilestoreResponse) TLV() (TLV, error) {
	v, err := f.append(f.Status)
	if err == nil && len(v) >= math.MaxUint8 {
		err = errors.New("no room for its message")
	}
	if err != nil {
		return TLV{}, fmt.Errorf("filestore response: %w", err)
	}
	v, err = appendLV(v, f.Message[:min(len(f.Message), math.MaxUint8-1-len(v))])
	return TLV{TLVFilestoreResponse, v}, err
}

// responses reads the filestore responses among the fields of a Finished PDU;
// those that cannot be read are left out.
func responses(all []TLV) []FilestoreResponse {
	var out []FilestoreResponse
	for _, t := range all {
		if t.Type != TLVFilestoreResponse {
			continue
		}
		if f, err := DecodeFilestoreResponse(t.Value); err == nil {
			out = append(out, f)
		}
	}
	return out
}
