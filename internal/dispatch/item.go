package dispatch

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"
)

// state is where a row's question stands. The transitions that there are stand in [transitions] and nowhere else; doc.go
// says what each means.
type state uint8

const (
	idle    state = iota // nobody wants it yet
	looking              // being looked up in the cache before anybody wants it
	missed               // looked up so, and not in the cache
	asked                // wanted, or read ahead: in the queue, or on its way
	known                // has its verdict
	gone                 // the verdict was given to all that wanted it, and dropped
)

var stateNames = [...]string{"idle", "looking", "missed", "asked", "known", "gone"}

func (s state) String() string { return stateNames[s] }

// transitions are the states that may follow each.
var transitions = [...][]state{
	idle:    {looking, asked, known}, // known at once: a row that cannot be asked
	looking: {missed, asked, known},  // awaited meanwhile; in the cache
	missed:  {asked},
	asked:   {known},
	known:   {gone},
	gone:    {asked}, // awaited again
}

// item is a row's question, shared by equal rows. Group.mu guards it, but for what its comments say.
type item struct {
	payload string
	tokens  int
	objects bool     // the request is written from objects
	request *Request // where it is not the payload; nil until the objects are read

	// sum identifies the question. It is computed once, by whoever moved the item out of idle, and nobody else reads it before
	// the item is asked.
	sum   [sha256.Size]byte
	keyed bool

	held    int64 // of the loader's memory, for the request
	kept    bool  // counts among what the group remembers
	state   state
	early   bool  // was read ahead and is not awaited yet
	wanted  bool  // by a row at least
	rows    int32 // that have not been answered yet
	pending int32 // awaits that have not read the verdict yet
	verdict *Verdict
	waiters []*waiter
}

// to moves the item to another state. A transition that is not in the table is a fault of ours: it ends the query, since the
// row might be asked twice, or wait for ever.
func (it *item) to(next state) {
	for _, s := range transitions[it.state] {
		if s == next {
			it.state = next
			return
		}
	}
	panic(fmt.Sprintf("a row that is %s became %s", it.state, next))
}

// unread reports whether objects must be read before the item can be sent.
func (it *item) unread() bool { return it.objects && it.request == nil }

// body is the request; an unread item has none.
func (it *item) body() string {
	if it.request != nil {
		return it.request.Body
	}
	return it.payload
}

// keeps reports whether the answer can be told again by its question.
func (it *item) keeps() bool {
	return it.request == nil && !it.objects || it.request != nil && it.request.Unversioned == ""
}

// key identifies the question; see sum for who may call it. The item must have its request.
func (it *item) key(c *Call) Key {
	if !it.keyed {
		versions := ""
		if it.request != nil {
			versions = it.request.Versions
		}
		it.sum, it.keyed = c.sum(it.body(), versions), true
	}
	return Key{Model: c.Model, Endpoint: c.Endpoint, Sum: it.sum}
}

// settle gives the item its verdict and wakes who waits for it. It returns the memory that the request held.
func (it *item) settle(v *Verdict) (held int64) {
	it.to(known)
	it.verdict = v
	held, it.held = it.held, 0
	if it.objects && !v.void { // should it be awaited again, it is read again; when the query failed, it may be being looked up
		it.request, it.keyed = nil, false
	}
	for _, w := range it.waiters {
		if w.left--; w.left == 0 {
			close(w.done)
		}
	}
	it.waiters = nil
	return held
}

// drop forgets the verdict, which is DuckDB's now. Should the item be awaited again, it is asked again.
func (it *item) drop() {
	it.to(gone)
	it.verdict, it.wanted = nil, false
}

// size is about what an item and its answer take.
func (it *item) size() int {
	n := 256 + len(it.payload)
	if it.verdict == nil {
		return n
	}
	for _, line := range it.verdict.Lines {
		for _, v := range line {
			switch v := v.(type) {
			case string:
				n += len(v)
			case []float64:
				n += 8 * len(v)
			case []any:
				n += 64 * len(v)
			}
			n += 16
		}
	}
	return n
}

// waiter waits for several items.
type waiter struct {
	left int
	done chan struct{}
}

// estimate guesses the tokens of a text: four ASCII characters, or one other, to a token. Where it is too low, the
// provider refuses the request and the batch is halved.
func estimate(s string) int {
	n := utf8.RuneCountInString(s)
	other := (len(s) - n) / 2 // characters beyond ASCII have two to four bytes
	return (n-min(other, n))/4 + other + 1
}
