package extension_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/internal/modelstore"
)

var (
	kills  = flag.Int("kills", 2, "at how many points TestKilledAnywhere kills a process")
	faults = flag.Int("faults", 1, "how many times more than in `make test` the tests of faults do what they do")
)

// TestFaults: many queries at once, models that are replaced under them, cancelling, making and dropping, large answers, little memory.
// `make faults` does more of each. No answer is wrong, and nothing is left open.
func TestFaults(t *testing.T) {
	for _, f := range []struct {
		name string
		run  func(t *testing.T, times int) (done string)
	}{
		{"queries over a pool", poolOfQueries}, {"replaced while predicting", replacedWhilePredicting}, {"cancelled", cancelStorm},
		{"made and dropped", madeAndDropped}, {"large answers", largeAnswers}, {"wide rows", wideRows}, {"little memory", littleMemory},
	} {
		t.Run(f.name, func(t *testing.T) { t.Log(f.run(t, *faults)) })
	}
}

// pool opens a database in memory over which many queries run.
func pool(t *testing.T, connections int) *sql.DB {
	db := open(t, "", config(t))
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

func createModel(name, files string, t *testing.T) string {
	return "CREATE OR REPLACE MODEL " + name + " OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='" + models(t) + "/" + files + "')"
}

const sumOfScores = "SELECT sum(score) FROM ML.PREDICT(MODEL m, (SELECT i AS a, i AS b, i AS c, i AS d FROM range(%d) t(i)))"

// atOnce runs n calls from so many goroutines, and gives the first error.
func atOnce(n, goroutines int, f func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, goroutines)
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := f(int(i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func poolOfQueries(t *testing.T, times int) string {
	db := pool(t, 8)
	exec(t, db, createModel("m", "perceptron", t))
	want := map[int]float64{}
	for rows := 1; rows <= 5; rows++ {
		want[rows] = one[float64](t, db, fmt.Sprintf(sumOfScores, rows))
	}
	n := 50 * times
	err := atOnce(n, n, func(i int) error {
		rows, got := 1+i%5, 0.0
		err := db.QueryRowContext(t.Context(), fmt.Sprintf(sumOfScores, rows)).Scan(&got)
		if err == nil && (got-want[rows] > 1e-5 || want[rows]-got > 1e-5) {
			err = fmt.Errorf("%d rows: %v instead of %v", rows, got, want[rows])
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%d queries at once over 8 connections", n)
}

func replacedWhilePredicting(t *testing.T, times int) string {
	db := pool(t, 4)
	exec(t, db, createModel("m", "swivel_like", t))
	n, replaced := 20*times, 0
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			for _, files := range []string{"nnlm_like", "swivel_like"} {
				if _, err := db.ExecContext(t.Context(), createModel("m", files, t)); err != nil && !strings.Contains(err.Error(), "onflict") {
					t.Error(err)
					return
				}
				replaced++
			}
		}
	})
	err := atOnce(n, 3, func(int) error {
		var least, most, rows int
		err := db.QueryRowContext(t.Context(), "SELECT min(len(embedding)), max(len(embedding)), count(*) FROM ML.PREDICT(MODEL m, "+
			"(SELECT 'duck ' || i AS content FROM range(3000) t(i)))").Scan(&least, &most, &rows)
		if err == nil && (least != most || least != 20 && least != 50 || rows != 3000) {
			err = fmt.Errorf("embeddings of %d to %d numbers, %d rows", least, most, rows)
		}
		return err
	})
	cancel()
	wg.Wait()
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%d queries while the model was replaced %d times", n, replaced)
}

func cancelStorm(t *testing.T, times int) string {
	_, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Latency, Latency: 20 * time.Millisecond}}})
	db := open(t, "", cfg)
	db.SetMaxOpenConns(8)
	exec(t, db, createModel("m", "text_classifier", t), createG)
	n, cancelled := 20*times, atomic.Int64{}
	queries := []string{
		"SELECT count(dense_1) FROM ML.PREDICT(MODEL m, (SELECT 'text ' || i AS input FROM range(100000) t(i)))",
		"SELECT count(ml_generate_text_llm_result) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || i || random() AS prompt FROM range(3000) t(i)), STRUCT(TRUE AS flatten_json_output))",
	}
	err := atOnce(n, 8, func(i int) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(60))*time.Millisecond)
		defer cancel()
		var count int
		err := db.QueryRowContext(ctx, queries[i%2]).Scan(&count)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			cancelled.Add(1)
			err = nil
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if got := one[int](t, db, "SELECT count(dense_1) FROM ML.PREDICT(MODEL m, (SELECT 'text ' || i AS input FROM range(10) t(i)))"); got != 10 {
		t.Errorf("%d rows after the storm", got)
	}
	return fmt.Sprintf("%d of %d queries cancelled within 60 ms", cancelled.Load(), n)
}

func madeAndDropped(t *testing.T, times int) string {
	db := pool(t, 1)
	cycle := func() {
		exec(t, db, createModel("x", "perceptron", t), "SELECT score FROM ML.PREDICT(MODEL x, (SELECT 1 AS a, 1 AS b, 1 AS c, 1 AS d))", "DROP MODEL x")
	}
	cycle()
	live, files, routines := fmt.Sprint(tensorflow.Live()), openFiles(), runtime.NumGoroutine()
	n := 5 * times
	if times > 1 {
		n = 50 * times
	}
	for range n {
		cycle()
	}
	if now := fmt.Sprint(tensorflow.Live()); now != live {
		t.Errorf("TensorFlow's handles: %s before, %s after", live, now)
	}
	if now := openFiles(); now > files+4 {
		t.Errorf("%d open files before, %d after", files, now)
	}
	if now := runtime.NumGoroutine(); now > routines+8 {
		t.Errorf("%d goroutines before, %d after", routines, now)
	}
	return fmt.Sprintf("%d models made, asked and dropped", n)
}

// openFiles counts what the process has open, where the system tells.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

func largeAnswers(t *testing.T, times int) string {
	text := strings.Repeat("ä\"\\", 100_000)
	if times > 1 {
		text = strings.Repeat(text, 25)
	}
	_, cfg := emulator(t, vertextest.Options{Endpoints: map[string]vertextest.Predictor{"7": func(_ context.Context, rows []any, _ any) ([]any, error) {
		answers := make([]any, len(rows))
		for i := range answers {
			answers[i] = map[string]any{"y": text}
		}
		return answers, nil
	}}})
	c := cfg.Connections["default"]
	c.Limits = map[string]mallard.LimitConfig{"7": {Rows: 1}}
	cfg.Connections["default"] = c
	db := open(t, "", cfg)
	exec(t, db, "CREATE MODEL e INPUT(x INT64) OUTPUT(y STRING) REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/endpoints/7')")
	n := min(times, 10)
	if got := one[int](t, db, fmt.Sprintf("SELECT sum(strlen(y)) FROM ML.PREDICT(MODEL e, (SELECT i AS x FROM range(%d) t(i)))", n)); got != n*len(text) {
		t.Errorf("%d bytes of %d", got, n*len(text))
	}
	return fmt.Sprintf("%d answers of %d bytes", n, len(text))
}

func wideRows(t *testing.T, times int) string {
	db := pool(t, 1)
	exec(t, db, createModel("m", "perceptron", t))
	columns := 400
	var list strings.Builder
	for i := range columns {
		fmt.Fprintf(&list, ", i AS c%d", i)
	}
	rows := 200 * times
	got := one[int](t, db, fmt.Sprintf("SELECT sum(len(wide)) + sum(c399) * 0 FROM ML.PREDICT(MODEL m, (SELECT i AS a, i AS b, i AS c, i AS d, range(10000) AS wide%s FROM range(%d) t(i)))", list.String(), rows))
	if got != rows*10_000 {
		t.Errorf("%d elements", got)
	}
	return fmt.Sprintf("%d rows of %d columns and an ARRAY of 10,000 elements", rows, columns+5)
}

func littleMemory(t *testing.T, times int) string {
	db := pool(t, 1)
	exec(t, db, createModel("m", "perceptron", t), "SET memory_limit = '200MB'")
	rows := 50_000
	if times > 1 {
		rows = 500_000 * times
	}
	if got := one[int](t, db, fmt.Sprintf("SELECT count(score) FROM ML.PREDICT(MODEL m, (SELECT i AS a, i AS b, i AS c, i AS d FROM range(%d) t(i)))", rows)); got != rows {
		t.Errorf("%d rows", got)
	}
	// More than fits is an error, and the next query runs.
	_, err := db.ExecContext(t.Context(), "SELECT list(pad) FROM ML.PREDICT(MODEL m, (SELECT i AS a, i AS b, i AS c, i AS d, repeat('x', 10000) AS pad FROM range(100000) t(i)))")
	if err == nil || !strings.Contains(err.Error(), "Out of Memory") {
		t.Errorf("1 GB in 200 MB: %v", err)
	}
	if got := one[float64](t, db, fmt.Sprintf(sumOfScores, 10)); got <= 0 {
		t.Errorf("after it %v", got)
	}
	return fmt.Sprintf("%d rows streamed under a memory_limit of 200 MB", rows)
}

// TestKilledAnywhereChild is the process that TestKilledAnywhere kills: it makes models from a folder, asks a remote model, and reads objects,
// until it is killed.
func TestKilledAnywhereChild(t *testing.T) {
	dir, url := os.Getenv("MALLARD_TEST_DIR"), os.Getenv("MALLARD_TEST_URL")
	if dir == "" {
		return // runs only as a child
	}
	db := open(t, filepath.Join(dir, "m.db"), killedConfig(t, dir, url))
	db.SetMaxOpenConns(2)
	exec(t, db, "CREATE MODEL IF NOT EXISTS g REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')",
		"CREATE EXTERNAL TABLE IF NOT EXISTS o OPTIONS (object_metadata = 'SIMPLE', uris = ['"+models(t)+"/text_classifier/*'])")
	fmt.Println("ready")
	for i := 0; ; i++ {
		switch rand.IntN(4) {
		case 0:
			exec(t, db, createModel(fmt.Sprint("m", i%3), []string{"perceptron", "swivel_like", "text_classifier"}[i%3], t))
		case 1: // from a bucket, which is a folder
			exec(t, db, "CREATE OR REPLACE MODEL b OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='gs://models/nnlm_like/*')", "DROP MODEL b")
		case 2:
			exec(t, db, fmt.Sprintf(killedAnswers, "CREATE OR REPLACE TABLE a AS ", rand.IntN(1000)))
		case 3:
			exec(t, db, "CREATE OR REPLACE TABLE r AS SELECT uri, octet_length(data) AS n FROM o")
		}
		if i%5 == 4 { // the copies of models are made anew, so that they are cut, too
			_ = os.RemoveAll(filepath.Join(dir, "store"))
			exec(t, db, createModel("m0", "perceptron", t))
		}
	}
}

const killedAnswers = "%sSELECT prompt, ml_generate_text_llm_result AS answer FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || (i + %d) AS prompt FROM range(40) t(i)), STRUCT(TRUE AS flatten_json_output))"

func killedConfig(t *testing.T, dir, url string) *mallard.Config {
	cfg := config(t)
	cfg.Store.Path = filepath.Join(dir, "store")
	cfg.Buckets = map[string]string{"models": models(t)}
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": {Project: "p", Location: "us-central1", BaseURL: url, Auth: "none", Concurrency: 8}}
	return cfg
}

// TestKilledAnywhere: whatever a process was at when it was killed, its database opens, nothing in it is half made, and answers that are in
// the cache are not asked again.
func TestKilledAnywhere(t *testing.T) {
	s, _ := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Latency, Latency: 2 * time.Millisecond}}})
	dir := t.TempDir()
	kept, again := 0, 0
	for i := range *kills {
		killOnce(t, dir, s.URL())
		if t.Failed() {
			return
		}
		db := open(t, filepath.Join(dir, "m.db"), killedConfig(t, dir, s.URL()))
		wholeDatabase(t, db, dir)
		before, cached := s.Count(), one[int64](t, db, "SELECT count(*) FROM ml_cache()")
		exec(t, db, fmt.Sprintf(killedAnswers, "CREATE OR REPLACE TABLE a AS ", i%960))
		missing := one[int64](t, db, "SELECT count(*) FROM ml_cache()") - cached
		if asked := int64(s.Count() - before); asked != missing {
			t.Errorf("%d requests for %d missing answers", asked, missing)
		}
		kept, again = kept+int(40-missing), again+int(missing)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	t.Logf("%d kills: each database opened, with nothing half made; of the answers wanted then %d were in the cache and %d asked", *kills, kept, again)
}

// killOnce starts the child and kills it at some moment.
func killOnce(t *testing.T, dir, url string) {
	t.Helper()
	child := osexec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledAnywhereChild$")
	child.Env = append(os.Environ(), "MALLARD_TEST_DIR="+dir, "MALLARD_TEST_URL="+url)
	out, err := child.StdoutPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 4096)
	n, _ := out.Read(text)
	time.Sleep(time.Duration(rand.IntN(700)) * time.Millisecond)
	_ = child.Process.Kill()
	if err := child.Wait(); !strings.HasPrefix(string(text[:n]), "ready") || err == nil {
		t.Errorf("the child ended by itself: %s %v", text[:n], err)
	}
}

// wholeDatabase checks that nothing of a database and its model store is half made.
func wholeDatabase(t *testing.T, db *sql.DB, dir string) {
	t.Helper()
	for _, row := range table(t, db, "SELECT model_name FROM ml_models() WHERE model_name <> 'g'")[1:] {
		query := "SELECT * FROM ML.PREDICT(MODEL " + row[0] + ", (SELECT 1 AS a, 1 AS b, 1 AS c, 1 AS d, 'x' AS content, 'x' AS input))"
		if _, err := db.ExecContext(t.Context(), query); err != nil && !strings.Contains(err.Error(), "missing from the model store") {
			t.Errorf("%s: %v", query, err)
		}
	}
	entries, err := filepath.Glob(filepath.Join(dir, "store", "sha256-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if got, err := modelstore.Digest(t.Context(), e); err != nil || got != filepath.Base(e) {
			t.Errorf("the model store has %s half made: %v", filepath.Base(e), err)
		}
	}
	for name, rows := range map[string]int{"a": 40, "r": 3} {
		if one[int](t, db, "SELECT count(*) FROM duckdb_tables() WHERE table_name = '"+name+"'") == 0 {
			continue
		}
		if got := one[int](t, db, "SELECT count(*) FROM "+name); got != rows {
			t.Errorf("table %s has %d of %d rows", name, got, rows)
		}
	}
}
