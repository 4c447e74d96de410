package link

import (
	"errors"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// errSegment says that a segment continues nothing.
var errSegment = errors.New("segment out of place")

func frameReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{ccsds.ErrTruncated, "truncated"}, {ccsds.ErrLength, "wrong length"}, {ccsds.ErrVersion, "wrong version"},
		{ccsds.ErrChecksum, "frame error control"}, {ccsds.ErrForeign, "other spacecraft"}, {ccsds.ErrReserved, "reserved bits"},
		{sdls.ErrTruncated, "sdls: truncated"}, {sdls.ErrSPI, "sdls: unknown SPI"}, {sdls.ErrVC, "sdls: wrong virtual channel"},
		{sdls.ErrForged, "sdls: forged"}, {sdls.ErrReplayed, "sdls: replayed"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}

func securityReason(err error) string {
	for _, c := range []struct {
		err    error
		reason string
	}{
		{sdls.ErrTruncated, "truncated"}, {sdls.ErrSPI, "unknown SPI"}, {sdls.ErrVC, "wrong virtual channel"},
		{sdls.ErrForged, "forged"}, {sdls.ErrReplayed, "replayed"},
	} {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	return "malformed"
}
