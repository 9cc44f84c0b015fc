package modelstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/modelspec"
)

// A library with custom operations is an entry, too: the folder of its digest with the file in it. Where the original is still
// what it was, it is taken, since libraries look for others beside them; the copy serves when the original was changed or went.
//
// A library is a program, and the record that names it may have come with a stranger's database. So the copy says that CREATE MODEL
// was told here to take this library: without it nothing is loaded, whatever file the record names and whatever digest it gives.

// libraryEntry is the place of a library's copy.
func (s Store) libraryEntry(file, digest string) string {
	return filepath.Join(s.entry("library-"+digest), filepath.Base(file))
}

// LibraryDigest names a library by its content.
func LibraryDigest(ctx context.Context, file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if err := hashFile(ctx, h, file, info.Size()); err != nil {
		return "", err
	}
	return "sha256-" + hex.EncodeToString(h.Sum(nil)), nil
}

// PutLibraries copies the custom-op libraries of a model in. One that is not what the spec says any more is refused.
func (s Store) PutLibraries(ctx context.Context, spec *modelspec.Spec) error {
	for i, file := range spec.CustomOps[:min(len(spec.CustomOps), len(spec.OpsDigests))] {
		want := spec.OpsDigests[i]
		to := s.libraryEntry(file, want)
		if got, err := LibraryDigest(ctx, to); err == nil && got == want {
			continue
		}
		tmp, err := os.MkdirTemp(s.Dir, unfinished)
		if err != nil {
			return unwritable(err)
		}
		defer os.RemoveAll(tmp)
		name := filepath.Join(tmp, filepath.Base(file))
		if err := copyFile(ctx, name, file); err != nil {
			return fmt.Errorf("model store: %w", err)
		}
		if got, err := LibraryDigest(ctx, name); err != nil {
			return fmt.Errorf("model store: %w", err)
		} else if got != want {
			return fmt.Errorf("custom-op library %s changed while it was imported; create the model again", file)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("model store: %w", err)
		}
		if err := os.Rename(name, to); err != nil { // over a damaged copy, or the same one that another process has put there
			return fmt.Errorf("model store: %w", err)
		}
	}
	return nil
}

// Libraries gives the paths to load the custom-op libraries of a model from.
func (s Store) Libraries(ctx context.Context, spec *modelspec.Spec) ([]string, error) {
	if len(spec.OpsDigests) != len(spec.CustomOps) {
		return nil, damaged("its record names %s and %s; create the model again with CREATE OR REPLACE MODEL",
			amount.Of(len(spec.CustomOps), "custom-op library"), amount.Of(len(spec.OpsDigests), "digest"))
	}
	paths := make([]string, len(spec.CustomOps))
	for i, file := range spec.CustomOps {
		want := spec.OpsDigests[i]
		at := s.libraryEntry(file, want)
		copied, copyErr := LibraryDigest(ctx, at)
		vouched := digestForm.MatchString(want) && copyErr == nil && copied == want
		got, err := LibraryDigest(ctx, file)
		switch {
		case vouched && err == nil && got == want:
			paths[i] = file
		case vouched:
			paths[i] = at
		case err == nil && got == want:
			return nil, damaged("its custom-op library %s was not imported into the model store of this machine (%s); where you trust it, create "+
				"the model again with CREATE OR REPLACE MODEL", file, at)
		default:
			what := "was changed"
			if err != nil {
				what = "is not there"
			}
			return nil, damaged("its custom-op library %s %s, and the model store has no good copy (%s); put the old one back, or create the "+
				"model again with CREATE OR REPLACE MODEL", file, what, at)
		}
	}
	return paths, nil
}
