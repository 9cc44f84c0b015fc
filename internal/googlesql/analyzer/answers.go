package analyzer

import (
	"container/list"
	"crypto/sha256"
	"sync"
)

// maxAnswers bounds the answers that are kept, in bytes of the messages.
const maxAnswers = 16 << 20

type key [sha256.Size]byte

// answers keeps what the service said, until it is too much; what was not asked for longest goes first.
type answers struct {
	mu     sync.Mutex
	kept   map[key]*list.Element // of *answer
	recent list.List             // most recent first
	size   int
}

type answer struct {
	key   key
	value any
	size  int
}

func (a *answers) get(k key) (any, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.kept[k]
	if e == nil {
		return nil, false
	}
	a.recent.MoveToFront(e)
	return e.Value.(*answer).value, true
}

func (a *answers) put(k key, value any, size int) {
	size += 1 << 10 // of the entry itself
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept[k] != nil || size > maxAnswers/4 {
		return
	}
	if a.kept == nil {
		a.kept = map[key]*list.Element{}
	}
	a.kept[k] = a.recent.PushFront(&answer{k, value, size})
	for a.size += size; a.size > maxAnswers; {
		last := a.recent.Remove(a.recent.Back()).(*answer)
		delete(a.kept, last.key)
		a.size -= last.size
	}
}

// keyOf is the sum of parts, of which none can be taken for another.
func keyOf(parts ...[]byte) key {
	var sums []byte
	for _, p := range parts {
		s := sha256.Sum256(p)
		sums = append(sums, s[:]...)
	}
	return sha256.Sum256(sums)
}
