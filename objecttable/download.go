package objecttable

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/udf"
)

// Download copies the objects below prefix (a folder: it ends in a slash, or is empty) into dir, under their names
// without the prefix: the import of a model by MODEL_PATH = 'gs://bucket/prefix*'.
//
// Objects are read side by side, each by the generation that the listing gave, and compared with their size and MD5. A
// file that is there already and is right is kept, one that was cut off is continued: after an error call it again with
// the same dir. progress may be nil; it is told of the bytes there and in all, by several goroutines. It returns what it
// copied, in the order of the names.
//
// Names that would leave dir, that are no file names here, or that meet in one file are refused before anything is read.
func Download(ctx context.Context, store Store, bucket, prefix, dir string, progress func(done, total int64)) ([]Object, error) {
	var objects []Object
	var total int64
	names := map[string]string{}
	err := store.List(ctx, bucket, prefix, "", nil, func(page []Object) error {
		for _, o := range page {
			_, _, name, err := SplitURI(o.URI)
			if err != nil {
				return err
			}
			if strings.HasSuffix(name, "/") {
				continue // a folder's marker
			}
			local, err := localName(o.URI, strings.TrimPrefix(name, prefix))
			if err != nil {
				return err
			}
			if other, ok := names[strings.ToLower(local)]; ok {
				return fmt.Errorf("%s and %s cannot both be copied: their names differ in case only", other, o.URI)
			}
			names[strings.ToLower(local)] = o.URI
			objects = append(objects, o)
			total += o.Size
			if len(objects) > maxFiles {
				return fmt.Errorf("%s has more than %d objects: that is no model; name its own folder", bucket+"/"+prefix, maxFiles)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for local, uri := range names { // an object a and another a/b
		for p := path.Dir(local); p != "."; p = path.Dir(p) {
			if other, ok := names[p]; ok {
				return nil, fmt.Errorf("%s and %s cannot both be copied: one is the other's folder", other, uri)
			}
		}
	}
	var done atomic.Int64
	tell := func(n int64) {
		if now := done.Add(n); progress != nil {
			progress(now, total)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, o := range objects {
		g.Go(func() (err error) {
			defer udf.Rescue(&err)
			_, bucket, name, err := SplitURI(o.URI)
			if err != nil {
				return err
			}
			return copyObject(ctx, store, bucket, name, o, filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, prefix))), tell)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return objects, nil
}

const maxFiles = 100_000

// localName checks that a name stays inside a folder, also on systems with other rules.
func localName(uri, name string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("%s is refused: its name %s; rename the object", uri, why)
	}
	switch {
	case name == "":
		return bad("is that of the folder")
	case strings.HasPrefix(name, "/"), strings.Contains(name, `\`), strings.Contains(name, ":"):
		return bad(`holds a / at its start, a \ or a :`)
	case strings.ContainsFunc(name, unicode.IsControl):
		return bad("holds control characters")
	case strings.HasSuffix(name, partSuffix):
		return bad("ends in " + partSuffix + ", the name of unfinished copies")
	}
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." || part == ".." {
			return bad("would leave the folder or has an empty part")
		}
		if len(part) > 200 {
			return bad("has a part of more than 200 bytes")
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return bad("would leave the folder")
	}
	return name, nil
}

const partSuffix = ".mallard-part"

// copyObject makes file equal to the object. The unfinished copy's name holds the generation, so that parts of two
// versions are never joined.
func copyObject(ctx context.Context, store Store, bucket, name string, o Object, file string, tell func(int64)) error {
	if ok, err := equal(file, o); ok || err != nil {
		if ok {
			tell(o.Size)
		}
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("%s: no folder for its copy: %w", o.URI, err)
	}
	part := file + "." + strconv.FormatInt(o.Generation, 10) + partSuffix
	for attempt := 0; ; attempt++ {
		fresh, err := fetchPart(ctx, store, bucket, name, o, part, tell)
		if err == nil {
			break
		}
		// What an earlier run left may be spoiled, and so may what came now: once more from the start.
		var s spoiled
		if again := errors.As(err, &s) && (!fresh || attempt == 0); !again || attempt > 1 {
			return err
		}
		if err := os.Remove(part); err != nil {
			return fmt.Errorf("%s: its copy: %w", o.URI, err)
		}
	}
	if err := os.Rename(part, file); err != nil {
		return fmt.Errorf("%s: its copy: %w", o.URI, err)
	}
	return nil
}

type spoiled struct{ error }

// fetchPart reads what is missing and checks the whole. fresh says that nothing of an earlier run was used.
func fetchPart(ctx context.Context, store Store, bucket, name string, o Object, part string, tell func(int64)) (fresh bool, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return true, fmt.Errorf("%s: its copy: %w", o.URI, err)
	}
	var told int64
	defer func() {
		if e := f.Close(); err == nil && e != nil {
			err = fmt.Errorf("%s: its copy: %w", o.URI, e)
		}
		if err != nil {
			tell(-told)
		}
	}()
	add := func(n int64) { told += n; tell(n) }
	h := md5.New()
	have, err := io.Copy(h, f)
	if err != nil {
		return true, fmt.Errorf("%s: its copy: %w", o.URI, err)
	}
	fresh = have == 0
	if have > o.Size {
		return fresh, spoiled{fmt.Errorf("%s: its copy is too long", o.URI)}
	}
	add(have)
	if have < o.Size || o.Size == 0 {
		body, _, err := store.Open(ctx, bucket, name, o.Generation, have)
		if err != nil {
			return fresh, err
		}
		n, err := io.Copy(io.MultiWriter(f, h, counter(add)), body)
		_ = body.Close()
		have += n
		switch {
		case err != nil && Reason(err) == "corrupt":
			return fresh, spoiled{err}
		case err != nil:
			return fresh, err
		}
	}
	if have != o.Size {
		return fresh, spoiled{fmt.Errorf("%s: %s came, not %d", o.URI, amount.Of(have, "byte"), o.Size)}
	}
	if sum := base64.StdEncoding.EncodeToString(h.Sum(nil)); o.MD5 != "" && sum != o.MD5 {
		return fresh, spoiled{fmt.Errorf("%s: its MD5 is %s, not %s: it was spoiled on the way", o.URI, sum, o.MD5)}
	}
	return fresh, nil
}

type counter func(int64)

func (c counter) Write(p []byte) (int, error) {
	c(int64(len(p)))
	return len(p), nil
}

// equal says that a file has the object's size and MD5. Without an MD5 nothing is known of it.
func equal(file string, o Object) (bool, error) {
	info, err := os.Lstat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("%s: its copy: %w", o.URI, err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s: %s is there already and is no file", o.URI, file)
	case info.Size() != o.Size || o.MD5 == "":
		return false, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return false, fmt.Errorf("%s: its copy: %w", o.URI, err)
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return false, fmt.Errorf("%s: its copy: %w", o.URI, err)
	}
	want, err := base64.StdEncoding.DecodeString(o.MD5)
	return err == nil && slices.Equal(want, h.Sum(nil)), nil
}
