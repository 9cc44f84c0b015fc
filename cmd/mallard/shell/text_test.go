package shell

import (
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
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

func TestThousandsAndClock(t *testing.T) {
	for give, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(give); got != want {
			t.Errorf("%d: got %s, want %s", give, got, want)
		}
	}
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
			text, line, err := r.next(func(s string) bool { return strings.HasSuffix(strings.TrimSpace(s), ";") })
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
