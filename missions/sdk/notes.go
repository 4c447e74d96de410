package sdk

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/perilune/perilune/hvt"
)

// notesSource is C with the two ELF notes that a tender reads before it loads
// a program: which contract it was built for, and the devices it wants.
//
//	n_namesz, n_descsz, n_type u32; "Solo5" padded to 8; descriptor
func notesSource(m hvt.Manifest) ([]byte, error) {
	manifest, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	abi := make([]byte, 0, 16)
	for _, v := range []uint32{hvt.ABITarget, hvt.ABIVersion, 0, 0} {
		abi = binary.LittleEndian.AppendUint32(abi, v)
	}
	var src bytes.Buffer
	src.WriteString("/* notes.c: made by package sdk from mission.toml. */\n")
	writeNote(&src, "abi", 4, hvt.NoteTypeABI, abi)
	writeNote(&src, "manifest", 8, hvt.NoteTypeMFT, manifest)
	return src.Bytes(), nil
}

// writeNote writes one note as an array in the section that link/guest.ld
// keeps. Where the manifest's note is a multiple of 8, so is the manifest behind
// its four octets of padding.
func writeNote(src *bytes.Buffer, name string, align int, noteType uint32, desc []byte) {
	fmt.Fprintf(src, "__attribute__((section(\".note.solo5.%s\"), aligned(%d), used))\nconst unsigned char note_%[1]s[] = {", name, align)
	for i, b := range note(noteType, desc) {
		if i%16 == 0 {
			src.WriteString("\n   ")
		}
		fmt.Fprintf(src, " %d,", b)
	}
	src.WriteString("\n};\n")
}

// note is one note as it lies in a program.
func note(noteType uint32, desc []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(hvt.NoteName)+1))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.LittleEndian.AppendUint32(b, noteType)
	b = append(b, (hvt.NoteName + "\x00\x00\x00")[:8]...)
	return append(b, desc...)
}
