package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/trace"
)

// TestTally: a box says what each model did; times of batches add up.
func TestTally(t *testing.T) {
	all := new(tally)
	for _, e := range []trace.Event{
		{Kind: trace.Planned, Query: "x"},
		{Kind: trace.ModelOpened, Model: `"memory"."demo"."words"`, Duration: 1500 * time.Millisecond},
		{Kind: trace.BatchRun, Model: `"memory"."demo"."words"`, Rows: 2048, Duration: 250 * time.Millisecond},
		{Kind: trace.BatchRun, Model: `"memory"."demo"."words"`, Rows: 952, Duration: 250 * time.Millisecond},
		{Kind: trace.CacheHit, Model: "demo.far", Rows: 3},
	} {
		all.Trace(context.Background(), e)
	}
	got := all.picture([]dispatch.Usage{{Model: "demo.far", Rows: 10, Cached: 3, Requests: 9, Retries: 2, InputTokens: 900, OutputTokens: 334, Money: 0.5, Priced: true}})
	at := 0
	for _, want := range []string{"MODEL", "memory.demo.words", "3,000 rows", "2 batches", "1.500s to open it", "0.500s", "MODEL", "demo.far", "10 rows",
		"3 from the cache", "9 requests", "2 retries", "1,234 tokens", "cost 0.5", "0.000s"} {
		i := strings.Index(got[at:], want)
		if i < 0 {
			t.Fatalf("%q is missing behind %d in\n%s", want, at, got)
		}
		at += i + len(want)
	}
	if strings.Contains(got, "failed") || strings.Contains(got, "equal") {
		t.Error(got)
	}
}

func TestAnalyzed(t *testing.T) {
	for src, want := range map[string]bool{"explain analyze SELECT 1": true, "EXPLAIN (ANALYZE, FORMAT json) SELECT 1": true,
		"#standardSQL\nEXPLAIN ANALYZE SELECT 1": true, "EXPLAIN SELECT 'ANALYZE '": false, "SELECT 1": false, "EXPLAIN (FORMAT json) FROM analyze": false} {
		if analyzed.MatchString(src) != want {
			t.Errorf("%s: %v", src, !want)
		}
	}
}

// TestLeads: a cut result shows first what it is asked for, and of an object table with predictions these behind the name.
func TestLeads(t *testing.T) {
	for give, want := range map[string]string{
		"tags signature active role name dtype shape sql_type tensor method":        "name role sql_type shape signature active dtype tags tensor method",
		"uri generation content_type size md5_hash updated metadata ref":            "uri size updated content_type generation md5_hash metadata ref",
		"label uri generation content_type size md5_hash updated metadata ref data": "uri label size updated content_type generation md5_hash metadata ref data",
		"uri size": "",
	} {
		names := strings.Fields(give)
		var got []string
		for _, i := range lead(names) {
			got = append(got, names[i])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", give, strings.Join(got, " "), want)
		}
	}
}
