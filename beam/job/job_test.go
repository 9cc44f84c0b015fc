package job

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
)

// duck runs a statement in a database of its own and gives its only value.
func duck(t testing.TB, statement string) string {
	t.Helper()
	connector, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	var v sql.NullString
	if err := db.QueryRow(statement).Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("%s: %v", statement, err)
	}
	return v.String
}

// shards writes n files of 10 rows each.
func shards(t testing.TB, n int, f Format) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		duck(t, fmt.Sprintf("COPY (SELECT %d + i AS id, 'text ' || i AS content FROM range(10) r(i)) TO '%s/%03d.%s' (%s)", i*10, dir, i, f, options(f)))
	}
	return filepath.Join(dir, "*."+string(f))
}

// prepared is a job that is ready to run.
func prepared(t testing.TB, s *Spec, pattern, query string, cut Cutting) []Shard {
	t.Helper()
	s.Workers, s.Parallel = 1, 2
	if s.Tries == 0 {
		s.Tries = 2
	}
	if s.Output == "" {
		s.Output = filepath.Join(t.TempDir(), "out")
	}
	if s.OutputFormat == "" {
		s.OutputFormat = Parquet
	}
	ctx := context.Background()
	all, err := s.Cut(ctx, []string{pattern}, cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Statement(ctx, "q.sql", query, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(); err != nil {
		t.Fatal(err)
	}
	return all
}

// runAll is a runner without faults.
func runAll(t testing.TB, s *Spec, all []Shard) Summary {
	t.Helper()
	ctx := context.Background()
	w, err := Open(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var ended []Done
	for _, sh := range all {
		d, err := w.Run(ctx, sh)
		if err != nil {
			t.Fatal(err)
		}
		if d, err = s.Finish([]Done{d}); err != nil {
			t.Fatal(err)
		}
		ended = append(ended, d)
	}
	sum, err := s.End(ctx, ended, "")
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// content is a digest of the rows of a job's output, whatever their order.
func content(t testing.TB, s *Spec) string {
	return duck(t, "SELECT count(*) || ' rows ' || bit_xor(hash(o)) || ' ' || sum(hash(o)) FROM "+
		reader(s.OutputFormat, filepath.Join(s.Output, "part-*."+string(s.OutputFormat)), nil)+" o")
}

// TestFormats: files of each kind, whole and cut between lines and row groups, here and as objects of a bucket, give each row once.
func TestFormats(t *testing.T) {
	for _, f := range []Format{Parquet, CSV, JSON} {
		pattern, want := shards(t, 3, f), "30"
		if f == Parquet { // one large file with row groups
			duck(t, "COPY (SELECT i AS id, 'text ' || i AS content FROM range(30, 10030) r(i)) TO '"+
				filepath.Join(filepath.Dir(pattern), "large.parquet")+"' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
			want = "10030"
		}
		config := fmt.Sprintf("[buckets]\ndata = %q\n", filepath.Dir(pattern))
		for _, size := range []int64{0, 13, 100} {
			if f == Parquet && size == 13 {
				continue
			}
			for _, input := range []string{pattern, "gs://data/*." + string(f)} {
				s := &Spec{OutputFormat: f, ConfigFile: "mallard.toml", ConfigText: config}
				all := prepared(t, s, input, "SELECT id, content || '!' AS loud FROM input", Cutting{Size: size, CSVLines: true})
				if size > 0 && len(all) < 5 {
					t.Errorf("%s: %d shards", input, len(all))
				}
				sum := runAll(t, s, all)
				got := duck(t, "SELECT count(DISTINCT id) FROM "+reader(f, filepath.Join(s.Output, "part-*."+string(f)), nil))
				if got != want || fmt.Sprint(sum.RowsIn) != want || fmt.Sprint(sum.RowsOut) != want {
					t.Errorf("%s in parts of %d bytes (%d shards): %s different rows of %s; %+v", input, size, len(all), got, want, sum)
				}
				if left, err := os.ReadDir(filepath.Join(s.Output, work)); err == nil {
					t.Errorf("left behind: %v", left)
				}
			}
		}
	}
}

// TestObjects: an object that changes during the job fails its shards, and what names no objects is refused.
func TestObjects(t *testing.T) {
	pattern := shards(t, 2, JSON)
	config := fmt.Sprintf("[buckets]\ndata = %q\n", filepath.Dir(pattern))
	s := &Spec{ConfigFile: "mallard.toml", ConfigText: config}
	all := prepared(t, s, "gs://data/*", "SELECT id FROM input", Cutting{})
	if err := os.WriteFile(filepath.Join(filepath.Dir(pattern), "001.json"), []byte("{\"id\": 1, \"content\": \"other\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if sum := runAll(t, s, all); sum.Failed != 1 || sum.RowsOut != 10 {
		t.Errorf("%+v", sum)
	}
	b, err := os.ReadFile(filepath.Join(s.Output, Failed))
	if err != nil || !strings.Contains(string(b), "gs://data/001.json") {
		t.Errorf("dead letters: %s %v", b, err)
	}
	for uri, want := range map[string]string{
		"gs://data/none*": "-input gs://data/none*: there is no such object",
		"gs://data":       "it names a bucket, no objects",
		"gs://da*ta/x":    "a * may not stand in the bucket's name",
		"s3://data/x":     "objects of s3:// cannot be read",
	} {
		if _, err := s.Cut(t.Context(), []string{uri}, Cutting{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", uri, err, want)
		}
	}
}

// TestFaults runs jobs under the contract of a runner: a bundle dies before or after its work, is run again, or twice at once; the
// finishing step dies half-way, and the whole job is begun again. Nothing is lost and nothing is there twice.
func TestFaults(t *testing.T) {
	pattern := shards(t, 12, Parquet)
	ctx := context.Background()
	whole := &Spec{}
	runAll(t, whole, prepared(t, whole, pattern, "SELECT id, content FROM input WHERE id % 3 > 0", Cutting{}))
	want := content(t, whole)
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 17))
		dies := func() bool { return r.IntN(60) == 0 }
		s := &Spec{}
		all := prepared(t, s, pattern, "SELECT id, content FROM input WHERE id % 3 > 0", Cutting{})
		began := false
		for lives := 0; ; lives++ {
			if lives > 200 {
				t.Fatal("the job never ends")
			}
			if began && r.IntN(3) == 0 { // killed, and run again by hand
				if resumed, err := s.Begin(); err != nil || !resumed {
					t.Fatal(resumed, err)
				}
			}
			began = true
			if job(t, ctx, s, all, r, dies) {
				break
			}
		}
		if got := content(t, s); got != want {
			t.Errorf("seed %d: %s, and %s without faults", seed, got, want)
		}
		entries, err := os.ReadDir(s.Output)
		if err != nil || len(entries) != len(all)+1 {
			t.Errorf("seed %d: %d entries beside %d shards: %v", seed, len(entries), len(all), err)
		}
		if _, err := s.Begin(); err == nil || !strings.Contains(err.Error(), "exists and is not empty") {
			t.Errorf("seed %d: the output of a job that is done was taken again: %v", seed, err)
		}
	}
}

// job is one life of a job, which may end early.
func job(t *testing.T, ctx context.Context, s *Spec, all []Shard, r *rand.Rand, dies func() bool) bool {
	w, err := Open(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	results := map[int][]Done{}
	for _, sh := range all {
		for copies := 1 + r.IntN(2); copies > 0; copies-- { // duplicated bundles
			if dies() {
				return false
			}
			d, err := w.once(ctx, sh) // not Run, which would find the output of the first copy
			if err != nil {
				t.Fatal(err)
			}
			if r.IntN(4) == 0 { // the worker dies when the work is done: the runner never hears of it
				continue
			}
			results[sh.Index] = append(results[sh.Index], d)
		}
		if len(results[sh.Index]) == 0 {
			d, err := w.Run(ctx, sh)
			if err != nil {
				t.Fatal(err)
			}
			results[sh.Index] = append(results[sh.Index], d)
		}
	}
	var ended []Done
	for _, sh := range all {
		if dies() {
			return false
		}
		copies := results[sh.Index]
		if dies() { // within the step, behind the first thing that it does
			_, err := placeFinal(filepath.Join(s.staging(), copies[0].Staged, "part.parquet"), filepath.Join(s.Output, s.Final(sh.Index)))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		for n := 1 + r.IntN(2); n > 0; n-- { // the step is run again with the same results
			d, err := s.Finish(copies)
			if err != nil {
				t.Fatal(err)
			}
			if n == 1 {
				ended = append(ended, d)
			}
		}
	}
	if _, err := s.End(ctx, ended, ""); err != nil {
		t.Fatal(err)
	}
	return true
}

// TestBadShards: a shard with another schema, without a column, that is no Parquet, or that was changed goes to the dead letters with a
// message that says why; the others are done, nothing of it has a final name, and a rerun runs it alone.
func TestBadShards(t *testing.T) {
	pattern := shards(t, 6, Parquet)
	dir := filepath.Dir(pattern)
	good, err := os.ReadFile(filepath.Join(dir, "004.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	duck(t, "COPY (SELECT 1::BIGINT AS id) TO '"+dir+"/001.parquet' (FORMAT parquet)")
	duck(t, "COPY (SELECT 1::HUGEINT AS id, 'x' AS content) TO '"+dir+"/002.parquet' (FORMAT parquet)")
	duck(t, "COPY (SELECT 1::BIGINT AS id, 'x' AS content, 3 AS more) TO '"+dir+"/003.parquet' (FORMAT parquet)")
	if err := os.WriteFile(filepath.Join(dir, "004.parquet"), good[:len(good)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Spec{}
	all := prepared(t, s, pattern, "SELECT id, content FROM input", Cutting{})
	if err := os.WriteFile(filepath.Join(dir, "005.parquet"), append(good, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	if sum := runAll(t, s, all); sum.Failed != 5 || sum.RowsOut != 10 {
		t.Errorf("%+v", sum)
	}
	b, err := os.ReadFile(filepath.Join(s.Output, Failed))
	if err != nil {
		t.Fatal(err)
	}
	letters := strings.Split(strings.TrimSpace(string(b)), "\n")
	for i, want := range []string{"no column `content` (VARCHAR)", "its column `id` is DOUBLE, and BIGINT", "a column `more` (INTEGER)", "004.parquet",
		"was changed since the job began"} {
		var letter struct{ Path, Error string }
		if err := json.Unmarshal([]byte(letters[i]), &letter); err != nil || !strings.Contains(letter.Error, want) ||
			!strings.Contains(letter.Error, letter.Path) {
			t.Errorf("letter %d: %s; want %q (%v)", i, letters[i], want, err)
		}
	}
	if parts, err := filepath.Glob(filepath.Join(s.Output, "part-*")); err != nil || len(parts) != 1 {
		t.Errorf("final names: %v %v", parts, err)
	}
	if staged, err := filepath.Glob(filepath.Join(s.staging(), "*")); err != nil || len(staged) != 0 {
		t.Errorf("staged: %v %v", staged, err)
	}
}

// TestKillers: a shard that ends its process each time is left out after its tries.
func TestKillers(t *testing.T) {
	s := &Spec{Tries: 2}
	all := prepared(t, s, shards(t, 1, Parquet), "SELECT id FROM input", Cutting{})
	for range s.Tries { // what a process notes before it dies
		if _, err := s.try(all[0]); err != nil {
			t.Fatal(err)
		}
	}
	if sum := runAll(t, s, all); sum.Failed != 1 {
		t.Errorf("%+v", sum)
	}
	if resumed, err := s.Begin(); err != nil || !resumed {
		t.Fatal(resumed, err)
	}
	if sum := runAll(t, s, all); sum.Failed != 0 || sum.RowsOut != 10 {
		t.Errorf("again: %+v", sum)
	}
}

// TestOutputs: an output that exists or cannot be written, and one of another job.
func TestOutputs(t *testing.T) {
	pattern := shards(t, 1, Parquet)
	s := &Spec{}
	prepared(t, s, pattern, "SELECT id FROM input", Cutting{})
	other := *s
	other.Query = "SELECT content FROM input"
	if _, err := other.Begin(); err == nil || !strings.Contains(err.Error(), "another job") {
		t.Error(err)
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Spec{Output: full}).Begin(); err == nil || !strings.Contains(err.Error(), "exists and is not empty (x)") {
		t.Error(err)
	}
	if _, err := (&Spec{Output: filepath.Join(full, "x", "y")}).Begin(); err == nil || !strings.Contains(err.Error(), "x") {
		t.Error(err)
	}
	if _, err := (&Spec{Output: "/proc/none/out"}).Begin(); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Error(err)
	}
}

// TestStatements: what is refused before a job starts, and where.
func TestStatements(t *testing.T) {
	s := &Spec{OutputFormat: Parquet, Columns: []Column{{"id", "BIGINT"}, {"content", "VARCHAR"}}, Workers: 1, Tables: nil}
	for _, tt := range []struct{ query, combine, err string }{
		{"SELECT id FROM input", "", ""},
		{"CREATE SCHEMA d; CREATE MACRO twice(x) AS 2 * x;\nSELECT twice(id) AS t FROM input", "", ""},
		{"SELECT id FROM input\nORDER BY id", "", "q.sql:2:1: ORDER BY takes"},
		{"SELECT 'ä', id FROM input LIMIT 3", "", "q.sql:1:27: LIMIT takes"},
		{"SELECT count(*) AS n FROM input", "", "q.sql:1:8: count(…) takes"},
		{"SELECT count(*) AS n FROM input", "SELECT sum(n) FROM output", ""},
		{"SELECT count(*) AS n FROM input", "SELECT sum(m) FROM output", "-combine:1:12: "},
		{"SELECT id FROM input WHERE id = (SELECT max(id) FROM input)", "SELECT 1 FROM output", "q.sql:1:41: max(…) takes"},
		{"SELECT id FROM input LIMIT 3", "FROM output", "q.sql:1:22: LIMIT takes"},
		{"SELECT id FROM input WHERE id > ?", "", "q.sql:1:1: the query has a parameter"},
		{"SELECT 3", "", "q.sql:1:1: the query does not read input"},
		{"SELECT 3; SELECT id FROM input", "", "q.sql:1:1: SELECT stands before the query"},
		{"CREATE TABLE t AS FROM input; SELECT id FROM t", "", "q.sql:1:1: this statement stands before the query and reads input"},
		{"SELECT nope FROM input", "", "q.sql:1:8: "},
		{"-- nothing", "", "q.sql: there is no statement"},
		{"CREATE TABLE t (i INT)", "", "q.sql:1:1: the query does not read input"},
	} {
		err := s.Statement(context.Background(), "q.sql", tt.query, tt.combine)
		if (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s with %q: %v; want %q", tt.query, tt.combine, err, tt.err)
		}
	}
}

// TestShare: all workers together keep what one database would.
func TestShare(t *testing.T) {
	c := &mallard.Config{Budget: mallard.BudgetConfig{StatementRequests: 100, SessionRequests: 40, SessionMoney: 6},
		Connections: map[string]mallard.ConnectionConfig{"a": {RequestsPerMinute: 90}, "b": {Concurrency: 9}}}
	got, err := share(c, 4)
	if err != nil {
		t.Fatal(err)
	}
	if got.Budget != (mallard.BudgetConfig{SessionRequests: 10, SessionMoney: 1.5}) {
		t.Errorf("%+v", got.Budget)
	}
	if a, b := got.Connections["a"], got.Connections["b"]; a.RequestsPerMinute != 22 || a.Concurrency != 8 || b.Concurrency != 2 {
		t.Errorf("%+v %+v", a, b)
	}
	if c.Connections["a"].RequestsPerMinute != 90 {
		t.Error("the configuration itself was changed")
	}
	if _, err := share(c, 50); err == nil || !strings.Contains(err.Error(), "cannot be shared by -workers 50") {
		t.Error(err)
	}
}
