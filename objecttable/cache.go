package objecttable

import (
	"context"
	"sync"
	"time"
)

// cache keeps the listings of tables that allow stale metadata. AUTOMATIC tables fill it by themselves; MANUAL ones are
// filled by Refresh only and list afresh while what is kept is missing or too old, as in BigQuery.
type cache struct {
	mu  sync.Mutex
	now func() time.Time
	m   map[string]*kept
}

type kept struct {
	spec    string // what was listed: another description under the same name is another table
	at      time.Time
	objects []Object
}

func (c *cache) get(s *Spec) ([]Object, bool) {
	if s.Name == "" || s.MaxStaleness == 0 {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.m[s.Name]
	if k == nil || k.spec != s.listed() || c.now().Sub(k.at) > time.Duration(s.MaxStaleness)*time.Second {
		return nil, false
	}
	return k.objects, true
}

func (c *cache) put(s *Spec, at time.Time, objects []Object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]*kept{}
	}
	c.m[s.Name] = &kept{s.listed(), at, objects}
}

// listed is the part of a spec that decides what is listed.
func (s *Spec) listed() string {
	return Spec{Table: Table{URIs: s.URIs, Authorizer: s.Authorizer}}.String()
}

// Refresh lists a table anew for its cache: CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE. A table that caches nothing is an
// error.
func (r *Runtime) Refresh(ctx context.Context, s Spec) error {
	if s.MaxStaleness == 0 {
		return errNoCache(s.Name)
	}
	at := r.cache.now()
	var all []Object
	if err := s.list(ctx, r.host, nil, func(p []Object) error { all = append(all, p...); return nil }); err != nil {
		return err
	}
	r.cache.put(&s, at, all)
	return nil
}

// Forget drops the cached metadata of a table: DROP EXTERNAL TABLE.
func (r *Runtime) Forget(name string) {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	delete(r.cache.m, name)
}
