package bigquery

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestEvict: finished jobs are forgotten by number, by the size of their results and by age, the oldest first; those that run stay.
func TestEvict(t *testing.T) {
	now := time.Now()
	type ended struct {
		id    string
		bytes int64
		ago   time.Duration
		runs  bool
	}
	for name, tt := range map[string]struct {
		limits Limits
		jobs   []ended
		want   string
	}{
		"number":           {Limits{Kept: 2}, []ended{{id: "a"}, {id: "b", runs: true}, {id: "c"}, {id: "d"}, {id: "e"}}, "b d e"},
		"size":             {Limits{Bytes: 10}, []ended{{id: "a", bytes: 1}, {id: "b", bytes: 6}, {id: "c", bytes: 5}, {id: "d", bytes: 5}}, "c d"},
		"the last, if big": {Limits{Bytes: 10}, []ended{{id: "a", bytes: 1}, {id: "b", bytes: 60}}, "b"},
		"age":              {Limits{Age: time.Hour}, []ended{{id: "a", ago: 2 * time.Hour}, {id: "b"}}, "b"},
	} {
		s := &Service{Options: Options{Limits: tt.limits.withDefaults(), Logger: slog.New(slog.DiscardHandler)}}
		q := newJobs(s)
		for _, e := range tt.jobs {
			j := &job{project: "p", id: e.id, done: make(chan struct{}), ended: now.Add(-e.ago), result: &result{own: true, bytes: e.bytes}}
			if !e.runs {
				close(j.done)
			}
			q.byID["p:"+e.id] = j
			q.order = append(q.order, j)
		}
		q.evict()
		var left []string
		for _, j := range q.order {
			left = append(left, j.id)
		}
		if got := strings.Join(left, " "); got != tt.want || len(q.byID) != len(left) {
			t.Errorf("%s: %s are left, want %s", name, got, tt.want)
		}
	}
}

// TestGuarded: a job that panics ends with an error, and the process does not.
func TestGuarded(t *testing.T) {
	j := &job{run: func(context.Context, *job) error { panic("a fault") }}
	if err := j.guarded(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "fault of Mallard's") {
		t.Errorf("got %v", err)
	}
}
