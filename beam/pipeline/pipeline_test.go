package pipeline

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/beam/job"
)

const rows = 10 // of each shard

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(m.Run())
}

// duck runs statements in a database of its own; the last gives a number.
func duck(t *testing.T, statement string) (n int) {
	t.Helper()
	connector, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if err := db.QueryRow(statement).Scan(&n); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

// prepared is a job of n shards.
func prepared(t *testing.T, n int) (*job.Spec, []job.Shard) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		duck(t, fmt.Sprintf("COPY (SELECT %d + i AS id FROM range(%d) r(i)) TO '%s/%03d.parquet'", i*rows, rows, dir, i))
	}
	s := &job.Spec{Output: filepath.Join(dir, "out"), OutputFormat: job.Parquet, Workers: 1, Parallel: 2, Tries: 2}
	ctx := context.Background()
	shards, err := s.Cut(ctx, []string{filepath.Join(dir, "*.parquet")}, job.Cutting{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Statement(ctx, "q.sql", "SELECT id, id * 2 AS twice FROM input", ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	return s, shards
}

// complete fails unless each row is there once and nothing else lies about.
func complete(t *testing.T, s *job.Spec) {
	t.Helper()
	parts := "'" + filepath.Join(s.Output, "part-*.parquet") + "'"
	if n, all := duck(t, "SELECT count(DISTINCT id) FROM "+parts), duck(t, "SELECT count(*) FROM "+parts); n != all || n != s.Shards*rows {
		t.Errorf("%d rows, %d different, of %d", all, n, s.Shards*rows)
	}
	if entries, err := os.ReadDir(s.Output); err != nil || len(entries) != s.Shards+1 {
		t.Errorf("%d entries for %d shards: %v", len(entries), s.Shards, err)
	}
}

// TestPrism runs a whole job on the runner.
func TestPrism(t *testing.T) {
	s, shards := prepared(t, 5)
	p, scope := beam.NewPipelineWithRoot()
	if err := Build(scope, *s, shards, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := beam.Run(context.Background(), "prism", p); err != nil {
		t.Fatal(err)
	}
	if err := CloseWorkers(); err != nil {
		t.Error(err)
	}
	complete(t, s)
}

// TestBundles is a runner with faults, of which Prism has none: it holds the functions to Beam's contract. One bundle in twenty dies,
// before or after its shards have run, and is run again on a new copy of the function; some bundles are run twice, and both count.
func TestBundles(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(3) {
		s, shards := prepared(t, 20)
		r := rand.New(rand.NewPCG(seed, 5))
		spec, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		results := map[int][]string{}
		for i := 0; i < len(shards); i += 4 {
			for copies := 1 + r.IntN(2); copies > 0; {
				f := &Run{Spec: string(spec)}
				if err := f.Setup(ctx); err != nil {
					t.Fatal(err)
				}
				of := bundle(t, ctx, f, shards[i:i+4], r.IntN(20) == 0 || seed == 2 && i == 4 && r.IntN(2) == 0)
				if of == nil {
					continue
				}
				for _, d := range of {
					results[d.shard] = append(results[d.shard], d.text)
				}
				copies--
			}
		}
		var ended []string
		for shard, copies := range results {
			f := &Finish{Spec: string(spec)}
			if err := f.Setup(ctx); err != nil {
				t.Fatal(err)
			}
			for again := 1 + r.IntN(2); again > 0; again-- { // a step that died behind its work
				var last string
				if err := f.ProcessElement(ctx, shard, iterator(copies), func(_ int, text string) { last = text }); err != nil {
					t.Fatal(err)
				}
				if again == 1 {
					ended = append(ended, last)
				}
			}
		}
		end := &End{Spec: string(spec)}
		if err := end.Setup(ctx); err != nil {
			t.Fatal(err)
		}
		if err := CloseWorkers(); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := end.ProcessElement(ctx, 0, iterator(ended), func(string) {}); err != nil {
				t.Fatal(err)
			}
		}
		complete(t, s)
	}
}

type emitted struct {
	shard int
	text  string
}

// bundle runs one; nil when it died, and then the runner hears of nothing.
func bundle(t *testing.T, ctx context.Context, f *Run, shards []job.Shard, dies bool) (all []emitted) {
	t.Helper()
	emit := func(shard int, text string) { all = append(all, emitted{shard, text}) }
	if err := f.StartBundle(ctx, emit); err != nil {
		t.Fatal(err)
	}
	for _, sh := range shards {
		b, err := json.Marshal(sh)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.ProcessElement(ctx, string(b), emit); err != nil {
			t.Fatal(err)
		}
	}
	if dies {
		f.running.Wait()
		return nil
	}
	if err := f.FinishBundle(ctx, emit); err != nil {
		t.Fatal(err)
	}
	return all
}

func iterator(texts []string) func(*string) bool {
	return func(to *string) bool {
		if len(texts) == 0 {
			return false
		}
		*to, texts = texts[0], texts[1:]
		return true
	}
}
