package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/perilune/perilune/ccsds/lossless"
	"github.com/perilune/perilune/internal/client"
)

// productName is what the imager calls its product.
const productName = "earth.aec"

// code is how the imager compresses: samples of 8 bits, blocks of 16, a reference every
// 128 blocks, unit-delay predictor (121.0-B-3 §4).
var code = lossless.Params{BitsPerSample: 8, BlockSize: 16, RSI: 128, Flags: lossless.MSB | lossless.Preprocess}

// aecFlags say the same to Debian's aec.
var aecFlags = []string{"-d", "-n", "8", "-j", "16", "-r", "128"}

func productMade(ctx context.Context, s *story) (Seen, error) {
	e, err := s.first(ctx, s.notes.start, guestEvent("guest exited", imager), nil)
	if err != nil {
		return Seen{}, err
	}
	if status := e.Number("status"); status != 0 {
		return Seen{}, fmt.Errorf("the guest ended with status %v: %s", status, e.Text)
	}
	return seenAt(e, "%s", e.Text), nil
}

func productDown(ctx context.Context, s *story) (Seen, error) {
	e, err := s.first(ctx, s.notes.start, func(e client.Event) bool {
		return e.Kind == client.KindFileFinished && strings.HasSuffix(e.Field("name"), productName)
	}, nil)
	if err != nil {
		return Seen{}, err
	}
	files, err := s.api.Files(ctx)
	if err != nil {
		return Seen{}, err
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name, productName) {
			s.notes.product = f
			seen := seenAt(e, "%s, sha256 %.12s…", f.Name, f.SHA256)
			seen.Octets = uint64(f.Size)
			s.notes.downlink = seen
			return seen, nil
		}
	}
	return Seen{}, errors.New("the transfer finished and the file is not there: " + e.Text)
}

func restoreOurs(_ context.Context, s *story) (Seen, error) {
	want, err := os.ReadFile(s.Example(imager, "earth.pgm"))
	if err != nil {
		return Seen{}, err
	}
	packed, err := os.ReadFile(s.notes.product.Path)
	if err != nil {
		return Seen{}, err
	}
	got, err := lossless.Decode(code, packed, len(want))
	if err != nil {
		return Seen{}, err
	}
	return s.same(got, want, len(packed))
}

func restoreAEC(ctx context.Context, s *story) (Seen, error) {
	want, err := os.ReadFile(s.Example(imager, "earth.pgm"))
	if err != nil {
		return Seen{}, err
	}
	out := filepath.Join(s.Dir(), "earth-by-aec.pgm")
	cmd := exec.CommandContext(ctx, "aec", append(aecFlags, s.notes.product.Path, out)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return Seen{}, fmt.Errorf("aec: %w: %s", err, bytes.TrimSpace(text))
	}
	got, err := os.ReadFile(out)
	if err != nil {
		return Seen{}, err
	}
	// aec pads its last block; what the original does not have is not compared.
	if len(got) > len(want) {
		got = got[:len(want)]
	}
	return s.same(got, want, int(s.notes.product.Size))
}

// same compares the image with the original; its place is that of the product's downlink.
func (s *story) same(got, want []byte, packed int) (Seen, error) {
	if !bytes.Equal(got, want) {
		return Seen{}, fmt.Errorf("the image differs from the original: %d and %d octets", len(got), len(want))
	}
	seen := s.notes.downlink
	seen.Note = fmt.Sprintf("%d octets from %d, byte for byte", len(want), packed)
	return seen, nil
}
