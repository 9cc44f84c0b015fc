package objecttable

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/udf"
)

// Table is an object table, in the form that is kept in a catalog. NewTable makes one from a statement.
type Table struct {
	URIs           []string    `json:"uris"`
	ObjectMetadata string      `json:"object_metadata,omitempty"`
	MaxStaleness   int64       `json:"max_staleness,omitempty"` // seconds; 0 keeps no metadata
	CacheMode      string      `json:"metadata_cache_mode,omitempty"`
	Authorizer     string      `json:"authorizer,omitempty"` // the connection that reads the objects
	Description    string      `json:"description,omitempty"`
	FriendlyName   string      `json:"friendly_name,omitempty"`
	Labels         [][2]string `json:"labels,omitempty"`
	Expires        string      `json:"expiration_timestamp,omitempty"`
}

// Spec is the argument of mallard_objects.
type Spec struct {
	Table
	// Name tells the cached metadata of tables apart; without it nothing is cached.
	Name string `json:"name,omitempty"`
}

// String is the spec as JSON.
func (s Spec) String() string {
	b, err := json.Marshal(s)
	if err != nil {
		return "" // texts and numbers always marshal
	}
	return string(b)
}

// SQL is the FROM clause's item for a table: system.main.mallard_objects('…').
func (s Spec) SQL() string { return "system.main.mallard_objects(" + quote.Text(s.String()) + ")" }

// named puts the table's name before an error of its listing; a cancelled statement needs none.
func (s Spec) named(err error) error {
	if s.Name == "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("object table %s: %w", strings.ReplaceAll(s.Name, `"`, ""), err)
}

// ParseSpec reads a spec: its JSON, a JSON list of URIs, or one URI, bare or as a JSON text.
func ParseSpec(text string) (Spec, error) {
	var s Spec
	var err error
	switch t := strings.TrimSpace(text); {
	case !utf8.ValidString(t):
		err = udf.ErrUTF8
	case strings.HasPrefix(t, "{"):
		d := json.NewDecoder(bytes.NewReader([]byte(t)))
		d.DisallowUnknownFields()
		err = d.Decode(&s)
		if err == nil {
			if _, more := d.Token(); !errors.Is(more, io.EOF) {
				err = errors.New("there is more behind it")
			}
		}
	case strings.HasPrefix(t, "["):
		err = json.Unmarshal([]byte(t), &s.URIs)
	default:
		if json.Unmarshal([]byte(t), &t) != nil { // a JSON text is what object_table('…') makes of one URI
			t = strings.TrimSpace(text)
		}
		s.URIs = []string{t}
	}
	if err != nil {
		return s, fmt.Errorf("object table: its description is not right: %w; give a URI, a JSON list of URIs, or what CREATE EXTERNAL TABLE "+
			"makes", err)
	}
	if len(s.URIs) == 0 {
		return s, errors.New("object table: it has no URIs; write ['gs://bucket/folder/*']")
	}
	return s, nil
}

// columnNames are the names of an object table's columns, in order.
var columnNames = []string{"uri", "generation", "content_type", "size", "md5_hash", "updated", "metadata", "ref"}

// patterns reads the table's URIs.
func (t *Table) patterns() ([]pattern, error) {
	ps := make([]pattern, len(t.URIs))
	for i, u := range t.URIs {
		var err error
		if ps[i], err = ParsePattern(u); err != nil {
			return nil, fmt.Errorf("object table: %w", err)
		}
	}
	return ps, nil
}

// MissingError says that nothing is where a table's URI points.
type MissingError struct {
	Index int // of the URI
	err   error
}

// Error is the text for people.
func (e *MissingError) Error() string { return e.err.Error() }

// Unwrap gives the store's error.
func (e *MissingError) Unwrap() error { return e.err }

// errFound ends a listing that was only to show that there is something.
var errFound = errors.New("found")

// Missing looks, with one request for each URI, whether its bucket, its folder or its object is there, and gives a
// *MissingError when one is not. What keeps it from looking is no error here: a query will tell.
func (t *Table) Missing(ctx context.Context, host Host) error {
	ps, err := t.patterns()
	if err != nil {
		return err
	}
	for i, p := range ps {
		store, err := host.Store(ctx, p.Scheme, t.Authorizer)
		if err != nil {
			continue
		}
		if err := p.missing(ctx, store); err != nil && Reason(err) == "not found" {
			return &MissingError{i, err}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// missing gives the store's error when the object, or the folder, is not there.
func (p pattern) missing(ctx context.Context, store Store) error {
	if !p.Wild {
		_, err := store.Stat(ctx, p.Bucket, p.Prefix, 0)
		return err
	}
	folder := p.Prefix[:strings.LastIndexByte(p.Prefix, '/')+1]
	if f, ok := store.(Folders); ok {
		return f.Folder(folder)
	}
	err := store.List(ctx, p.Bucket, folder, "", []string{"uri"}, func([]Object) error { return errFound })
	if err == nil && folder != "" {
		return &noFolder{p.Scheme + "://" + p.Bucket + "/" + folder}
	}
	return err
}

// noFolder is a folder of a bucket without any object.
type noFolder struct{ uri string }

// Error is the text for people.
func (e *noFolder) Error() string {
	return e.uri + ": not found; no object of the bucket has a name that begins so: check the path"
}

// Reason is short for a status.
func (*noFolder) Reason() string { return "not found" }

// list calls page with the table's objects, each once also when several URIs have it. Folder markers, whose names end in
// a slash, are left out. A URI without * must exist. skip is asked about an object whose name is not UTF-8, as a file's
// may be: it is left out, or the listing ends with skip's error.
func (t *Table) list(ctx context.Context, host Host, fields []string, skip func(uri string) error, page func([]Object) error) error {
	ps, err := t.patterns()
	if err != nil {
		return err
	}
	for i, p := range ps {
		store, err := host.Store(ctx, p.Scheme, t.Authorizer)
		if err != nil {
			return err
		}
		keep := func(o Object) bool {
			if strings.HasSuffix(o.URI, "/") {
				return false
			}
			if i == 0 {
				return true
			}
			scheme, bucket, name, err := SplitURI(o.URI)
			return err != nil || !slices.ContainsFunc(ps[:i], func(q pattern) bool { return q.Match(scheme, bucket, name) })
		}
		if !p.Wild {
			o, err := store.Stat(ctx, p.Bucket, p.Prefix, 0)
			if err != nil {
				return err
			}
			if keep(o) {
				if err := page([]Object{o}); err != nil {
					return err
				}
			}
			continue
		}
		err = store.List(ctx, p.Bucket, p.Prefix, p.Suffix, fields, func(objects []Object) error {
			kept := objects[:0]
			for _, o := range objects {
				if !utf8.ValidString(o.URI) {
					if err := skip(o.URI); err != nil {
						return err
					}
				} else if keep(o) {
					kept = append(kept, o)
				}
			}
			if len(kept) == 0 {
				return nil
			}
			return page(kept)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
