package objecttable

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCache(t *testing.T) {
	db := openDB(t, Options{})
	m := &memStore{n: 3, size: 1}
	db.host.stores["gs"] = m
	now := time.Now()
	db.r.cache.now = func() time.Time { return now }
	count := func(s Spec, want string) { t.Helper(); db.want(want, "SELECT count(*) FROM "+s.SQL()) }
	auto := Spec{Name: "demo.auto", Table: Table{URIs: []string{"gs://bucket/*"}, MaxStaleness: 1800, CacheMode: "AUTOMATIC"}}
	manual := Spec{Name: "demo.manual", Table: Table{URIs: []string{"gs://bucket/*"}, MaxStaleness: 1800, CacheMode: "MANUAL"}}
	count(auto, "3")
	count(manual, "3")
	m.n = 5
	count(auto, "3")
	count(manual, "5")
	if err := db.r.Refresh(context.Background(), manual); err != nil {
		t.Fatal(err)
	}
	m.n = 7
	count(manual, "5")
	now = now.Add(31 * time.Minute)
	count(auto, "7")
	count(manual, "7")
	db.want("gs://bucket/000000|1", "SELECT uri, size FROM "+auto.SQL()+" LIMIT 1")
	m.n = 9
	db.r.Forget("demo.auto")
	count(auto, "9")
	if err := db.r.Refresh(context.Background(), Spec{Name: "demo.plain"}); err == nil || !strings.Contains(err.Error(), "demo.plain keeps no metadata") {
		t.Error(err)
	}
}

// A listing that began before something was forgotten, or before another that is kept already, is not kept.
func TestCacheOrder(t *testing.T) {
	now := time.Unix(0, 0)
	r := New(nil, Options{})
	c := &r.cache
	c.now = func() time.Time { return now }
	s := Spec{Name: "demo.t", Table: Table{URIs: []string{"gs://bucket/*"}, MaxStaleness: 1800, CacheMode: "MANUAL"}}
	size := func() int {
		objects, ok := c.get(&s)
		if !ok {
			return -1
		}
		return len(objects)
	}
	slow := c.begin()
	now = now.Add(time.Minute)
	c.put(&s, c.begin(), make([]Object, 2))
	c.put(&s, slow, make([]Object, 1))
	if size() != 2 {
		t.Error("the older listing is kept")
	}
	b := c.begin()
	r.Forget("demo.t")
	c.put(&s, b, make([]Object, 3))
	if size() != -1 {
		t.Error("kept what was forgotten")
	}
	c.put(&s, c.begin(), make([]Object, 4))
	other := s
	other.URIs = []string{"gs://bucket/x*"}
	if _, ok := c.get(&other); ok || size() != 4 {
		t.Error("another description under the same name is another table")
	}
	now = now.Add(30 * time.Minute)
	if size() != 4 {
		t.Error("too early")
	}
	now = now.Add(time.Second)
	if size() != -1 {
		t.Error("too late")
	}
	other.Name = "demo.u"
	c.put(&other, c.begin(), nil)
	if len(c.m) != 1 {
		t.Error("what is too old stays in memory")
	}
}

// Scans, refreshes and drops at once see whole listings only.
func TestCacheConcurrency(t *testing.T) {
	db := openDB(t, Options{})
	db.host.stores["gs"] = &memStore{n: 2500, size: 1}
	s := Spec{Name: "demo.t", Table: Table{URIs: []string{"gs://bucket/*"}, MaxStaleness: 1800, CacheMode: "AUTOMATIC"}}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for range 10 {
				switch i {
				case 0:
					if err := db.r.Refresh(context.Background(), s); err != nil {
						t.Error(err)
					}
				case 1:
					db.r.Forget(s.Name)
				default:
					db.want("2500|2500", "SELECT count(*), sum(size)::BIGINT FROM "+s.SQL())
				}
			}
		})
	}
	wg.Wait()
}
