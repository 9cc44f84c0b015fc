package shell

import (
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mallardml/mallard/internal/dialect"
)

func TestNearest(t *testing.T) {
	names := []string{".timer", ".tables", ".mode", ".models", "-c", "-csv"}
	for _, tt := range []struct{ give, want string }{
		{".tmer", ", did you mean .timer?"},
		{".model", ", did you mean .mode?"},
		{"-cvs", ", did you mean -csv?"},
		{".entirely", ""},
	} {
		if got := Nearest(tt.give, names); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.give, got, tt.want)
		}
	}
}

func TestClock(t *testing.T) {
	for give, want := range map[int64]string{0: "0:00", 61: "1:01", 3599: "59:59", 3600: "1:00:00", 90061: "25:01:01"} {
		if got := clock(time.Duration(give) * time.Second); got != want {
			t.Errorf("%d s: got %s, want %s", give, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add(`.print "a\tb" 'c d' e`)
	f.Add(`.separator "`)
	f.Fuzz(func(t *testing.T, line string) {
		list, err := words(line)
		if err == nil && len(list) == 0 && strings.Trim(line, " \t") != "" {
			t.Fatalf("%q has no words", line)
		}
	})
}

func FuzzScript(f *testing.F) {
	f.Add("SELECT 1;\n.print x\nSELECT\n2;")
	f.Add("\ufeff#!x\n;;\n\n.")
	f.Fuzz(func(t *testing.T, src string) {
		r := newScript(strings.NewReader(src))
		kept := 0
		for {
			text, line, err := r.next(func() Completion { return &semicolon{} })
			if text != "" && (line < 1 || line > strings.Count(src, "\n")+1) {
				t.Fatalf("line %d of %q", line, src)
			}
			kept += len(text)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if kept > len(src) {
			t.Fatalf("%d bytes came of %d", kept, len(src))
		}
	})
}

// counted counts the bytes that it is given.
type counted struct {
	Completion
	n *int
}

func (c counted) Add(text string) bool {
	*c.n += len(text)
	return c.Completion.Add(text)
}

// A statement is looked at a line at a time, however many of its lines end in a semicolon.
func TestLongStatementIsReadOnce(t *testing.T) {
	src := "INSERT INTO t VALUES ('\n" + strings.Repeat("a line; of a text;\n", 5000) + "');\n"
	read := 0
	start := func() Completion { return counted{dialect.NewCompletion(dialect.Auto), &read} }
	text, _, err := newScript(strings.NewReader(src)).next(start)
	if err != nil || text != src || read != len(src) {
		t.Errorf("a script: %d bytes of %d in a text of %d, %v", read, len(src), len(text), err)
	}
	read = 0
	s := New(nil, Options{Completion: start})
	for at, line := range strings.SplitAfter(src[:20_000], "\n") {
		if len(line) > 0 && s.finished([]byte(src[:at*19+24])) {
			t.Fatalf("line %d ends the statement", at)
		}
	}
	if read > 20_100 {
		t.Errorf("typed: %d bytes were read of 20,000", read)
	}
	// What is changed before its end is read anew.
	if s.finished([]byte("SELECT '")) || !s.finished([]byte("SELECT 1;")) || s.finished([]byte("SELECT 1; SELECT")) || !s.finished(nil) {
		t.Error("an edited text")
	}
}

func FuzzCutTo(f *testing.F) {
	f.Add("日本語 é 👩‍👩‍👧\x00", 5)
	f.Fuzz(func(t *testing.T, s string, w int) {
		w = max(1, min(w, 200))
		s = oneLine(s)
		got := cutTo(s, w)
		if width(got) > w || !utf8.ValidString(got) || strings.IndexFunc(got, control) >= 0 {
			t.Fatalf("%q cut to %d is %q, %d wide", s, w, got, width(got))
		}
		if got != s && !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Fatalf("%q is no beginning of %q", got, s)
		}
	})
}

func TestProgressText(t *testing.T) {
	for _, tt := range []struct {
		give State
		want string
	}{
		{State{Fraction: -1}, "running for 0:10"},
		{State{Fraction: 0.5}, "running for 0:10, 50 %, 0:10 left"},
		{State{Rows: 12000, Fraction: -1}, "12,000 rows, 1,200 rows/s"},
		{State{Rows: 12000, Fraction: 0.25}, "12,000 rows, 1,200 rows/s, 25 %, 0:30 left"},
		{State{Rows: 50, Total: 2000, Notes: []string{"3 failed", "1 retry"}}, "50 of 2,000 rows, 2 %, 5.0 rows/s, 6:30 left, 3 failed, 1 retry"},
		{State{Total: 2000}, "0 of 2,000 rows"},
		{State{Total: 1}, "0 of 1 row"},
		{State{Rows: 1, Fraction: -1}, "1 row, 0.1 rows/s"},
		{State{Rows: 2000, Total: 2000}, "2,000 of 2,000 rows, 200 rows/s"},
		{State{Doing: "copying the model", Rows: 40, Total: 160, Unit: "MB"}, "copying the model: 40 of 160 MB, 25 %, 4.0 MB/s, 0:30 left"},
	} {
		if got := progressText(10*time.Second, tt.give); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.give, got, tt.want)
		}
	}
}

// TestSteadyWriter: what is written is seen before the writer is closed, and an error is told.
func TestSteadyWriter(t *testing.T) {
	r, out := io.Pipe()
	w := newSteadyWriter(out)
	if _, err := w.Write([]byte("row")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3)
	if _, err := io.ReadFull(r, b); err != nil || string(b) != "row" {
		t.Errorf("%q, %v", b, err)
	}
	r.Close()
	if _, err := w.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	if err := w.close(); !BrokenPipe(err) {
		t.Errorf("got %v", err)
	}
}
