package linktool_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/perilune/perilune/ccsds/link"
	"github.com/perilune/perilune/cmd/perilune/linktool"
)

// TestBERT against AFF3CT's published figure for RS(255,223): 4.95e-3 of codewords at 6.0 dB,
// so 2.45 % of frames of five. The channel itself is erfc's: Q(sqrt(2·R·Eb/N0)).
func TestBERT(t *testing.T) {
	c := config(link.Profile{})
	c.Noise = linktool.Noise{EbN0: 6.0, Seed: 9}
	b, err := linktool.LoopBERT(c, 3000)
	if err != nil {
		t.Fatal(err)
	}
	if b.FER < 0.0245*0.6 || b.FER > 0.0245*1.6 {
		t.Errorf("frame error rate %.4f, want about 0.0245", b.FER)
	}
	want := 0.5 * math.Erfc(math.Sqrt(223.0/255*math.Pow(10, 0.6)))
	if math.Abs(b.ChannelBER-want) > 0.02*want {
		t.Errorf("error rate of the channel %.5f, want %.5f", b.ChannelBER, want)
	}
	if b.Errors != 0 || b.Sent != 3000 {
		t.Errorf("%d errors in frames that Reed-Solomon passed, %d sent", b.Errors, b.Sent)
	}
}

// TestBERTApart: sender and receiver apart, with a piece of the bits lost between them.
func TestBERTApart(t *testing.T) {
	c := config(link.Profile{Code: link.Code{Kind: link.CodeConcatenated}})
	c.Soft, c.Noise = true, linktool.Noise{EbN0: 4, Seed: 1}
	var bits bytes.Buffer
	if _, err := linktool.SendBERT(c, 20, &bits); err != nil {
		t.Fatal(err)
	}
	cut := bits.Bytes()
	frame := len(cut) / 20
	cut = append(append([]byte(nil), cut[:5*frame+100]...), cut[7*frame+100:]...)
	b, err := linktool.ReceiveBERT(c, source(t, cut))
	if err != nil {
		t.Fatal(err)
	}
	if b.Received < 15 || b.Missing < 2 || b.Received+b.Missing != 20 || b.Errors != 0 {
		t.Errorf("%+v", b)
	}
}
