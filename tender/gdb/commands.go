package gdb

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/perilune/perilune/tender/regs"
)

// setAll serves G. gdb may leave off registers at the end.
func (s *Server) setAll(arg []byte) (string, error) {
	v, err := s.target.Registers(s.thread)
	if err != nil {
		return "", err
	}
	b := make([]byte, hex.DecodedLen(len(arg)))
	if _, err := hex.Decode(b, arg); err != nil {
		return "", fmt.Errorf("%w: %w", ErrPacket, err)
	}
	if len(b) > len(v.Octets) {
		return "", fmt.Errorf("%w: %d octets of registers, at most %d", ErrPacket, len(b), len(v.Octets))
	}
	copy(v.Octets, b)
	return "OK", s.target.SetRegisters(s.thread, v)
}

// one serves p and P: one register by its number.
func (s *Server) one(command byte, arg []byte) (string, error) {
	n, rest, err := number(arg)
	if err != nil {
		return "", err
	}
	v, err := s.target.Registers(s.thread)
	if err != nil {
		return "", err
	}
	field, err := register(v, n)
	if err != nil {
		return "", err
	}
	if command == 'p' {
		return hex.EncodeToString(field), nil
	}
	if len(rest) != 1+2*len(field) || rest[0] != '=' {
		return "", fmt.Errorf("%w: %d digits for a register of %d octets", ErrPacket, len(rest), len(field))
	}
	if _, err := hex.Decode(field, rest[1:]); err != nil {
		return "", fmt.Errorf("%w: %w", ErrPacket, err)
	}
	return "OK", s.target.SetRegisters(s.thread, v)
}

func register(v regs.Values, n uint64) ([]byte, error) {
	if n > uint64(len(v.Octets)) {
		return nil, fmt.Errorf("%w: no register %d", ErrPacket, n)
	}
	at, size, ok := v.Place(int(n))
	if !ok {
		return nil, fmt.Errorf("%w: no register %d", ErrPacket, n)
	}
	return v.Octets[at : at+size], nil
}

func (s *Server) readMemory(arg []byte) (string, error) {
	addr, n, _, err := pair(arg, 0)
	if err != nil {
		return "", err
	}
	b := make([]byte, min(n, MaxPacket/2)) // an answer may be shorter
	if err := s.target.ReadMemory(addr, b); err != nil {
		return "", err
	}
	return hex.EncodeToString(b), nil
}

// writeMemory serves M, whose data are digits, and X, whose data are octets.
func (s *Server) writeMemory(command byte, arg []byte) (string, error) {
	addr, n, data, err := pair(arg, ':')
	if err != nil {
		return "", err
	}
	if command == 'M' {
		b := make([]byte, hex.DecodedLen(len(data)))
		if _, err := hex.Decode(b, data); err != nil {
			return "", fmt.Errorf("%w: %w", ErrPacket, err)
		}
		data = b
	}
	if uint64(len(data)) != n {
		return "", fmt.Errorf("%w: %d octets, announced %d", ErrPacket, len(data), n)
	}
	if n == 0 {
		return "OK", nil // gdb asks so whether there is X
	}
	return "OK", s.target.WriteMemory(addr, data)
}

// point serves Z and z: type,address,kind, which is a size for watchpoints.
func (s *Server) point(command byte, arg []byte) (string, error) {
	typ, addr, rest, err := pair(arg, ',')
	if err != nil {
		return "", err
	}
	size, _, err := number(rest)
	if err != nil {
		return "", err
	}
	if typ > uint64(WatchAccess) {
		return "", nil
	}
	if command == 'z' {
		return "OK", s.target.Remove(Point(typ), addr, size)
	}
	if err = s.target.Insert(Point(typ), addr, size); errors.Is(err, ErrNoPoint) {
		return "", nil
	}
	return "OK", err
}
