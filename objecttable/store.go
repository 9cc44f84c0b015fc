package objecttable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// Object is an object's metadata. It is an alias of a plain type, so that stores need not import this package.
type Object = struct {
	URI         string
	Generation  int64
	ContentType string
	Size        int64
	MD5         string // base64, or empty
	Updated     time.Time
	Metadata    map[string]string
}

// Lister lists objects whose names begin with prefix and end with suffix, in the order of their names. fields are the
// columns wanted, nil is all. It ends with page's first error; page may keep its argument.
type Lister interface {
	List(ctx context.Context, bucket, prefix, suffix string, fields []string, page func([]Object) error) error
}

// Reader opens one object; a generation of 0 is any. The size is that of the whole object, or -1. The end of the stream
// means that every byte came and came right.
type Reader interface {
	Open(ctx context.Context, bucket, name string, generation, offset int64) (body io.ReadCloser, size int64, err error)
	Stat(ctx context.Context, bucket, name string, generation int64) (Object, error)
}

// Store lists and reads the objects of one kind of URI. It is safe for concurrent use. Its errors may have a method
// Reason() string.
type Store interface {
	Lister
	Reader
}

// Folders is a Store that has folders apart from its objects. Folder's error says that one is not there; "" is the folder
// that all names are relative to.
type Folders interface{ Folder(name string) error }

// Unhashed is a Store with buckets whose listings have no MD5 since the objects would be read for it: folders. Unhashed says that one is.
type Unhashed interface{ Unhashed(bucket string) bool }

// Signer is a Store that makes addresses under which anybody may read (method GET) or replace (PUT) an object until they
// expire. It sends nothing.
type Signer interface {
	SignedURL(bucket, name, method string, expires time.Time) (string, error)
}

// Host is what the SQL functions need of the database they run in. It is safe for concurrent use.
type Host interface {
	// Store returns the store for URIs of a scheme ("gs", or "file" also for plain paths). authorizer names the connection
	// whose account is used, "" is the default. It is called for every object: return a ready one. Its error, as where no
	// files may be read, fails the statement.
	Store(ctx context.Context, scheme, authorizer string) (Store, error)
	// Query returns what serves the statement that runs on the connection of that id. It never returns nil.
	Query(conn uint64) *Query
}

// Query is what a running statement lends to the functions that serve it.
type Query struct {
	// Context ends when the statement is cancelled.
	Context context.Context
	// Strict makes a row that fails fail the statement; otherwise its value is NULL.
	Strict bool
	// Note is told of every row that became NULL. May be nil. It is called by several goroutines.
	Note func(uri string, err error)
	// Skip is told of every object that a listing leaves out, since its name is not UTF-8; where Strict is set it fails the
	// statement instead. May be nil. It is called by several goroutines.
	Skip func(uri string)
	// Fail notes the typed error, since only its text crosses DuckDB. May be nil.
	Fail func(error)
	// BindsBytes is told when the statement binds object_bytes; an error ends the binding. May be nil. Memory is bounded behind
	// filters and joins, too, when such a statement runs with enable_caching_operators = false.
	BindsBytes func() error
	// Objects counts the objects read. May be nil.
	Objects *atomic.Int64
}

// statementError is what every row would fail with: a mistake in the statement, a connection that is not there.
type statementError struct{ error }

// Unwrap returns the error itself.
func (e statementError) Unwrap() error { return e.error }

// row decides what a failed row does: nil makes it NULL.
func (q *Query) row(uri string, err error) error {
	var all statementError
	switch {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err // the rows beside it, when one has failed the statement: that one is noted
	case q.Strict || errors.As(err, &all):
		return q.failed(err)
	}
	if q.Note != nil {
		q.Note(uri, err)
	}
	return nil
}

// skip decides about an object whose name is not UTF-8: nil leaves it out.
func (q *Query) skip(uri string) error {
	if q.Strict {
		return fmt.Errorf("object table: the name %q is not UTF-8, as a STRING must be; rename the file", uri)
	}
	if q.Skip != nil {
		q.Skip(uri)
	}
	return nil
}

func (q *Query) failed(err error) error {
	if q.Fail != nil {
		q.Fail(err)
	}
	return err
}

// Reason is the short reason of a store's error, as "not found", or "failed".
func Reason(err error) string {
	var r interface{ Reason() string }
	if errors.As(err, &r) {
		return r.Reason()
	}
	return "failed"
}

// errUnknownScheme says what may stand before ://.
func errUnknownScheme(scheme, uri string) error {
	return fmt.Errorf("%s: objects of %s:// cannot be read; use gs://bucket/object, file:///path or a plain path", uri, scheme)
}
