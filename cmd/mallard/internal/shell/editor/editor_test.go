package editor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rivo/uniseg"
)

// newEditor makes an editor on no terminal; a text with a semicolon is complete.
func newEditor(out io.Writer, columns, rows int) *Editor {
	e := &Editor{in: newTestInput(), o: Options{Out: out, Complete: func(text []byte) bool {
		text = bytes.TrimSpace(text)
		return len(text) == 0 || bytes.Contains(text, []byte(";"))
	}, Suggest: func(_ context.Context, before, _ string) (list []Suggestion) {
		start := strings.LastIndexByte(before, ' ') + 1
		for _, s := range []string{"SELECT", "SELECTION", "selfish", "orange", "naïve", "other"} {
			if len(s) >= len(before)-start && strings.EqualFold(s[:len(before)-start], before[start:]) {
				list = append(list, Suggestion{Text: s, Start: start})
			}
		}
		return list
	}, Hint: func([]byte, int) string { return "" }}}
	e.screen = screen{out: out, size: func() (int, int) { return columns, rows }}
	e.prompts = Prompts{"> ", "  "}
	e.history.rewind()
	return e
}

const (
	esc             = "\x1b"
	csiLeft         = "\x1b[D"
	csiRight        = "\x1b[C"
	csiUp           = "\x1b[A"
	csiDown         = "\x1b[B"
	altB, altF      = "\x1bb", "\x1bf"
	ctrlA, ctrlE    = "\x01", "\x05"
	ctrlK, ctrlU    = "\x0b", "\x15"
	ctrlW, ctrlY    = "\x17", "\x19"
	ctrlT, ctrlR    = "\x14", "\x12"
	ctrlUnderscore  = "\x1f"
	enter           = "\r"
	del             = "\x1b[3~"
	bs              = "\x7f"
	family, cracked = "👩‍👩‍👧", "e\u0301"
)

func TestKeys(t *testing.T) {
	for _, tt := range []struct{ name, keys, want string }{
		{"plain", "abc;" + enter, "abc;"},
		{"several lines", "a" + enter + "b;" + enter, "a\nb;"},
		{"line feed", "a\nb;\n", "a\nb;"},
		{"carriage return and line feed", "a\r\nb;\r\n", "a\nb;"},
		{"left and right", "ac" + csiLeft + "b" + csiRight + "d;" + enter, "abcd;"},
		{"application keys", "ac\x1bODb\x1bOCd;" + enter, "abcd;"},
		{"a grapheme is one", family + cracked + "🇩🇪" + bs + bs + ";" + enter, family + ";"},
		{"left over graphemes", cracked + family + "한" + csiLeft + csiLeft + csiLeft + "x" + ctrlE + ";" + enter, "x" + cracked + family + "한;"},
		{"accent behind the cursor", "e" + "x" + bs + "\u0301;" + enter, "e\u0301;"},
		{"delete", "abc" + csiLeft + csiLeft + del + ";" + enter, "a;c"},
		{"home and end", "b;" + ctrlA + "a\x1b[Fc;" + enter, "ab;c;"},
		{"words", "one two_2 drei" + altB + altB + "X" + altF + "Y;" + enter, "one Xtwo_2Y; drei"},
		{"control and arrows", "one two\x1b[1;5DX\x1b[1;3CY;" + enter, "one XtwoY;"},
		{"kill and yank", "one two" + ctrlW + ctrlA + ctrlY + ";" + enter, "two;one "},
		{"kill to the ends", "abcd" + csiLeft + csiLeft + ctrlK + ctrlA + "x" + ctrlY + ctrlU + "y;" + enter, "y;ab"},
		{"kill joins lines", "a" + enter + "b" + csiUp + ctrlE + ctrlK + ";" + enter, "a;b"},
		{"transpose", "ab" + ctrlT + ";" + enter, "ba;"},
		{"transpose within", "abc" + csiLeft + csiLeft + ctrlT + ctrlE + ";" + enter, "bac;"},
		{"undo", "abc" + bs + bs + ctrlUnderscore + ctrlUnderscore + ";" + enter, "abc;"},
		{"up within", "abc" + enter + "d" + csiUp + "X" + csiDown + "Y;" + enter, "aXbc\ndY;"},
		{"up keeps its column", "abcd" + enter + "e" + enter + "fghi" + csiUp + csiUp + "X" + csiDown + csiDown + ctrlE + ";" + enter, "abcdX\ne\nfghi;"},
		{"alt and enter", "a;" + esc + enter + "b;" + enter, "a;\nb;"},
		{"enter within a text", "ab;" + ctrlA + csiRight + enter, "ab;"},
		{"a marked paste", "\x1b[200~a\tb\rc\x1b[x\x01\x1b[201~;" + enter, "a\tb\nc\x1b[x\x01;"},
		{"a paste without marks", "\ta\t\tb;\t" + enter, "\ta\t\tb;\t"},
		{"unknown sequences", "a\x1b[1;2R\x1b[?1;2c\x1b]11;rgb:0/0/0\x07\x1b]0;x\x1b\\\x1bPq\x1b\\\x1b[99~b;" + enter, "ab;"},
		{"alt and a letter that means nothing", "a" + esc + "xb;" + enter, "axb;"},
		{"unknown controls", "a\x00\x1cb;" + enter, "ab;"},
		{"bytes that are no letters", "a\xffb\xe2\x82;" + enter, "a\xffb\xe2\x82;"},
		{"search", "first;" + enter + "second;" + enter + ctrlR + "irs" + enter, "first;"},
		{"search again", "ab1;" + enter + "ab2;" + enter + ctrlR + "AB" + ctrlR + enter, "ab1;"},
		{"search for nothing", "ab1;" + enter + "x;" + ctrlR + "zz\x07" + enter, "x;"},
		{"search and edit", "ab1;" + enter + ctrlR + "b1" + ctrlA + "X" + enter, "Xab1;"},
		{"history", "one;" + enter + "two;" + enter + csiUp + csiUp + enter, "one;"},
		{"history and back", "one;" + enter + "typed" + csiUp + csiDown + ";" + enter, "typed;"},
		{"edits in the history stay", "one;" + enter + "two;" + enter + csiUp + "X" + csiUp + csiDown + enter, "two;X"},
		{"twice the same", "one;" + enter + "two;" + enter + "two;" + enter + csiUp + csiUp + enter, "one;"},
		{"several lines of history", "a" + enter + "b;" + enter + csiUp + csiUp + "X" + enter, "aX\nb;"},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader} {
			if name == "byte by byte" && strings.Contains(tt.keys, "\t") && !strings.Contains(tt.keys, "\x1b[200~") {
				continue // then a Tab is a key
			}
			e := newEditor(io.Discard, 80, 24)
			e.in.pump(wrap(strings.NewReader(tt.keys)))
			got := ""
			for {
				s, err := e.Read(t.Context(), Prompts{"> ", "  "})
				if err != nil {
					break
				}
				got = s
			}
			if got != tt.want {
				t.Errorf("%s, %s: got %q, want %q", tt.name, name, got, tt.want)
			}
		}
	}
}

// TestTab: the key, with nothing behind it.
func TestTab(t *testing.T) {
	for _, tt := range []struct{ before, want string }{
		{"se", "SEL"}, {"x se", "x SEL"}, {"or", "orange"}, {"na", "naïve"}, {"o", "o"}, {"SEL", "SEL"}, {"zz", "zz"}, {"", ""},
	} {
		e := newEditor(io.Discard, 80, 24)
		e.buffer.set(tt.before)
		if _, err := e.apply(t.Context(), event{key: tab}); err != nil || string(e.buffer.text) != tt.want {
			t.Errorf("%q: got %q, want %q (%v)", tt.before, e.buffer.text, tt.want, err)
		}
	}
	e := newEditor(io.Discard, 80, 24)
	e.buffer.set("o")
	for _, want := range []string{"o", "orange", "other", "orange"} {
		if _, err := e.apply(t.Context(), event{key: tab}); err != nil || string(e.buffer.text) != want {
			t.Errorf("got %q, want %q (%v)", e.buffer.text, want, err)
		}
	}
}

// TestNotes: what is said about a suggestion stands beside it, and the hint below the text while there is no list.
func TestNotes(t *testing.T) {
	var screen bytes.Buffer
	e := newEditor(&screen, 30, 24)
	e.o.Suggest = func(_ context.Context, before, after string) []Suggestion {
		return []Suggestion{{Text: "alpha", Note: "INT64, 1 to 5"}, {Text: "beta_one", Note: "a note that is too long for a line"}, {Text: after}}
	}
	e.o.Hint = func(text []byte, cursor int) string { return fmt.Sprintf("hint of %s at %d", text, cursor) }
	e.buffer.set("xy")
	e.buffer.cursor = 1
	for _, step := range []struct {
		key  key
		want string
	}{
		{none, "\r\n\x1b[K\x1b[90mhint of xy at 1\x1b[0m"},
		{tab, "\r\n\x1b[Kalpha     \x1b[90mINT64, 1 to 5\x1b[0m\r\n\x1b[Kbeta_one  \x1b[90ma note that is too \x1b[0m\r\n\x1b[Ky"},
		{tab, "alphay"},
		{left, "hint of alphay at 4"},
	} {
		screen.Reset()
		if _, err := e.apply(t.Context(), event{key: step.key}); err != nil {
			t.Fatal(err)
		}
		if err := e.draw(); err != nil || !strings.Contains(screen.String(), step.want) {
			t.Errorf("%v: %q, want %q", err, screen.String(), step.want)
		}
	}
}

// TestTabOnScatteredLetters: what does not go on from the typed text is listed and takes its place only when it is chosen.
func TestTabOnScatteredLetters(t *testing.T) {
	e := newEditor(io.Discard, 80, 24)
	e.o.Suggest = func(context.Context, string, string) []Suggestion {
		return []Suggestion{{Text: "ML.ONE"}, {Text: "ML.OTHER"}}
	}
	e.buffer.set("o")
	for _, want := range []string{"o", "ML.ONE", "ML.OTHER", "ML.ONE"} {
		if _, err := e.apply(t.Context(), event{key: tab}); err != nil || string(e.buffer.text) != want {
			t.Errorf("got %q, want %q (%v)", e.buffer.text, want, err)
		}
	}
}

func TestEndAndInterrupt(t *testing.T) {
	e := newEditor(io.Discard, 80, 24)
	e.in.pump(strings.NewReader("a;" + enter + "b\x03c;" + enter + "de" + ctrlA + "\x04;\x04"))
	for _, want := range []struct {
		text string
		err  error
	}{{"a;", nil}, {"b", ErrInterrupted}, {"c;", nil}, {"", io.EOF}} {
		if got, err := e.Read(t.Context(), Prompts{"> ", "  "}); !errors.Is(err, want.err) || err == nil && got != want.text {
			t.Errorf("got %q, %v, want %q, %v", got, err, want.text, want.err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e = newEditor(io.Discard, 80, 24)
	if _, err := e.Read(ctx, Prompts{"> ", "  "}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestHistoryFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "history")
	if err := os.WriteFile(file, []byte("{\"datetime\":\"2026-01-01T00:00:00Z\",\"block\":\"old;\"}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var h history
	if err := h.load(file); err != nil {
		t.Fatal(err)
	}
	h.rewind()
	h.add(" a\n 'é';\n")
	h.add("a\n 'é';")
	h.add(strings.Repeat("x", maxKept+1))
	var again history
	if err := again.load(file); err != nil || fmt.Sprintf("%q", again.list) != `["old;" "a\n 'é';"]` {
		t.Errorf("got %q, %v", again.list, err)
	}
	var long bytes.Buffer
	for i := range 2*maxHistory + 5 {
		fmt.Fprintf(&long, "{\"block\":\"%d\"}\n", i)
	}
	if err := os.WriteFile(file, long.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again = history{}
	if err := again.load(file); err != nil || again.list[len(again.list)-1] != fmt.Sprint(2*maxHistory+4) {
		t.Errorf("the last is %q, %v", again.list[len(again.list)-1:], err)
	}
	if b, err := os.ReadFile(file); err != nil || bytes.Count(b, []byte("\n")) > maxHistory {
		t.Errorf("the file was not cut: %d lines, %v", bytes.Count(b, []byte("\n")), err)
	}
}

// decode gives what a terminal's bytes mean, however they are cut.
func decode(b []byte, cut func() int) string {
	var d decoder
	var out strings.Builder
	var waiting []byte
	for len(b) > 0 || len(waiting) > 0 {
		n := min(len(b), cut())
		waiting, b = append(waiting, b[:n]...), b[n:]
		for len(waiting) > 0 {
			ev, n := d.next(waiting, len(b) == 0)
			if n == 0 {
				break
			}
			switch waiting = waiting[n:]; ev.key {
			case none:
			case text:
				out.Write(ev.text)
			default:
				fmt.Fprintf(&out, "<%d>", ev.key)
			}
		}
	}
	return out.String()
}

// FuzzDecoder: bytes mean the same in whatever pieces they come, and no letter is lost.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("a\x1b[A\x1b[200~x\r\n\x1b[20\x1b[201~é\xff\x1b]0;t\x1b\\\x1bOA\t\tz\t"), uint64(1))
	f.Fuzz(func(t *testing.T, b []byte, seed uint64) {
		whole := decode(b, func() int { return len(b) })
		r := rand.New(rand.NewPCG(seed, 1))
		if got := decode(b, func() int { return 1 + r.IntN(4) }); got != whole {
			t.Fatalf("%q: at once %q, in pieces %q", b, whole, got)
		}
		if !bytes.ContainsAny(b, "\x1b") {
			want := strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return -1
				}
				return r
			}, strings.ToValidUTF8(string(b), ""))
			rest := whole
			for _, letter := range want {
				i := strings.IndexRune(rest, letter)
				if i < 0 {
					t.Fatalf("%q: %q is lost in %q", b, letter, whole)
				}
				rest = rest[i+len(string(letter)):]
			}
		}
	})
}

// glass is a terminal that knows the sequences that we write. It wraps nothing: a row that is too long fails the test.
type glass struct {
	t             *testing.T
	columns, rows int
	lines         [][]string // cells
	x, y          int
}

func (g *glass) Write(b []byte) (int, error) {
	s := string(b)
	for s != "" {
		switch {
		case s[0] == '\r':
			g.x, s = 0, s[1:]
		case s[0] == '\n':
			if g.y++; g.y == len(g.lines) {
				g.lines = append(g.lines, nil)
			}
			s = s[1:]
		case strings.HasPrefix(s, "\x1b["):
			i := strings.IndexAny(s, "ABCDJKHm")
			n := 1
			_, _ = fmt.Sscanf(s[2:i], "%d", &n)
			switch s[i] {
			case 'A':
				if g.y -= n; g.y < 0 || len(g.lines)-g.y > g.rows {
					g.t.Fatalf("the cursor leaves the screen, %d up of %d lines", n, len(g.lines))
				}
			case 'C':
				g.x += n
			case 'J', 'K':
				g.lines[g.y] = g.lines[g.y][:min(g.x, len(g.lines[g.y]))]
				if s[i] == 'J' {
					g.lines = g.lines[:g.y+1]
				}
			}
			s = s[i+1:]
		default:
			cluster, rest, w, _ := uniseg.FirstGraphemeClusterInString(s, -1)
			for len(g.lines[g.y]) < g.x+w {
				g.lines[g.y] = append(g.lines[g.y], " ")
			}
			if w > 0 {
				g.lines[g.y][g.x] = cluster
			}
			if g.x += w; g.x >= g.columns {
				g.t.Fatalf("a row is too long: %q", g.lines[g.y])
			}
			s = rest
		}
	}
	return len(b), nil
}

func (g *glass) text() string {
	var b strings.Builder
	for _, l := range g.lines {
		b.WriteString(strings.TrimRight(strings.Join(l, ""), " ") + "\n")
	}
	return b.String()
}

// TestScreen: after any keys the screen shows what a new one would show, and the cursor stands there too.
func TestScreen(t *testing.T) {
	keys := []event{{text, []byte("word ")}, {text, []byte("日本")}, {text, []byte(family)}, {text, []byte(cracked)}, {text, []byte("a longer text that fills rows")}, {text, []byte("\t")}, {text, []byte("\x01")},
		{key: alone}, {key: alone}, {key: up}, {key: up}, {key: down}, {key: left}, {key: right}, {key: home}, {key: end}, {key: backspace}, {key: deleteWordLeft}, {key: killRight}, {key: undo}, {key: yank}, {key: tab}, {key: tab}, {key: search}, {key: escape}}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		columns, rows := 12+r.IntN(30), 4+r.IntN(10)
		g := &glass{t: t, columns: columns, rows: rows, lines: [][]string{nil}}
		e := newEditor(g, columns, rows)
		for range 60 {
			ev := keys[r.IntN(len(keys))]
			if _, err := e.apply(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
			if err := e.draw(); err != nil {
				t.Fatal(err)
			}
			fresh := &glass{t: t, columns: columns, rows: rows, lines: [][]string{nil}}
			e2 := *e
			e2.screen = screen{out: fresh, size: e.screen.size}
			if err := e2.draw(); err != nil {
				t.Fatal(err)
			}
			if g.text() != fresh.text() || g.x != fresh.x || g.y != fresh.y {
				t.Fatalf("seed %d, key %d: at %d,%d\n%s\nwant at %d,%d\n%s", seed, ev.key, g.x, g.y, g.text(), fresh.x, fresh.y, fresh.text())
			}
		}
		text := string(e.buffer.text)
		e.screen = screen{out: g, size: e.screen.size}
		g.lines, g.x, g.y = [][]string{nil}, 0, 0
		if err := e.finish(""); err != nil {
			t.Fatal(err)
		}
		shown := strings.Join(strings.Fields(g.text()), "")
		text = strings.NewReplacer("\x01", "^A").Replace(text)
		if want := strings.Join(strings.Fields(text), ""); shown != ">"+want {
			t.Fatalf("seed %d: the text is %q, shown is %q", seed, want, shown)
		}
	}
}

// TestLook pins what the screen looks like.
func TestLook(t *testing.T) {
	g := &glass{t: t, columns: 24, rows: 10, lines: [][]string{nil}}
	e := newEditor(g, 24, 10)
	e.buffer.set("SELECT 'a text over rows',\n '日本' sel")
	e.complete(t.Context())
	if err := e.draw(); err != nil {
		t.Fatal(err)
	}
	want := "> SELECT 'a text over r\n  ows',\n   '日本' sel\nSELECT     SELECTION\nselfish\n"
	if got := strings.ReplaceAll(g.text(), "日 本 ", "日本"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestInterruptInALongPaste: Ctrl-C is found where it stands also after what was used has been cut off.
func TestInterruptInALongPaste(t *testing.T) {
	in := newTestInput()
	in.pump(strings.NewReader(strings.Repeat("a\r", 1<<20) + "\x03" + "b\r\x03c"))
	for range 3 << 19 { // past the place where what was used is cut off
		if _, ok, _, err := in.next(false); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if in.used > 1<<20 {
		t.Fatal("nothing was cut off")
	}
	interrupts := 0
	in.during(func() { interrupts++ })
	if ev, ok, _, _ := in.next(true); !ok || string(ev.text) != "c" || interrupts != 1 {
		t.Errorf("got %v %q after %d interrupts, want c after one", ok, ev.text, interrupts)
	}
	if dropped := in.during(nil); !dropped {
		t.Error("nothing was dropped")
	}
	in.during(func() { interrupts++ })
	if interrupts != 1 {
		t.Error("one Ctrl-C interrupted twice")
	}
}

func newTestInput() *input {
	in, err := newInput(nil)
	if err != nil {
		panic(err)
	}
	return in
}
