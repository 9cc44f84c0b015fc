// Package private keeps files that are run as they are, such as compiled code: they must be the user's own, and nobody else
// may write where they lie.
package private

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder makes a folder that only the user may use, or checks that it is one.
func Folder(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	st, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return fmt.Errorf("%s is no folder", dir)
	}
	return check(dir, st)
}

func check(name string, st fs.FileInfo) error {
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && int(sys.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to another user, so what is in it is not run; remove it", name)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others may use %s (mode %04o), so what is in it is not run; chmod go= it, or remove it", name, st.Mode().Perm())
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Whole checks that a file was written by [Write], by this user, and is not damaged. Its last four bytes are a sum.
func Whole(name string) error {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", name)
	}
	if err := check(name, st); err != nil {
		return err
	}
	h := crc32.New(castagnoli)
	n, err := io.Copy(h, io.LimitReader(f, max(0, st.Size()-crc32.Size)))
	if err != nil {
		return err
	}
	var sum [crc32.Size]byte
	if _, err := f.ReadAt(sum[:], n); err != nil || binary.LittleEndian.Uint32(sum[:]) != h.Sum32() {
		return fmt.Errorf("%s is damaged", name)
	}
	return nil
}

// Write puts what r gives into a file that only the user may use, whole or not at all, with a sum behind it.
func Write(name string, r io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	h := crc32.New(castagnoli)
	_, err = io.Copy(io.MultiWriter(f, h), r)
	if err == nil {
		_, err = f.Write(binary.LittleEndian.AppendUint32(nil, h.Sum32()))
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// Once runs a check of a file that takes long, and does not run it again while the file stays as it is. What was checked is
// kept in the folder, which [Folder] has made.
func Once(dir, file string, check func() error) error {
	sum := sha256.Sum256([]byte(file))
	stamp := filepath.Join(dir, hex.EncodeToString(sum[:8])+".checked")
	is := identity(file)
	if was, err := os.ReadFile(stamp); err == nil && is != "" && string(was) == is {
		return nil
	}
	if err := check(); err != nil {
		return err
	}
	if is != "" && is == identity(file) {
		_ = os.WriteFile(stamp, []byte(is), 0o600) // without it, the check runs again
	}
	return nil
}

// Hash gives the SHA-256 sum of a file in hexadecimal.
func Hash(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// identity changes with a file's content; "" where that cannot be told.
func identity(file string) string {
	st, err := os.Stat(file)
	if err != nil {
		return ""
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s %d %d %d %d %d", file, sys.Dev, sys.Ino, st.Size(), st.ModTime().UnixNano(), changed(sys))
}

// Lock waits until no other process has the lock of that name, a file.
func Lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return func() { f.Close() }, nil
}
