package link

import (
	"errors"

	"github.com/perilune/perilune/ccsds"
	"github.com/perilune/perilune/ccsds/sdls"
)

// errSegment says that a segment continues nothing.
var errSegment = errors.New("segment out of place")

// layerSDLS is the layer of what security refuses.
const layerSDLS = "sdls"

// reasons are the errors of decoders in words that can be counted: those of security first.
var reasons = []struct {
	err    error
	sdls   bool
	reason string
}{
	{sdls.ErrTruncated, true, "truncated"}, {sdls.ErrSPI, true, "unknown SPI"}, {sdls.ErrVC, true, "wrong virtual channel"},
	{sdls.ErrForged, true, "forged"}, {sdls.ErrReplayed, true, "replayed"},
	{ccsds.ErrTruncated, false, "truncated"}, {ccsds.ErrLength, false, "wrong length"}, {ccsds.ErrVersion, false, "wrong version"},
	{ccsds.ErrChecksum, false, "frame error control"}, {ccsds.ErrForeign, false, "other spacecraft"}, {ccsds.ErrReserved, false, "reserved bits"},
}

// Reason says which layer refused a frame and why, without the octets at hand: words of which
// there are few, so that refusals can be counted by them. The layer is "" if the error does
// not tell it.
func Reason(err error) (layer, reason string) {
	var e *ccsds.DecodeError
	if errors.As(err, &e) {
		layer = e.Layer
	}
	for _, r := range reasons {
		if !errors.Is(err, r.err) {
			continue
		}
		if r.sdls {
			layer = layerSDLS
		}
		return layer, r.reason
	}
	return layer, "malformed"
}

// Refusal is both in one, "layer: reason".
func Refusal(err error) string {
	layer, reason := Reason(err)
	if layer == "" {
		return reason
	}
	return layer + ": " + reason
}
