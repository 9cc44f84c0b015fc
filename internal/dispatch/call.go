package dispatch

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Call is one call of a function over a model: all that asking needs to know of it. It must not be changed once it is used.
type Call struct {
	Func, Model, Endpoint string // in SQL, for messages, usage and the cache
	Name                  string // of the model at its provider
	Connection            *Connection
	Codec                 Codec
	Limits                Limits
	Retry                 Retry
	Price                 Price
	Priced                bool              // the price is known
	Cache                 Cache             // nil where answers are neither looked up nor kept
	Identity              [sha256.Size]byte // of what the questions of all rows have in common
	// FirstTokens is what the output of a request is taken to have before the first answer has come.
	FirstTokens int64
	MaxTokens   int64 // bound of a request's output that the call states; 0 for none
}

// Codec turns rows into requests and answers into results: what the runtime does not know.
type Codec interface {
	// Connect gives what sends requests. It is called once by each call of a running statement, at the first request.
	Connect(ctx context.Context) (Ask, error)
	// Judge decides what an error of Ask means.
	Judge(err error) Fault
	// Read gives the results of an answer, a line per segment, without the status. A status says what is wrong with it.
	Read(body json.RawMessage) (lines [][]any, status string)
	// Missing is the results of a row without an answer.
	Missing() []any
	// Objects describes what a row with objects refers to.
	Objects(payload string) (Objects, error)
}

// Ask sends one request for some rows and gives as many answers. It gives up when the context ends, and does not retry.
type Ask func(ctx context.Context, requests []string) ([]Answer, error)

// Objects are what one row's request is written from.
type Objects interface {
	// Carried counts the objects whose bytes will be inside the request.
	Carried() int
	// Local reports whether all lie on this machine.
	Local() bool
	// Request reads the objects. A status says why nothing can be asked.
	Request(ctx context.Context) (r Request, status string)
}

// Request is what is asked for one row.
type Request struct {
	Body     string
	Versions string // of objects that the provider reads itself, as part of the question's identity
	// Unversioned names an object that the provider reads itself and whose version nobody knows: it may be another by the next
	// run, so that the answer is neither looked up nor kept. "" for none.
	Unversioned string
}

// Row is an input row.
type Row struct {
	Payload string   // the request, or what Codec.Objects reads; the same for rows that are the same
	Status  string   // why nothing can be asked; "" otherwise
	Objects bool     // the request is written from objects
	Request *Request // of such a row, where it was written without looking at any
}

// Fault is a failed request, judged.
type Fault struct {
	Reason     string // RESOURCE EXHAUSTED
	Detail     string
	Retryable  bool
	Throttled  bool
	Split      bool  // a smaller request may pass
	Large      bool  // it was refused for its size
	Fatal      error // no row can pass: what the query fails with
	RetryAfter time.Duration
	// Status is the text for rows that failed for good after some attempts.
	Status func(attempts int) string
}

// sum identifies one row's question. versions are those of objects that the request names only.
func (c *Call) sum(request, versions string) [sha256.Size]byte {
	b := make([]byte, 0, 64+len(request)+len(versions))
	b = appendPart(append(b, c.Identity[:]...), request)
	if versions != "" {
		b = appendPart(b, versions)
	}
	return sha256.Sum256(b)
}

// Identify sums up parts that together identify something: no other parts give the same sum.
func Identify(parts ...string) [sha256.Size]byte {
	var b []byte
	for _, part := range parts {
		b = appendPart(b, part)
	}
	return sha256.Sum256(b)
}

func appendPart(b []byte, part string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(part))), part...)
}

// usage is an empty count of the call's.
func (c *Call) usage() Usage {
	return Usage{Model: c.Model, Endpoint: c.Endpoint, Connection: c.Connection.o.Name, Priced: c.Priced}
}

// failure is the verdict of a row without an answer.
func (c *Call) failure(status, cause string) *Verdict {
	return &Verdict{Lines: [][]any{c.Codec.Missing()}, Status: status, cause: cause}
}
