package craft_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/perilune/perilune/missions/craft"
)

const good = `
name = "luna"
scid = 42

[[tenant]]
name = "acme"
apid = 100
missions = ["beacon"]
autostart = ["beacon"]

[[tenant]]
name = "borealis"
apid = 101

[sim]
ber_up = 1e-3

[[sim.fault]]
kind = "los"
at_s = 30
duration_s = 10
`

func TestParse(t *testing.T) {
	c, err := craft.Parse([]byte(good), "craft.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Tenant("borealis").Memory != 64 || c.Sim.BERDown != 1e-3 || c.Link.FrameLength != 1115 {
		t.Fatalf("%+v", c)
	}
	if c.Tenant("nobody") != nil {
		t.Fatal("found a tenant that is not there")
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "ber_up", "ber_upp", `craft.toml:16: unknown key "sim.ber_upp"`},
		{"scid", "scid = 42", "scid = 1024", "scid 1024"},
		{"apid twice", "apid = 101", "apid = 100", `apid 100 belongs to "acme"`},
		{"apid of flight", "apid = 101", "apid = 1", "apid 1"},
		{"tenant twice", `"borealis"`, `"acme"`, "is there twice"},
		{"ber", "1e-3", "0.7", "bit error ratio"},
		{"fault kind", `"los"`, `"meteor"`, `kind "meteor"`},
		{"frame length", "scid = 42", "scid = 42\n[link]\nup = \"tc\"\nframe_length = 1001", "craft.toml:6: link: link profile: frame_length 1001: RS(255,223) at interleave 5 carries multiples of 5 up to 1115"},
		{"negative time", "at_s = 30", "at_s = -1", "at_s"},
		{"tle passes", "ber_up = 1e-3", "passes = \"tle\"", "wants tle"},
		{"channels", `name = "acme"`, "name = \"acme\"\nchannels = 64", "the tenants have 65 channels together, the craft holds 64"},
		{"memory", `name = "luna"`, "name = \"luna\"\nmemory = 3", "memory 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := craft.Parse([]byte(strings.Replace(good, tt.from, tt.to, 1)), "craft.toml")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestLinkProfiles: the profiles that the design has, from TOML.
func TestLinkProfiles(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string // of the complaint; "" for none
		frame            int
	}{
		{"concatenated", "coding = 'concatenated'\nrate = '3/4'", "", 1115},
		{"concatenated, interleave 1, E 8", "coding = 'concatenated'\ninterleave = 1\nrs_e = 8", "", 239},
		{"ldpc", "down = 'aos'\ncoding = 'ldpc'\nheader_error_control = true\ninsert_zone = 4", "", 512},
		{"ldpc 7/8", "down = 'aos'\ncoding = 'ldpc'\nrate = '7/8'", "", 892},
		{"turbo", "down = 'uslp'\nup = 'uslp'\ncltu = 'ldpc128'\ncoding = 'turbo'\nrate = '1/6'\nblock = 8920\nfecf = 32", "", 1115},
		{"packets", "down = 'packets'\nup = 'packets'\nsecurity = 'none'", "", 1115},
		{"secured down", "[[link.down_channel]]\nvc = 2\nsecurity = 'authenticate'\npriority = 1\nrate = 100000", "", 1115},
		{"bitstream", "down = 'aos'\n[[link.down_channel]]\nvc = 5\nservice = 'bitstream'", "", 1115},
		{"access point", "down = 'uslp'\n[[link.down_channel]]\nvc = 5\nservice = 'vca'\nmap = 15", "", 1115},
		{"tenants in clear", "[[link.down_channel]]\nvc = 0\nsecurity = 'both'\n[[link.down_channel]]\nvc = 1\nclear = [64, 2046]", "", 1115},
		{"flight in clear", "[[link.down_channel]]\nvc = 1\nclear = [64, 1]", "down_channel 1: clear: APID 1: want 3 to 2046", 0},
		{"idle in clear", "[[link.down_channel]]\nvc = 1\nclear = [2047]", "APID 2047: want 3 to 2046", 0},
		{"no APID in clear", "[[link.down_channel]]\nvc = 1\nclear = [65600]", "APID 65600: want 3 to 2046", 0},
		{"authenticated in clear", "[[link.down_channel]]\nvc = 1\nsecurity = 'authenticate'\nclear = [64]", "down_channel 1: clear: the channel is authenticated", 0},
		{"recovery alone", "[[link.up_channel]]\nvc = 0\nservice = 'bd'\nsecurity = 'authenticate'", "", 1115},
		{"packets and security", "down = 'packets'\nup = 'packets'", `x.toml:2: link: security "both": packets without frames have none`, 0},
		{"no way back", "down = 'packets'\ncoding = 'none'", "no frame brings the CLCW", 0},
		{"no such code", "coding = 'ldpc'\nblock = 1000", "x.toml:2: link: link profile: LDPC code of 1000 bits, rate 1/2: want blocks of 1024, 4096 or 16384", 0},
		{"frame and code", "coding = 'turbo'\nframe_length = 1115", "x.toml:4: link: link profile: frame_length 1115: turbo with blocks of 3568 bits carries frames of 446 octets", 0},
		{"no check", "coding = 'turbo'\nfecf = 0", "does not tell a wrong frame from a right one", 0},
		{"insert zone of tm", "insert_zone = 3", "x.toml:3: link: link profile: insert_zone: only aos and uslp", 0},
		{"coding", "coding = 'morse'", "x.toml:3: link: link profile: coding \"morse\": want none, rs", 0},
		{"fsr of nothing", "security = \"none\"\nfsr = true", "fsr", 0},
		{"no ocf", "ocf = false", "no ocf", 0},
		{"channel of tm", "[[link.down_channel]]\nvc = 8", "tm has 0 to 6", 0},
		{"bitstream of tm", "[[link.down_channel]]\nvc = 5\nservice = 'bitstream'", `down channel 5: service "bitstream": only aos frames carry bits`, 0},
		{"octets of fixed length", "down = 'uslp'\n[[link.down_channel]]\nvc = 5\nservice = 'octets'", "only uslp frames of variable length", 0},
		{"no such service", "[[link.down_channel]]\nvc = 5\nservice = 'morse'", "want packets, bitstream, octets or vca", 0},
		{"access point of tm", "[[link.down_channel]]\nvc = 5\nmap = 2", "only uslp frames have access points", 0},
		{"access point", "down = 'uslp'\n[[link.down_channel]]\nvc = 5\nmap = 16", "map 16: want 0 to 15", 0},
		{"up channel", "[[link.up_channel]]\nvc = 3", "up_channel 3", 0},
		{"same association", "[[link.down_channel]]\nvc = 1\nsecurity = 'both'\nspi = 2", "SPI 2 of downlink virtual channel 1 is another channel's too", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := craft.Parse([]byte("scid = 42\n[link]\n"+tt.text), "x.toml")
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil || c.Link.FrameLength != tt.frame {
				t.Fatalf("frames of %d octets, %v", c.Link.FrameLength, err)
			}
			keys := map[uint16][craft.KeySize]byte{}
			for _, spi := range c.SPIs() {
				keys[spi] = [craft.KeySize]byte{1}
			}
			if _, err := c.Profile(keys); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadKeys(t *testing.T) {
	dir, c := t.TempDir(), craft.Default()
	if _, err := c.LoadKeys(dir); err == nil {
		t.Fatal("keys out of nothing")
	}
	for _, spi := range c.SPIs() {
		if err := os.WriteFile(dir+"/"+craft.KeyFile(spi), make([]byte, craft.KeySize), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := c.LoadKeys(dir)
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	if err := os.WriteFile(dir+"/"+craft.KeyFile(2), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.LoadKeys(dir); err == nil || !strings.Contains(err.Error(), "5 octets, want 32") {
		t.Fatalf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = craft.Parse(data, "fuzz.toml")
	})
}

// TestFlies: the channels of the craft's own packets carry nothing else.
func TestFlies(t *testing.T) {
	for vc, want := range map[int]bool{2: false, 3: false, 4: true} {
		c, err := craft.Parse(fmt.Appendf(nil, "scid = 42\n[[link.down_channel]]\nvc = %d\nservice = 'vca'", vc), "x.toml")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Flies(); (err == nil) != want {
			t.Errorf("channel %d: %v", vc, err)
		}
	}
}
