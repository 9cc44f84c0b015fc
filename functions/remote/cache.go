package remote

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
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

// key is the identity of one row's question. versions are those of objects that the payload names only.
func (s *Spec) key(payload, versions string) Key {
	b := make([]byte, 0, 64+len(payload)+len(versions))
	b = appendPart(append(b, s.identity[:]...), payload)
	if versions != "" {
		b = appendPart(b, versions)
	}
	return Key{Model: s.Model, Endpoint: s.Endpoint, Sum: sha256.Sum256(b)}
}

// identify sums up what the questions of all rows have in common.
func (s *Spec) identify() {
	var b []byte
	for _, part := range []string{s.Endpoint, s.Connection.o.Origin, s.method, string(s.parameters)} {
		b = appendPart(b, part)
	}
	s.identity = sha256.Sum256(b)
}

func appendPart(b []byte, part string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(part))), part...)
}
