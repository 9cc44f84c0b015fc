package localfs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mallardml/mallard/connectors/internal/objectfault"
)

// Bucket is a folder that is read and written as a bucket of Cloud Storage: its files are objects gs://NAME/path/in/the/folder. Nothing
// outside of the folder is reached by any name, nor over a link. A bucket has the objects of the folder as they are when they are asked
// for. It is safe for concurrent use.
type Bucket struct{ FS }

// OpenBucket opens a folder as a bucket. Close ends it.
func OpenBucket(name, folder string) (*Bucket, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w; name a folder that is there", name, err)
	}
	return &Bucket{FS{root: root, bucket: name}}, nil
}

// Name is the bucket's.
func (b *Bucket) Name() string { return b.bucket }

// Close ends the bucket. What was opened stays open.
func (b *Bucket) Close() error { return b.root.Close() }

// Path is an object's file, which need not be there yet. A name that is no path below a folder, such as a/../b, has none.
func (b *Bucket) Path(name string) (string, error) {
	if err := b.valid(name); err != nil {
		return "", err
	}
	return filepath.Join(b.root.Name(), filepath.FromSlash(name)), nil
}

func (b *Bucket) valid(name string) error {
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\x00\\") {
		return &Error{URI: b.uri(name), Why: Forbidden, Hint: "a folder has no such object: write a path without empty parts, . and .."}
	}
	if strings.HasPrefix(path.Base(name), unfinished) {
		return &Error{URI: b.uri(name), Why: Forbidden, Hint: "names of files that begin with " + unfinished +
			" are those of unfinished uploads"}
	}
	return nil
}

// unfinished begins the names of files that are being written.
const unfinished = ".mallard-upload-"

// Upload is an object on its way into a bucket: nobody sees it before Commit. It is not safe for concurrent use.
type Upload struct {
	*os.File
	b          *Bucket
	temp, name string
}

// Create begins an object. The folders above it are made.
func (b *Bucket) Create(name string) (*Upload, error) {
	if err := b.valid(name); err != nil {
		return nil, err
	}
	if dir := path.Dir(name); dir != "." {
		if err := b.root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
			return nil, b.fault(name, err)
		}
	}
	temp := filepath.FromSlash(path.Join(path.Dir(name), unfinished+rand.Text()))
	f, err := b.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return nil, b.fault(name, err)
	}
	return &Upload{f, b, temp, name}, nil
}

// Commit puts the object in its place, instead of one of the same name, and gives its description.
func (u *Upload) Commit(ctx context.Context) (Object, error) {
	err := u.Close()
	if err == nil {
		err = u.b.root.Rename(u.temp, filepath.FromSlash(u.name))
	}
	if err != nil {
		return Object{}, errors.Join(u.b.fault(u.name, err), u.b.root.Remove(u.temp))
	}
	return u.b.Stat(ctx, "", u.name, 0)
}

// Abort forgets the object.
func (u *Upload) Abort() error { return errors.Join(u.Close(), u.b.root.Remove(u.temp)) }

// File opens the file of an object, which must be of that generation.
func (b *Bucket) File(name string, generation int64) (*os.File, error) {
	f, err := b.open(name)
	if err != nil {
		return nil, b.fault(name, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = b.regular(name, info, generation)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Remove removes an object. A generation that is not 0 must be the object's.
func (b *Bucket) Remove(ctx context.Context, name string, generation int64) error {
	if err := b.valid(name); err != nil {
		return err
	}
	if _, err := b.Stat(ctx, "", name, generation); err != nil {
		return err
	}
	if err := b.root.Remove(filepath.FromSlash(name)); err != nil {
		return b.fault(name, err)
	}
	return nil
}

// Buckets are the buckets of some folders, opened when they are first asked for. It is safe for concurrent use.
type Buckets struct {
	folders map[string]string

	mu   sync.Mutex
	open map[string]*Bucket
}

// NewBuckets takes folders by the names of their buckets. Close ends it.
func NewBuckets(folders map[string]string) *Buckets {
	return &Buckets{folders: maps.Clone(folders), open: map[string]*Bucket{}}
}

// Names are the names of the buckets, in order.
func (bs *Buckets) Names() []string { return slices.Sorted(maps.Keys(bs.folders)) }

// Has says whether a bucket is one of them.
func (bs *Buckets) Has(name string) bool {
	_, ok := bs.folders[name]
	return ok
}

// Bucket gives a bucket, which Close closes.
func (bs *Buckets) Bucket(name string) (*Bucket, error) {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b, ok := bs.open[name]; ok {
		return b, nil
	}
	folder, ok := bs.folders[name]
	if !ok {
		return nil, &Error{URI: "gs://" + name, Why: NotFound, Hint: "no folder is this bucket"}
	}
	b, err := OpenBucket(name, folder)
	if err == nil {
		bs.open[name] = b
	}
	return b, err
}

// Close closes the buckets.
func (bs *Buckets) Close() error {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	var errs []error
	for _, b := range bs.open {
		errs = append(errs, b.Close())
	}
	clear(bs.open)
	return errors.Join(errs...)
}

// Glob gives the files of gs://BUCKET/name, where one * stands for any characters, slashes too. That there is none is an error.
func (bs *Buckets) Glob(ctx context.Context, uri string) ([]string, error) {
	b, name, err := bs.split(uri)
	if err != nil {
		return nil, err
	}
	prefix, suffix, pattern := strings.Cut(name, "*")
	if !pattern {
		if _, err := b.Stat(ctx, "", name, 0); err != nil {
			return nil, err
		}
		file, err := b.Path(name)
		return []string{file}, err
	}
	if strings.Contains(suffix, "*") {
		return nil, &Error{URI: uri, Why: objectfault.Other, Hint: "one * is allowed"}
	}
	var files []string
	err = b.List(ctx, "", prefix, suffix, []string{"uri"}, func(page []Object) error {
		for _, o := range page {
			files = append(files, filepath.Join(b.root.Name(), filepath.FromSlash(strings.TrimPrefix(o.URI, b.uri("")))))
		}
		return nil
	})
	if err == nil && len(files) == 0 {
		err = &Error{URI: uri, Why: NotFound, Hint: "no object of the bucket has such a name"}
	}
	return files, err
}

// Create begins an object gs://BUCKET/name.
func (bs *Buckets) Create(uri string) (*Upload, error) {
	b, name, err := bs.split(uri)
	if err != nil {
		return nil, err
	}
	return b.Create(name)
}

func (bs *Buckets) split(uri string) (*Bucket, string, error) {
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, name, object := strings.Cut(rest, "/")
	if !ok || !object || name == "" {
		return nil, "", &Error{URI: uri, Why: objectfault.Other, Hint: "write gs://bucket/object"}
	}
	b, err := bs.Bucket(bucket)
	return b, name, err
}
