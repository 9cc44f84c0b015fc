package extension_test

import (
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

const (
	killedRows  = 2000
	killedQuery = "SELECT count(*) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'question ' || i AS prompt FROM range(2000) t(i)), STRUCT(TRUE AS flatten_json_output)) WHERE ml_generate_text_status = ''"
)

// TestKilledChild is the process that TestKilled kills.
func TestKilledChild(t *testing.T) {
	file, url := os.Getenv("MALLARD_TEST_FILE"), os.Getenv("MALLARD_TEST_URL")
	if file == "" {
		return // runs only as TestKilled's child
	}
	cfg := config(t)
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": {Project: "p", BaseURL: url, Auth: "none", Concurrency: 8}}
	db := open(t, file, cfg)
	if _, err := db.ExecContext(t.Context(), "CREATE MODEL g REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')"); err != nil {
		t.Fatal(err)
	}
	one[int](t, db, killedQuery)
}

// TestKilled: a process that dies in the middle of a statement keeps the answers that it has paid for.
func TestKilled(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Latency, Latency: 10 * time.Millisecond}}})
	file := filepath.Join(t.TempDir(), "m.db")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	child := osexec.CommandContext(ctx, os.Args[0], "-test.run", "^TestKilledChild$")
	child.Env = append(os.Environ(), "MALLARD_TEST_FILE="+file, "MALLARD_TEST_URL="+s.URL())
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for s.Count() < killedRows/3 {
		if ctx.Err() != nil {
			t.Fatalf("only %d requests in a minute", s.Count())
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	before := s.Count()

	db := open(t, file, cfg)
	kept := one[int64](t, db, "SELECT count(*) FROM ml_cache()")
	if kept < before/2 {
		t.Errorf("%d of %d answers were kept", kept, before)
	}
	if n := one[int](t, db, killedQuery); n != killedRows {
		t.Errorf("%d of %d rows answered", n, killedRows)
	}
	if again := s.Count() - before; again != killedRows-kept {
		t.Errorf("%d requests in the second run, %d answers were missing", again, killedRows-kept)
	}
}
