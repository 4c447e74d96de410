// Package wireshark holds Wireshark dissectors for the frames of the link and the numbers
// under which captures carry them.
package wireshark

import _ "embed"

// Script is the plugin, in Lua: TM, TC, AOS and USLP transfer frames and the CLCW.
//
//go:embed ccsds.lua
var Script []byte

// Link types of captures, one kind of unit a record, without ASM and coding. SPP is what
// Wireshark's own dissector "ccsds" takes once a user maps DLT_USER0 to it; the others are
// taken by Script.
const (
	LinkTypeSPP  = 147 // DLT_USER0: space packets
	LinkTypeTM   = 148
	LinkTypeTC   = 149
	LinkTypeAOS  = 150
	LinkTypeUSLP = 151
	LinkTypeCLCW = 152
)
