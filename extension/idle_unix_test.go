//go:build unix

package extension_test

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
)

// processor is the time that this process has computed.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestWaitingIsIdle: while an answer is awaited, the processor is left alone. It is the share of the time that counts: a
// busy loop takes all of it, on any machine.
func TestWaitingIsIdle(t *testing.T) {
	const wait = time.Second
	_, cfg := emulator(t, vertextest.Options{Generate: func(ctx context.Context, p vertextest.Prompt) (string, error) {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		return p.Text, nil
	}})
	cfg.Cache.Off = true
	db := open(t, "", cfg)
	db.SetMaxOpenConns(1)
	exec(t, db, createG, "SET threads = 2", "CREATE TABLE p AS SELECT 'row ' || i AS prompt FROM range(10) t(i)")
	const ask = "SELECT * FROM ML.GENERATE_TEXT(MODEL g, TABLE p, STRUCT(TRUE AS flatten_json_output))"
	out := filepath.Join(t.TempDir(), "out.csv")
	run := func(ctx context.Context, query string, args ...any) error {
		rows, err := db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	}
	prepared := func(ctx context.Context) error {
		st, err := db.PrepareContext(ctx, ask+" WHERE prompt <> ?")
		if err != nil {
			return err
		}
		defer st.Close()
		rows, err := st.QueryContext(ctx, "none")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
		}
		return rows.Err()
	}
	streamed := extension.WithStreaming(t.Context())
	exec(t, db, "CREATE VIEW v AS "+ask)
	for name, f := range map[string]func() error{
		"SELECT":       func() error { return run(t.Context(), ask) },
		"CREATE TABLE": func() error { _, err := db.ExecContext(t.Context(), "CREATE OR REPLACE TABLE r AS "+ask); return err },
		"COPY": func() error {
			_, err := db.ExecContext(t.Context(), fmt.Sprintf("COPY (%s) TO '%s'", ask, out))
			return err
		},
		"several statements": func() error { return run(t.Context(), "SELECT 1; "+ask+"; SELECT 2") },
		"prepared":           func() error { return prepared(t.Context()) },
		"prepared, streamed": func() error { return prepared(streamed) },
		"streamed":           func() error { return run(streamed, ask) },
		"streamed view":      func() error { return run(streamed, "SELECT * FROM v WHERE prompt <> ?", "none") },
		"streamed scalar": func() error {
			return run(streamed, "SELECT AI.GENERATE(prompt, endpoint => 'gemini-2.5-flash').result FROM p")
		},
		"plain form": func() error { return run(streamed, "SELECT * FROM ML_GENERATE_TEXT('g', 'FROM p')") },
	} {
		t.Run(name, func(t *testing.T) {
			before, began := processor(t), time.Now()
			if err := f(); err != nil {
				t.Fatal(err)
			}
			took, used := time.Since(began), processor(t)-before
			if took < wait {
				t.Fatalf("nothing was awaited: %v", took)
			}
			if used > took/4 {
				t.Errorf("computed for %v of %v", used, took)
			}
			t.Logf("computed for %v of %v", used, took)
		})
	}
}
