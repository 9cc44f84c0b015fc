package googlesql

import "sync"

// cache keeps what was made of texts, up to a number of them.
type cache[T any] struct {
	mu   sync.RWMutex
	most int
	kept map[string]T
}

func newCache[T any](most int) *cache[T] { return &cache[T]{most: most, kept: map[string]T{}} }

// get gives what was made of a text before, or makes it. Errors are not kept.
func (c *cache[T]) get(s string, make func() (T, error)) (T, error) {
	c.mu.RLock()
	v, ok := c.kept[s]
	c.mu.RUnlock()
	if ok {
		return v, nil
	}
	v, err := make()
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= c.most {
		clear(c.kept)
	}
	c.kept[string(append([]byte(nil), s...))] = v // the text may lie in a vector
	return v, nil
}
