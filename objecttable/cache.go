package objecttable

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// cache keeps the listings of tables that allow stale metadata. AUTOMATIC tables fill it by themselves; MANUAL ones are
// filled by Refresh only and list afresh while what is kept is missing or too old, as in BigQuery.
type cache struct {
	mu     sync.Mutex
	now    func() time.Time
	m      map[string]*kept
	forgot int64 // how often something was forgotten
}

type kept struct {
	spec    string // what was listed: another description under the same name is another table
	at      time.Time
	until   time.Time
	objects []Object
}

// maxKept is how many objects of a table are kept: each takes some 300 bytes.
const maxKept = 1_000_000

// beginning is when a listing began that may be kept.
type beginning struct {
	at     time.Time
	forgot int64
}

// begin notes when a listing begins: what is forgotten meanwhile, or listed later by another, is not kept.
func (c *cache) begin() beginning {
	c.mu.Lock()
	defer c.mu.Unlock()
	return beginning{c.now(), c.forgot}
}

func (c *cache) get(s *Spec) ([]Object, bool) {
	if s.Name == "" || s.MaxStaleness == 0 {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.m[s.Name]
	if k == nil || k.spec != s.listed() || c.now().Sub(k.at) > s.staleness() {
		return nil, false
	}
	return k.objects, true
}

func (c *cache) put(s *Spec, b beginning, objects []Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, k := range c.m { // also of tables that went with their schema
		if c.now().After(k.until) {
			delete(c.m, name)
		}
	}
	if old := c.m[s.Name]; c.forgot != b.forgot || old != nil && old.spec == s.listed() && old.at.After(b.at) {
		return
	}
	if c.m == nil {
		c.m = map[string]*kept{}
	}
	c.m[s.Name] = &kept{s.listed(), b.at, b.at.Add(s.staleness()), objects}
}

func (s *Spec) staleness() time.Duration { return time.Duration(s.MaxStaleness) * time.Second }

// listed is the part of a spec that decides what is listed.
func (s *Spec) listed() string {
	return Spec{Table: Table{URIs: s.URIs, Authorizer: s.Authorizer}}.String()
}

// Refresh lists a table anew for its cache: CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE. A table that caches nothing is an
// error. It may be called while the table is scanned.
func (r *Runtime) Refresh(ctx context.Context, s Spec) error {
	if s.MaxStaleness == 0 {
		return errNoCache(s.Name)
	}
	b := r.cache.begin()
	var all []Object
	skip := func(string) error { return nil } // who queries without the cache is told
	err := s.list(ctx, r.host, nil, skip, func(p []Object) error {
		if all = append(all, p...); len(all) > maxKept {
			return fmt.Errorf("object table %s has more than %d objects, too many to keep: query it without refreshing", s.Name, maxKept)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.cache.put(&s, b, all)
	return nil
}

// Forget drops the cached metadata of a table: DROP EXTERNAL TABLE.
func (r *Runtime) Forget(name string) {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	r.cache.forgot++
	delete(r.cache.m, name)
}
