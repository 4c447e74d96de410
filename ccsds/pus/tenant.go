package pus

import (
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// TenantData is the message of service 128: data between a tenant's operators
// and one of its missions. The packet's APID names the tenant. TC[128,1] and
// TM[128,1] carry the user data of one datagram.
type TenantData struct {
	Mission string
	Data    []byte
}

// Encode returns the message: the mission's name with a u8 length, the data.
func (t TenantData) Encode() ([]byte, error) {
	b, err := appendText8(nil, t.Mission)
	if err != nil {
		return nil, fmt.Errorf("encode tenant data: %w", err)
	}
	return append(b, t.Data...), nil
}

// DecodeTenantData reads the message of service 128. Data refers to data.
func DecodeTenantData(data []byte) (TenantData, error) {
	r := newReader("tenant data", data)
	t := TenantData{Mission: r.text8(), Data: r.rest()}
	return t, r.end()
}

// ConsoleText is the message of TM[128,2]: text that a mission printed, as it
// came or in answer to console.read. Offsets count octets since the run of the
// mission began; Text begins at Offset, and no text at all is an answer too.
type ConsoleText struct {
	Mission string
	Answer  bool   // to console.read; otherwise it comes by itself
	Run     uint32 // differs from one run of the mission to the next
	Start   uint64 // offset of the oldest octet that the craft still has
	Offset  uint64
	End     uint64 // offset behind the last octet printed so far
	Text    []byte
}

// Encode returns the message: the mission's name with a u8 length, Answer as 0 or
// 1, Run, Start, Offset, End, the text.
func (c ConsoleText) Encode() ([]byte, error) {
	b, err := appendText8(nil, c.Mission)
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, fmt.Errorf("encode TM[128,2]: %w", err)
	}
	answer := byte(0)
	if c.Answer {
		answer = 1
	}
	b = binary.BigEndian.AppendUint32(append(b, answer), c.Run)
	for _, v := range [...]uint64{c.Start, c.Offset, c.End} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return append(b, c.Text...), nil
}

func (c ConsoleText) check() error {
	if c.Start > c.Offset || c.Offset > c.End || c.End-c.Offset < uint64(len(c.Text)) {
		return fmt.Errorf("text of %d octets at %d is not between %d and %d: %w", len(c.Text), c.Offset, c.Start, c.End, ccsds.ErrLength)
	}
	return nil
}

// DecodeConsoleText reads the message of TM[128,2]. Text refers to data.
func DecodeConsoleText(data []byte) (ConsoleText, error) {
	r := newReader("TM[128,2]", data)
	c := ConsoleText{Mission: r.text8()}
	answer := r.u8()
	c.Answer, c.Run, c.Start, c.Offset, c.End, c.Text = answer == 1, r.u32(), r.u64(), r.u64(), r.u64(), r.rest()
	if err := r.end(); err != nil {
		return ConsoleText{}, err
	}
	if answer > 1 {
		return ConsoleText{}, dataError(r.what, 1+len(c.Mission), fmt.Sprintf("%d is neither yes nor no", answer))
	}
	if err := c.check(); err != nil {
		return ConsoleText{}, dataError(r.what, 0, err.Error())
	}
	return c, nil
}
