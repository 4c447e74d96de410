package ldpc

import "golang.org/x/sys/cpu"

// hasQuick says that tell and agree may be called.
var hasQuick = cpu.X86.HasAVX2

// tell does for a layer what passPlain does, sixteen checks at a time. checks is the number
// of checks rounded up to whole sixteens, terms and checks are above 0.
//
//go:noescape
func tell(belief, told, change, ahead *int16, at, column *int32, terms, size, checks int, knee, scale int16)

// agree does for a layer what meetsPlain does.
//
//go:noescape
func agree(belief *int16, at *int32, terms, checks int) bool
