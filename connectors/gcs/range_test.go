package gcs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// names lists a sorted slice as a server does, size names a page.
func names(all []string, size int, requests *atomic.Int64, wait time.Duration) func(context.Context, string, string) pager {
	return func(ctx context.Context, start, end string) pager {
		i, _ := slices.BinarySearch(all, start)
		return func() ([]Object, string, bool, error) {
			requests.Add(1)
			if wait > 0 {
				time.Sleep(wait)
			}
			var out []Object
			last := ""
			for ; i < len(all) && len(out) < size && (end == "" || all[i] < end); i++ {
				out = append(out, Object{URI: all[i]})
				last = all[i]
			}
			return out, last, i < len(all) && (end == "" || all[i] < end), nil
		}
	}
}

func flat(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("img/%06d.jpg", i)
	}
	return all
}

func TestEveryNameOnceInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]string, 5000)
	for i := range random {
		b := make([]byte, 1+r.IntN(6))
		for j := range b {
			b[j] = "ab/0~ "[r.IntN(6)]
		}
		random[i] = string(b) + []string{"", "ü", "日本", "\U0001F600"}[r.IntN(4)]
	}
	slices.Sort(random)
	random = slices.Compact(random)
	folders := make([]string, 0, 5000)
	for i := range 50 {
		for j := range 100 {
			folders = append(folders, fmt.Sprintf("img/%c%d/%03d", 'a'+i%26, i, j))
		}
	}
	slices.Sort(folders)
	for _, tt := range []struct {
		name   string
		give   []string
		prefix string
	}{
		{"nothing", nil, ""}, {"one page", flat(5), "img/"}, {"flat", flat(5000), "img/"}, {"random", random, ""}, {"folders", folders, "img/"},
	} {
		for _, limit := range []int{1, 2, 8} {
			t.Run(fmt.Sprint(tt.name, limit), func(t *testing.T) {
				var requests atomic.Int64
				l := &listing{limit: limit, prefix: tt.prefix, open: names(tt.give, 50, &requests, 0), name: func(o Object) string { return o.URI }}
				var got []string
				if err := l.run(context.Background(), func(p []Object) error {
					for _, o := range p {
						got = append(got, o.URI)
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, tt.give) {
					t.Errorf("%d names, want %d", len(got), len(tt.give))
				}
				if most := int64(3*len(tt.give)/50 + 20); requests.Load() > most {
					t.Errorf("%d requests, want at most %d", requests.Load(), most)
				}
			})
		}
	}
}

// A large listing is fetched by as many as may: the time that it would take is a page's times the rounds.
func TestLargeListingIsSplit(t *testing.T) {
	for _, limit := range []int{1, 8} {
		synctest.Test(t, func(t *testing.T) {
			var requests atomic.Int64
			const wait = 2 * time.Millisecond
			l := &listing{limit: limit, prefix: "img/", open: names(flat(20000), 100, &requests, wait), name: func(o Object) string { return o.URI }}
			start := time.Now()
			if err := l.run(t.Context(), func([]Object) error { return nil }); err != nil {
				t.Fatal(err)
			}
			rounds := time.Since(start) / wait
			if limit == 1 && rounds != 200 || limit == 8 && rounds > 100 {
				t.Errorf("%d listers took %d rounds for 200 pages", limit, rounds)
			}
		})
	}
}

// A reader that takes its time holds the listing up: what is ahead of it is bounded, and yet everything comes, in order.
func TestSlowReader(t *testing.T) {
	for _, limit := range []int{1, 2, 8} {
		synctest.Test(t, func(t *testing.T) {
			var requests atomic.Int64
			all := flat(30_000)
			l := &listing{limit: limit, prefix: "img/", open: names(all, 100, &requests, time.Millisecond), name: func(o Object) string { return o.URI }}
			n, pages := 0, 0
			err := l.run(t.Context(), func(p []Object) error {
				if pages == 0 {
					time.Sleep(time.Hour)
				}
				l.mu.Lock()
				ahead := l.ahead
				l.mu.Unlock()
				if ahead > maxAhead+1 || pages == 0 && requests.Load() > 2*maxAhead {
					t.Fatalf("%d listers: %d pages wait for the reader, %d were asked for, %d are read", limit, ahead, requests.Load(), pages)
				}
				for _, o := range p {
					if o.URI != all[n] {
						t.Fatalf("%s after %d names, want %s", o.URI, n, all[n])
					}
					n++
				}
				pages++
				time.Sleep(3 * time.Millisecond)
				return nil
			})
			if err != nil || n < len(all) {
				t.Errorf("%d listers: %d names of %d, %v", limit, n, len(all), err)
			}
		})
	}
}

func TestListingEndsEarly(t *testing.T) {
	var requests atomic.Int64
	stop := errors.New("stop")
	l := &listing{limit: 8, prefix: "img/", open: names(flat(1_000_000), 100, &requests, 0), name: func(o Object) string { return o.URI }}
	if err := l.run(context.Background(), func([]Object) error { return stop }); err != stop {
		t.Error(err)
	}
	if requests.Load() > 2*maxAhead {
		t.Errorf("%d requests", requests.Load())
	}
	ctx, cancel := context.WithCancel(context.Background())
	l = &listing{limit: 8, prefix: "img/", open: names(flat(1_000_000), 100, &requests, time.Millisecond), name: func(o Object) string { return o.URI }}
	if err := l.run(ctx, func([]Object) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	l = &listing{limit: 8, prefix: "img/", name: func(o Object) string { return o.URI }}
	l.open = func(ctx context.Context, start, end string) pager {
		return names(flat(5000), 100, &requests, time.Millisecond)(ctx, "", "")
	}
	if err := l.run(context.Background(), func([]Object) error { return nil }); err != errOffset {
		t.Error(err)
	}
	boom := errors.New("boom")
	l = &listing{limit: 8, prefix: "img/", name: func(o Object) string { return o.URI }}
	l.open = func(ctx context.Context, start, end string) pager {
		inner := names(flat(5000), 100, &requests, 0)(ctx, start, end)
		return func() ([]Object, string, bool, error) {
			o, last, more, err := inner()
			if strings.HasPrefix(last, "img/003") {
				err = boom
			}
			return o, last, more, err
		}
	}
	if err := l.run(context.Background(), func([]Object) error { return nil }); err != boom {
		t.Error(err)
	}
}

func FuzzBetween(f *testing.F) {
	f.Add("img/000001", "", 4)
	f.Add("a", "b", 0)
	f.Fuzz(func(t *testing.T, low, high string, prefix int) {
		if high != "" && low >= high || prefix < 0 || prefix > len(low) {
			return
		}
		if m := between(low, high, prefix); m != "" && (m <= low || high != "" && m >= high) {
			t.Fatalf("%q is not between %q and %q", m, low, high)
		}
	})
}
