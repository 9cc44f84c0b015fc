// Package modelstore keeps the files of models by their content, so that a model stays as it was created.
package modelstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/objecttable"
)

// Store is a folder of models. An entry is the folder <Dir>/<digest>; it appears whole, by a rename, and never changes. It
// is safe for concurrent use, also by several processes.
type Store struct{ Dir string }

// modelFile is one file of a model folder.
type modelFile struct {
	name string // relative, with forward slashes
	size int64
}

// maxModelFiles bounds a folder that is named by mistake (a home directory, say).
const maxModelFiles = 10_000

// listModel gives the files below a model folder, sorted by name.
func listModel(dir string) ([]modelFile, error) {
	var files []modelFile
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(p) // a link counts as what it points to
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		if len(files) == maxModelFiles {
			return fmt.Errorf("more than %d files; name the folder that holds saved_model.pb", maxModelFiles)
		}
		files = append(files, modelFile{filepath.ToSlash(rel), info.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("model folder %s: %w", dir, err)
	}
	sort.Slice(files, func(i, j int) bool { return files[i].name < files[j].name })
	return files, nil
}

// Digest names a model folder by the names, sizes and contents of its files.
func Digest(ctx context.Context, dir string) (string, error) {
	files, err := listModel(dir)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%d %s\n", f.size, f.name)
		if err := hashFile(ctx, h, filepath.Join(dir, filepath.FromSlash(f.name)), f.size); err != nil {
			return "", err
		}
	}
	return "sha256-" + hex.EncodeToString(h.Sum(nil)), nil
}

func hashFile(ctx context.Context, h hash.Hash, name string, size int64) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(h, &ctxReader{ctx, f})
	if err == nil && n != size {
		err = fmt.Errorf("%s changed while it was read", name)
	}
	return err
}

// ctxReader stops a long read when the context is done.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// entry is the folder of a digest.
func (s Store) entry(digest string) string { return filepath.Join(s.Dir, path.Base(digest)) }

// Put copies a model folder in and returns its entry. want is the folder's digest as computed before: a folder that
// changed since is refused.
func (s Store) Put(ctx context.Context, dir, want string) (string, error) {
	entry := s.entry(want)
	damaged := false
	if _, err := os.Stat(entry); err == nil {
		got, err := Digest(ctx, entry)
		if err == nil && got == want {
			return entry, nil
		}
		if ctx.Err() != nil { // nothing is known of the entry, and models may be using it
			return "", ctx.Err()
		}
		damaged = true
	}
	tmp, err := s.begin()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	files, err := listModel(dir)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		if err := copyFile(ctx, filepath.Join(tmp, filepath.FromSlash(f.name)), filepath.Join(dir, filepath.FromSlash(f.name))); err != nil {
			return "", fmt.Errorf("model store: %w", err)
		}
	}
	got, err := Digest(ctx, tmp)
	if err != nil {
		return "", fmt.Errorf("model store: %w", err)
	}
	if got != want {
		return "", fmt.Errorf("model folder %s changed while it was imported; create the model again", dir)
	}
	if damaged { // it goes only now that a good copy is at hand
		if err := os.Rename(entry, tmp+"-damaged"); err == nil {
			defer os.RemoveAll(tmp + "-damaged")
		}
	}
	if err := os.Rename(tmp, entry); err != nil {
		if _, statErr := os.Stat(entry); statErr == nil { // another process was first
			return entry, nil
		}
		return "", fmt.Errorf("model store: %w", err)
	}
	return entry, os.Chmod(entry, 0o755)
}

// unfinished begins the names of folders that are being filled, and abandoned is the age from which nobody fills them any more.
const (
	unfinished = ".import-"
	abandoned  = 24 * time.Hour
)

// begin makes a folder for files that are not whole yet.
func (s Store) begin() (string, error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return "", unwritable(err)
	}
	s.sweep(time.Now())
	dir, err := os.MkdirTemp(s.Dir, unfinished)
	if err != nil {
		return "", unwritable(err)
	}
	return dir, nil
}

// unwritable says what to do about a folder of the store that cannot be made.
func unwritable(err error) error {
	return fmt.Errorf("model store: %w; set [store] path in the configuration to a folder that can be written", err)
}

// sweep removes what processes that were killed have left. A failure only leaves it there.
func (s Store) sweep(now time.Time) {
	left, err := filepath.Glob(filepath.Join(s.Dir, unfinished+"*"))
	if err != nil { // the name of the store's folder is a pattern
		return
	}
	for _, dir := range left {
		if info, err := os.Lstat(dir); err == nil && now.Sub(info.ModTime()) > abandoned {
			_ = os.RemoveAll(dir)
		}
	}
}

func copyFile(ctx context.Context, to, from string) (err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, &ctxReader{ctx, in})
	return err
}

func damaged(format string, args ...any) error {
	return failure.As(failure.ErrModelFiles, fmt.Errorf(format, args...))
}

// digestForm is how Digest and LibraryDigest write what they find: a record of somebody else may say anything.
var digestForm = regexp.MustCompile(`^sha256-[0-9a-f]{64}$`)

// Open checks an entry against its digest and returns its folder.
func (s Store) Open(ctx context.Context, want string) (string, error) {
	if !digestForm.MatchString(want) {
		return "", damaged("its record names no files of the model store; create the model again with CREATE OR REPLACE MODEL")
	}
	entry := s.entry(want)
	if _, err := os.Stat(entry); err != nil {
		return "", damaged("its files are missing from the model store (%s); put the folder back or create the model again with CREATE OR "+
			"REPLACE MODEL", entry)
	}
	got, err := Digest(ctx, entry)
	if err != nil {
		return "", damaged("its files cannot be read from the model store: %w", err)
	}
	if got != want {
		return "", damaged("its files in the model store were changed (%s); create the model again with CREATE OR REPLACE MODEL", entry)
	}
	return entry, nil
}

// Bucket gives the store of objects that gs:// paths are read from.
type Bucket func(ctx context.Context) (objecttable.Store, error)

// Fetch gives the folder that a MODEL_PATH names, copying it from a bucket first: by generation, side by side, checksummed,
// and going on where an attempt before was cut off. progress is told how many bytes of how many have come. done removes the
// copy once the model is imported.
func (s Store) Fetch(ctx context.Context, path string, bucket Bucket,
	progress func(got, total int64)) (dir string, done func(), err error) {
	done = func() {}
	if !strings.HasPrefix(path, "gs://") {
		dir, err = modelDir(path)
		return dir, done, err
	}
	if !strings.HasSuffix(path, "*") {
		path = strings.TrimSuffix(path, "/") + "/*"
	}
	p, err := objecttable.ParsePattern(path)
	if err != nil {
		return "", done, fmt.Errorf("MODEL_PATH '%s': %w", path, err)
	}
	if p.Suffix != "" || p.Prefix != "" && !strings.HasSuffix(p.Prefix, "/") {
		return "", done, fmt.Errorf("MODEL_PATH '%s': name the folder that holds saved_model.pb, with /* behind it", path)
	}
	store, err := bucket(ctx)
	if err != nil {
		return "", done, fmt.Errorf("MODEL_PATH '%s': %w", path, err)
	}
	sum := sha256.Sum256([]byte(path))
	dir = filepath.Join(s.Dir, ".download-"+hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", done, unwritable(err)
	}
	files, err := objecttable.Download(ctx, store, p.Bucket, p.Prefix, dir, progress)
	progress(0, 0)
	if err != nil {
		return "", done, fmt.Errorf("MODEL_PATH '%s': %w", path, err)
	}
	if len(files) == 0 {
		return "", done, fmt.Errorf("MODEL_PATH '%s': there are no objects; give the folder that holds saved_model.pb", path)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// modelDir turns a MODEL_PATH into the folder it names: local paths and file:// URLs, with or without the trailing /*
// that BigQuery asks for.
func modelDir(p string) (string, error) {
	switch scheme, rest, ok := strings.Cut(p, "://"); {
	case ok && strings.EqualFold(scheme, "file"):
		p = rest
	case ok:
		return "", fmt.Errorf("MODEL_PATH '%s': %s:// is not supported; give a local folder", p, scheme)
	}
	dir := strings.TrimSuffix(p, "*")
	if strings.Contains(dir, "*") {
		return "", fmt.Errorf("MODEL_PATH '%s': one * may stand at the end, and nowhere else", p)
	}
	if dir == "" && p == "" {
		return "", errors.New("MODEL_PATH is empty; give the folder that holds saved_model.pb")
	}
	dir = filepath.Clean(filepath.FromSlash(dir))
	info, err := os.Stat(dir)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("MODEL_PATH '%s': no such folder (%s)", p, absolute(dir))
		}
		return "", fmt.Errorf("MODEL_PATH '%s': %w", p, err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("MODEL_PATH '%s' is a file; give the folder that holds saved_model.pb", p)
	}
	return dir, nil
}

// absolute shows a relative path in full, so that a message says where was looked.
func absolute(p string) string {
	if a, err := filepath.Abs(p); err == nil {
		return a
	}
	return p
}
