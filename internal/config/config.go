// Package config reads the files that people write by hand. It is strict: a key
// that nothing reads is an error that names the key, its table and its line,
// because a misspelt key that is silently ignored flies.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// MaxSize bounds a configuration file in octets.
const MaxSize = 1 << 20

// ErrUnknownKey is wrapped by the error for a key that nothing reads.
var ErrUnknownKey = errors.New("unknown key")

// mistyped is how the TOML library tells of a value of another type than is wanted.
var mistyped = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*)"\): (.*)$`)

// Load reads the TOML file at path into the struct that into points to.
func Load(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return Decode(data, path, into)
}

// Decode reads TOML into the struct that into points to; file is the name used
// in messages. Values that are set already stand where the text is silent.
func Decode(data []byte, file string, into any) error {
	if len(data) > MaxSize {
		return fmt.Errorf("%s: %d octets, a configuration file has at most %d", file, len(data), MaxSize)
	}
	meta, err := toml.Decode(string(data), into)
	if err != nil {
		var p toml.ParseError
		if errors.As(err, &p) {
			return fmt.Errorf("%s:%d: %s", file, p.Position.Line, p.Message)
		}
		if m := mistyped.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Errorf("%s:%s: %s: %s", file, m[1], m[2], m[3])
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	unknown := meta.Undecoded()
	if len(unknown) == 0 {
		return nil
	}
	key := unknown[0]
	return fmt.Errorf("%s:%d: %w %q", file, lineOf(data, key), ErrUnknownKey, key.String())
}

// Line is the line on which a key of a table stands; where the text does not have the key,
// that of the table; and 1 where it does not have the table either.
func Line(data []byte, table, key string) int {
	if n := lineOf(data, toml.Key{table, key}); n > 1 {
		return n
	}
	return lineOf(data, toml.Key{table})
}

// lineOf finds the line on which key stands: the TOML library keeps no positions
// for keys that it did not decode.
func lineOf(data []byte, key toml.Key) int {
	parent, last := strings.Join(key[:len(key)-1], "."), key[len(key)-1]
	table := ""
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			table = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			if table == key.String() {
				return i + 1
			}
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if ok && table == parent && strings.Trim(strings.TrimSpace(name), `"'`) == last {
			return i + 1
		}
	}
	// It stands in an inline table or has dots in its name.
	inline := regexp.MustCompile(`(?m)(^|[.{,\s"'])` + regexp.QuoteMeta(last) + `["']?\s*=`)
	if at := inline.FindIndex(data); at != nil {
		return 1 + bytes.Count(data[:at[1]], []byte("\n"))
	}
	return 1
}
