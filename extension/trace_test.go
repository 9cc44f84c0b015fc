package extension_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/trace"
)

// events keeps what it hears.
type events struct {
	mu  sync.Mutex
	all []trace.Event
}

func (e *events) Trace(_ context.Context, ev trace.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

// take gives the kinds heard since the last take, each once, and forgets them.
func (e *events) take() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var kinds []string
	seen := map[trace.Kind]bool{}
	for _, ev := range e.all {
		if !seen[ev.Kind] {
			seen[ev.Kind] = true
			kinds = append(kinds, string(ev.Kind))
		}
	}
	e.all = nil
	return strings.Join(kinds, ", ")
}

// TestTrace: each thing that a statement does is told, to the tracer and to the log.
func TestTrace(t *testing.T) {
	var mu sync.Mutex
	asked := map[string]int{}
	_, cfg := emulator(t, vertextest.Options{Generate: func(_ context.Context, p vertextest.Prompt) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if asked[p.Text]++; asked[p.Text] == 1 {
			return "", &vertextest.StatusError{Status: 503}
		}
		return p.Text, nil
	}})
	var log bytes.Buffer
	heard := &events{}
	file := filepath.Join(t.TempDir(), "m.db")
	maker := open(t, file, cfg)
	exec(t, maker, createIn(filepath.Join(models(t), "swivel_like")), createG)
	if err := maker.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := extension.NewConnector(file, extension.Options{
		Config: cfg, Tracer: heard, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	const ask = "SELECT * FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'secret prompt' AS prompt))"
	for _, step := range []struct{ query, want string }{
		{"SELECT 1", "statement planned, statement done"},
		{predictM, "model opened, statement planned, batch run, statement done"}, // planning probes it
		{predictM, "statement planned, batch run, statement done"},
		{ask, "statement planned, request sent, request retried, statement done"},
		{ask, "statement planned, cache hit, statement done"},
	} {
		rows, err := db.Query(step.query)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(rows.Close(), rows.Err()); err != nil {
			t.Fatal(err)
		}
		if got := heard.take(); got != step.want {
			t.Errorf("%s: %s, want %s", step.query, got, step.want)
		}
	}
	if _, err := db.Exec("SELECT a"); err == nil || fmt.Sprint(heard.all[len(heard.all)-1].Err) != err.Error() {
		t.Errorf("the failure was not told: %v", err)
	}
	text := log.String()
	for _, want := range []string{"level=DEBUG msg=\"request retried\" model=g rows=1", "level=WARN msg=\"statement done\"", "msg=\"cache hit\" model=g rows=1"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "secret prompt") {
		t.Errorf("a statement's text is in the log:\n%s", text)
	}
}
