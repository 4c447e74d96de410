package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/perilune/perilune/internal/config"
)

type file struct {
	Name  string
	Items []struct{ Size int } `toml:"item"`
}

func TestDecode(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"good", "name='a'\n[[item]]\nsize=3\n", ""},
		{"unknown at the top", "name='a'\nnmae='b'\n", `f.toml:2: unknown key "nmae"`},
		{"unknown in a table", "name='a'\n\n[[item]]\nsize=3\ncolour=2\n", `f.toml:5: unknown key "item.colour"`},
		{"unknown table", "name='a'\n[other]\nx=1\n", `f.toml:2: unknown key "other"`},
		{"unknown in an inline table", "name='a'\nitem=[{size=1},\n {colour = 2}]\n", `f.toml:3: unknown key "item.colour"`},
		{"unknown with dots", "name='a'\n\nother.colour=1\n", `f.toml:3: unknown key "other.colour"`},
		{"wrong type", "\nname=3\n", "f.toml:2: name: incompatible types"},
		{"no TOML", "name=\n", "f.toml:1:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f file
			err := config.Decode([]byte(tt.text), "f.toml", &f)
			if tt.want == "" {
				if err != nil || f.Items[0].Size != 3 {
					t.Fatalf("got %+v, %v", f, err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("got %v, want prefix %q", err, tt.want)
			}
			if strings.Contains(tt.want, "unknown") && !errors.Is(err, config.ErrUnknownKey) {
				t.Fatalf("%v does not wrap ErrUnknownKey", err)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name='a'\n[[item]]\nsize=3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v file
		_ = config.Decode(data, "fuzz.toml", &v)
	})
}
