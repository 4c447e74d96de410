package timecode

import (
	"fmt"

	"github.com/perilune/perilune/ccsds"
)

// Time code identifications in the first octet of a P-field (§3.2.2).
const (
	codeLevel1 = 1 // epoch 1958-01-01 TAI
	codeLevel2 = 2 // epoch defined by the agency
)

// AppendPField appends the P-field that describes c, one octet or two, to dst.
func (c CUC) AppendPField(dst []byte) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return dst, err
	}
	id := byte(codeLevel1)
	if c.Epoch != 0 {
		id = codeLevel2
	}
	coarse, fine := min(c.Coarse, 4), min(c.Fine, 3)
	first := id<<4 | byte(coarse-1)<<2 | byte(fine)
	if coarse == c.Coarse && fine == c.Fine {
		return append(dst, first), nil
	}
	return append(dst, first|0x80, byte(c.Coarse-coarse)<<5|byte(c.Fine-fine)<<2), nil
}

// ParsePField reads a P-field and returns the form it describes and its own octets. A level
// 2 code does not say its epoch: agency is taken for it.
func ParsePField(data []byte, agency Instant) (c CUC, n int, err error) {
	if len(data) == 0 {
		return CUC{}, 0, ccsds.Errorf("time code", 0, ccsds.ErrTruncated, "no P-field")
	}
	switch id := data[0] >> 4 & 7; id {
	case codeLevel1:
	case codeLevel2:
		c.Epoch = agency
	default:
		return CUC{}, 0, ccsds.Errorf("time code", 0, ccsds.ErrReserved, "identification %03b is no unsegmented code", id)
	}
	c.Coarse, c.Fine = int(data[0]>>2&3)+1, int(data[0]&3)
	if data[0]&0x80 == 0 {
		return c, 1, nil
	}
	if len(data) < 2 {
		return CUC{}, 0, ccsds.Errorf("time code", 1, ccsds.ErrTruncated, "P-field needs 2 octets, have 1")
	}
	if data[1]&0x80 != 0 {
		return CUC{}, 0, ccsds.Errorf("time code", 1, ccsds.ErrReserved, "P-field goes on behind its second octet")
	}
	c.Coarse += int(data[1] >> 5 & 3)
	c.Fine += int(data[1] >> 2 & 7)
	return c, 2, nil
}

// EncodeWithPField returns P-field and T-field for i.
func (c CUC) EncodeWithPField(i Instant) ([]byte, error) {
	p, err := c.AppendPField(nil)
	if err != nil {
		return nil, err
	}
	b, err := c.Append(p, i)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// DecodeWithPField reads a time code that describes itself.
func DecodeWithPField(data []byte, agency Instant) (Instant, error) {
	c, n, err := ParsePField(data, agency)
	if err != nil {
		return 0, fmt.Errorf("decode P-field: %w", err)
	}
	return c.Decode(data[n:])
}
