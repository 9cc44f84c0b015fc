package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
)

// Key identifies what was asked. Equal sums are equal questions; the other fields are for people who look at the cache.
type Key struct {
	Model    string // in SQL, of the statement that asked first
	Endpoint string
	Sum      [sha256.Size]byte // of endpoint, host, method, parameters, prompt and media
}

// Answer is what a model said to one row: the response, or the row's part of it.
type Answer struct {
	Body         json.RawMessage
	InputTokens  int64
	OutputTokens int64
}

// Entry is an answer to keep.
type Entry struct {
	Key    Key
	Answer Answer
}

// ErrReadOnly is what a [Cache] that can be looked at but not written returns from Put.
var ErrReadOnly = errors.New("the database is open for reading, so that new answers were not kept")

// Cache keeps answers over statements. It is safe for concurrent use. Its failures never fail a statement: the runtime
// goes on without reading, or without writing, and reports the error in [Progress].
type Cache interface {
	// Get looks up keys; the result has their order, with nil for what is missing.
	Get(ctx context.Context, keys []Key) ([]*Answer, error)
	// Put stores answers, as they arrive: those that came in while the last Put ran come together.
	Put(ctx context.Context, entries []Entry) error
}

// Verdict is the outcome of a row.
type Verdict struct {
	Lines  [][]any // results without the status; one line but for segments
	Status string  // "" for success
	cause  string  // of a failure, for counting
	cached bool
	held   bool // a line of a row that was awaited
	void   bool // the query fails: nobody is given it
}
