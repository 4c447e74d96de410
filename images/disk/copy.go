package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Copy makes dst a copy of the disk in src, with holes where it is zero.
func Copy(dst, src string) (err error) {
	in, err := os.Open(src)
	if err != nil {
		return fmt.Errorf("copy disk: %w", err)
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return fmt.Errorf("copy disk: %w", err)
	}
	size, err := sparseCopy(out, 0, in)
	if err == nil {
		err = out.Truncate(size)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		os.Remove(dst)
		return fmt.Errorf("copy disk: %w", err)
	}
	return nil
}

// sparseCopy writes all of in to out from offset on, except blocks of zeroes,
// and returns how many octets in has.
func sparseCopy(out io.WriterAt, offset int64, in io.Reader) (int64, error) {
	const block = 64 << 10
	zero, buf := make([]byte, block), make([]byte, block)
	var total int64
	for {
		n, err := io.ReadFull(in, buf)
		if n > 0 && !bytes.Equal(buf[:n], zero[:n]) {
			if _, err := out.WriteAt(buf[:n], offset+total); err != nil {
				return total, err
			}
		}
		total += int64(n)
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return total, nil
		case err != nil:
			return total, err
		}
	}
}
