package main

import (
	"context"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/extension"
)

func TestMain(m *testing.M) {
	extension.RunWorker()
	if isChild() {
		runChild()
		return
	}
	os.Exit(m.Run())
}

// TestMeasures runs every measure once, on a few rows and without Python. The measures check by themselves that all rows come
// back with the values of the bare loop.
func TestMeasures(t *testing.T) {
	if _, err := tensorflow.Find(tensorflow.FindOptions{}); err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("runs models")
	}
	b, err := open(context.Background(), options{rows: 100, rounds: 1, noPython: true, dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.quiet = true
	for _, m := range measures {
		t.Run(m.name, func(t *testing.T) {
			if m.name == "tpch" {
				t.Skip("its data are made by a Python package: see TestTPCH")
			}
			before := len(b.rounds_)
			if err := m.run(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if len(b.rounds_) == before {
				t.Error("nothing was measured")
			}
			if err := b.report(io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
	for _, r := range b.ratios {
		if r.sense == none {
			if r.verdict() != "ok" {
				t.Errorf("%s: %s: %v", r.measure, r.what, r.values)
			}
			continue
		}
		if len(r.values) == 0 || slices.Min(r.values) <= 0 {
			t.Errorf("%s: %s: %v", r.measure, r.what, r.values)
		}
	}
	f, err := os.Open(b.file("results.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if want := len(b.ratios) + 1; len(table) != want {
		t.Errorf("results.csv has %d lines, want %d", len(table), want)
	}
}

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		name string
		give ratio
		want string
	}{
		{"reached", ratio{sense: atLeast, target: 0.95, values: []float64{0.9, 0.95, 1}}, "ok"},
		{"missed", ratio{sense: atLeast, target: 0.95, values: []float64{0.9, 0.94, 2}}, "miss"},
		{"low is good", ratio{sense: atMost, target: 1.2, values: []float64{1, 1.3}}, "ok"},
		{"low is good, missed", ratio{sense: atMost, target: 1.2, values: []float64{1.25}}, "miss"},
		{"none of many", ratio{sense: none, values: []float64{0, 0}}, "ok"},
		{"none of many, missed", ratio{sense: none, values: []float64{0, 0, 1}}, "miss"},
		{"for information", ratio{sense: atLeast, values: []float64{0.1}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.give.verdict(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	for give, want := range map[[2]float64]string{{1, 1.9}: "", {0.07, 2.69}: "unsteady: 38.4 × from round to round"} {
		if got := (ratio{sense: atLeast, values: give[:]}).spread(); got != want {
			t.Errorf("%v: got %q, want %q", give, got, want)
		}
	}
}

// TestEnough: a measure that is out of time has had two rounds all the same, and one in time has them all.
func TestEnough(t *testing.T) {
	b := &bench{options: options{rounds: 5, time: time.Minute}, begin: time.Now()}
	b.allot(2)
	if b.enough(4) || !b.enough(5) {
		t.Error("in time")
	}
	b.begin = time.Now().Add(-time.Hour)
	b.allot(1)
	if b.enough(1) || !b.enough(2) {
		t.Error("out of time")
	}
}

func TestChoose(t *testing.T) {
	if got, err := choose("onerow, slow"); err != nil || len(got) != 2 || got[1].name != "slow" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose("onerow,fast"); err == nil || !strings.Contains(err.Error(), `"fast"`) {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestOver(t *testing.T) {
	ts := times{wall: map[string][]float64{"a": {2, 9}, "b": {1, 3}}}
	if got, want := ts.over("a", "b"), []float64{2, 3}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: round by round", got, want)
	}
}

func TestFrom(t *testing.T) {
	if got, want := native.from("m", "SELECT 'a'"), "ML_PREDICT('m', 'SELECT ''a''')"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := bigquery.from("m", "SELECT 'a'"); !strings.Contains(got, "(SELECT 'a')") {
		t.Errorf("got %s: the query stands as it is", got)
	}
}
