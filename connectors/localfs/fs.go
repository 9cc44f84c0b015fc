package localfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/mallardml/mallard/connectors/internal/objectfault"
)

// Object is what a listing says about a file. (It is an alias so that others may declare the same type.)
type Object = struct {
	URI         string
	Generation  int64
	ContentType string
	Size        int64
	MD5         string // "": the whole file would be read for it
	Updated     time.Time
	Metadata    map[string]string
}

// FS reads the file system of this machine. Buckets are empty strings. It is safe for concurrent use. That of a [Bucket] reads its folder
// only.
type FS struct {
	root   *os.Root // nil: the whole file system
	bucket string
}

// Reasons of an Error.
const (
	NotFound  = objectfault.NotFound
	Forbidden = objectfault.Forbidden
	Changed   = objectfault.Changed
)

// Error is a file that could not be listed or read.
type Error = objectfault.Fault

func (f FS) fault(name string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err // the name is in our text
	}
	e := &Error{URI: f.uri(name), Why: objectfault.Other, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Why, e.Err, e.Hint = NotFound, nil, "check the path"
	case errors.Is(err, fs.ErrPermission):
		e.Why, e.Err, e.Hint = Forbidden, nil, "check the file's permissions"
	}
	return e
}

// uri names a file as the user did: absolute paths with the scheme, relative ones bare.
func (f FS) uri(name string) string {
	if f.root != nil {
		return "gs://" + f.bucket + "/" + name
	}
	if strings.HasPrefix(name, "/") {
		return "file://" + name
	}
	return name
}

// generation tells versions of a file apart: its time of change in microseconds, and its size in the last three digits.
func generation(info fs.FileInfo) int64 {
	return info.ModTime().UnixMicro()*1000 + info.Size()%1000
}

// stat, open and readDir are those of package os, or of a bucket's folder, which no name and no link leaves.
func (f FS) stat(name string) (fs.FileInfo, error) {
	if f.root == nil {
		return os.Stat(filepath.FromSlash(name))
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist // no file of the folder has such a name
	}
	info, err := f.root.Stat(filepath.FromSlash(name))
	if err != nil {
		if link, linkErr := f.root.Lstat(filepath.FromSlash(name)); linkErr == nil && link.Mode().Type() == fs.ModeSymlink {
			return nil, fs.ErrNotExist // it leads out of the folder, or nowhere
		}
	}
	return info, err
}

func (f FS) open(name string) (*os.File, error) {
	if f.root == nil {
		return os.Open(filepath.FromSlash(name))
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	return f.root.Open(filepath.FromSlash(name))
}

func (f FS) readDir(dir string) (entries []fs.DirEntry, err error) {
	if f.root != nil {
		dir = strings.TrimSuffix(dir, "/")
	}
	if dir == "" {
		dir = "."
	}
	d, err := f.open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.ReadDir(-1)
}

const perPage = 256

// List calls page with the files whose names begin with prefix and end with suffix, in the order of their names, as a
// bucket has it: a/b comes after a-b. fields names the columns that are wanted; nil is all. content_type
// reads the head of files whose extension says nothing; hashes are left to who reads a file. It ends with the first error of page.
func (f FS) List(ctx context.Context, _, prefix, suffix string, fields []string, page func([]Object) error) error {
	w := &walk{fs: f, ctx: ctx, prefix: prefix, suffix: suffix, fields: fields, page: page}
	dir := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if err := w.dir(dir, true); err != nil {
		return err
	}
	if len(w.out) > 0 {
		return page(w.out)
	}
	return nil
}

type walk struct {
	fs             FS
	ctx            context.Context
	prefix, suffix string
	fields         []string
	page           func([]Object) error
	out            []Object
}

func (w *walk) dir(dir string, top bool) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := w.fs.readDir(dir)
	if err != nil {
		// Removed since its parent was read; a bucket has no folders: where none is, there is no object.
		if (!top || w.fs.root != nil) && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return w.fs.fault(dir, err)
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	sort.Slice(entries, func(i, j int) bool { return key(entries[i]) < key(entries[j]) })
	for _, e := range entries {
		name := dir + key(e)
		if e.IsDir() {
			if strings.HasPrefix(name, w.prefix) || strings.HasPrefix(w.prefix, name) {
				if err := w.dir(name, false); err != nil {
					return err
				}
			}
			continue
		}
		if !strings.HasPrefix(name, w.prefix) || !strings.HasSuffix(name, w.suffix) || len(name) < len(w.prefix)+len(w.suffix) {
			continue
		}
		if w.fs.root != nil && strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		if err := w.file(name); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) file(name string) error {
	info, err := w.fs.stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed since, or a link to nowhere
		return nil
	case err != nil:
		return w.fs.fault(name, err)
	case !info.Mode().IsRegular():
		return nil
	}
	o, err := w.fs.describe(name, info, w.fields)
	if err != nil {
		return err
	}
	if w.out = append(w.out, o); len(w.out) < perPage {
		return nil
	}
	out := w.out
	w.out = nil
	return w.page(out)
}

func (f FS) describe(name string, info fs.FileInfo, fields []string) (Object, error) {
	o := Object{URI: f.uri(name), Generation: generation(info), Size: info.Size(), Updated: info.ModTime()}
	if fields != nil && !slices.Contains(fields, "content_type") {
		return o, nil
	}
	if o.ContentType = typeOf(name); o.ContentType != "" {
		return o, nil
	}
	file, err := f.open(name)
	if err != nil {
		return o, f.fault(name, err)
	}
	defer file.Close()
	var head [512]byte
	n, err := io.ReadFull(file, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return o, f.fault(name, err)
	}
	o.ContentType, _, _ = strings.Cut(http.DetectContentType(head[:n]), ";")
	return o, nil
}

// types has the extensions that matter to models; package mime would ask the machine, which differs.
var types = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".bmp": "image/bmp", ".gif": "image/gif", ".webp": "image/webp",
	".tif": "image/tiff", ".tiff": "image/tiff", ".heic": "image/heic", ".heif": "image/heif", ".svg": "image/svg+xml",
	".mp4": "video/mp4", ".mov": "video/quicktime", ".mpeg": "video/mpeg", ".mpg": "video/mpeg", ".webm": "video/webm",
	".avi": "video/x-msvideo",
	".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".m4a": "audio/mp4",
	".pdf": "application/pdf", ".json": "application/json", ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html",
	".htm": "text/html",
	".csv": "text/csv", ".xml": "application/xml", ".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar",
	".parquet": "application/vnd.apache.parquet", ".pb": "application/octet-stream",
}

func typeOf(name string) string { return types[strings.ToLower(path.Ext(name))] }

// Stat describes one file. A generation that is not 0 must be the file's.
func (f FS) Stat(ctx context.Context, _, name string, gen int64) (Object, error) {
	info, err := f.stat(name)
	if err != nil {
		return Object{}, f.fault(name, err)
	}
	if err := f.regular(name, info, gen); err != nil {
		return Object{}, err
	}
	return f.describe(name, info, nil)
}

// Folder reports, as an error, that a folder is not there; its name ends in a slash or is empty.
func (f FS) Folder(name string) error {
	if name == "" {
		name = "."
	}
	info, err := f.stat(name)
	if err != nil {
		return f.fault(name, err)
	}
	if !info.IsDir() {
		return &Error{URI: f.uri(name), Why: NotFound, Hint: "it is a file and no folder"}
	}
	return nil
}

func (f FS) regular(name string, info fs.FileInfo, gen int64) error {
	switch {
	case !info.Mode().IsRegular():
		return &Error{URI: f.uri(name), Why: NotFound,
			Hint: "it is a folder or a device; files only are objects: write folder/* for those of a folder"}
	case gen != 0 && gen != generation(info):
		return &Error{URI: f.uri(name), Why: Changed, Hint: "the file was changed since it was listed: query again"}
	}
	return nil
}

// SignedURL gives the file's address, file:///…: who may read the file may use it, for as long as it is there.
func (f FS) SignedURL(_, name, _ string, _ time.Time) (string, error) {
	name = filepath.FromSlash(name)
	if f.root != nil {
		name = filepath.Join(f.root.Name(), name)
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", f.fault(name, err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}).String(), nil
}

// Open reads a file from an offset on and returns the size of the whole. A generation that is not 0 must be the file's
// and stay so until its end. Reading ends with the context, as a bucket's answer does.
func (f FS) Open(ctx context.Context, _, name string, gen, offset int64) (io.ReadCloser, int64, error) {
	// Looked at first: opening a pipe would wait for its writer.
	info, err := f.stat(name)
	if err != nil {
		return nil, 0, f.fault(name, err)
	}
	if err := f.regular(name, info, gen); err != nil {
		return nil, 0, err
	}
	file, err := f.open(name)
	if err != nil {
		return nil, 0, f.fault(name, err)
	}
	if info, err = file.Stat(); err == nil {
		err = f.regular(name, info, gen)
	}
	if err == nil && offset > 0 {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		var e *Error
		if errors.As(err, &e) {
			return nil, 0, err
		}
		return nil, 0, f.fault(name, err)
	}
	return &body{ctx, f, file, name, generation(info), info.Size() - offset}, info.Size(), nil
}

// body is a file being read: exactly the bytes it had when it was opened.
type body struct {
	ctx  context.Context
	fs   FS
	f    *os.File
	name string
	gen  int64
	left int64
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.f.Read(p)
	b.left -= int64(n)
	if err == nil && b.left >= 0 {
		return n, nil
	}
	if err != nil && err != io.EOF {
		return n, b.fs.fault(b.name, err)
	}
	info, statErr := b.f.Stat()
	if statErr != nil {
		return n, b.fs.fault(b.name, statErr)
	}
	if b.left != 0 || generation(info) != b.gen {
		return n, &Error{URI: b.fs.uri(b.name), Why: Changed, Hint: "the file was changed while it was read: query again"}
	}
	return n, io.EOF
}

func (b *body) Close() error {
	if err := b.f.Close(); err != nil {
		return fmt.Errorf("%s: %w", b.fs.uri(b.name), err)
	}
	return nil
}
