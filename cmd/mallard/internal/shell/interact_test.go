package shell_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
)

// person is somebody at the keyboard of a pseudo-terminal on which a shell runs.
type person struct {
	t        *testing.T
	conn     *sql.Conn
	keyboard *os.File
	hold     chan chan struct{} // a channel in it makes the next statement wait for that channel
	over     chan error
	sh       *shell.Shell
	mu       sync.Mutex
	screen   bytes.Buffer
}

func sitDown(t *testing.T, o shell.Options, on ...shell.DB) *person {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keyboard, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm-256color")
	p := &person{t: t, conn: open(t), keyboard: keyboard, hold: make(chan chan struct{}, 1), over: make(chan error, 1)}
	if _, err := p.conn.ExecContext(t.Context(), "CREATE TABLE seen(k VARCHAR)"); err != nil {
		t.Fatal(err)
	}
	o.In, o.Out, o.Err, o.OutTerminal, o.ErrTerminal = tty, tty, tty, true, true
	o.Split = func(src string) (list []shell.Statement) {
		for _, st := range dialect.Split(src, dialect.Auto) {
			list = append(list, shell.Statement{Pos: st.Pos, End: st.End})
		}
		return list
	}
	o.Completion = func() shell.Completion { return dialect.NewCompletion(dialect.Auto) }
	o.Begin = func(ctx context.Context, _ string, _ func(string)) (context.Context, shell.Progress) {
		select {
		case until := <-p.hold:
			select {
			case <-until:
			case <-ctx.Done():
			}
		default:
		}
		return ctx, nil
	}
	p.sh = shell.New(append(on, p.conn)[0], o)
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := keyboard.Read(b)
			p.mu.Lock()
			p.screen.Write(b[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { p.over <- p.sh.Interact(t.Context()) }()
	t.Cleanup(func() {
		tty.Close()
		keyboard.Close()
	})
	p.await("mallard> ")
	return p
}

func (p *person) press(keys string) {
	p.t.Helper()
	if _, err := p.keyboard.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// await waits until the screen has these texts, each behind the one before it.
func (p *person) await(want ...string) {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		p.mu.Lock()
		rest, found := p.screen.Bytes(), true
		for _, w := range want {
			var ok bool
			_, rest, ok = bytes.Cut(rest, []byte(w))
			found = found && ok
		}
		p.mu.Unlock()
		if found {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := p.screen.Bytes()
	p.t.Fatalf("%q did not come; the last that came: %q", want, last[max(0, len(last)-2000):])
}

// leave ends the shell and gives what was inserted into seen, in the order in which it was.
func (p *person) leave() (seen []string) {
	p.t.Helper()
	p.press(".quit\r")
	select {
	case err := <-p.over:
		var exit shell.Exit
		if !errors.As(err, &exit) {
			p.t.Errorf("the shell ended with %v", err)
		}
	case <-time.After(time.Minute):
		p.t.Fatal("the shell did not end")
	}
	rows, err := p.conn.QueryContext(context.Background(), "SELECT k FROM seen ORDER BY rowid")
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			p.t.Fatal(err)
		}
		seen = append(seen, k)
	}
	return seen
}

// inserts gives so many statements, now and then one of several lines, and what they insert.
func inserts(n int, newline string) (text string, want []string) {
	var b strings.Builder
	for i := range n {
		k := fmt.Sprintf("%d é 👩‍👩‍👧", i)
		if want = append(want, k); i%10 == 3 {
			fmt.Fprintf(&b, "INSERT INTO seen%s\tVALUES%s('%s');%s", newline, newline, k, newline)
		} else {
			fmt.Fprintf(&b, "INSERT INTO seen VALUES ('%s');%s", k, newline)
		}
	}
	return b.String(), want
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d ran of %d, the first difference is at %d: %q, want %q", len(got), len(want), i, got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))])
		}
	}
}

// TestPaste: each statement of a paste runs once and in order, however newlines come and whether the terminal marks it.
func TestPaste(t *testing.T) {
	for _, tt := range []struct {
		name, newline string
		marked        bool
		n             int
	}{
		{"carriage returns", "\r", false, 2000},
		{"line feeds", "\n", false, 100},
		{"both", "\r\n", false, 100},
		{"marked", "\r", true, 2000},
		{"marked, line feeds", "\n", true, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := sitDown(t, shell.Options{HistoryFile: filepath.Join(t.TempDir(), "history")})
			text, want := inserts(tt.n, tt.newline)
			if tt.marked {
				text = "\x1b[200~" + text + "\x1b[201~"
			}
			p.press(text)
			same(t, p.leave(), want)
		})
	}
}

// TestPasteOfOneString: lines that end in a semicolon inside a string end nothing.
func TestPasteOfOneString(t *testing.T) {
	p := sitDown(t, shell.Options{})
	body := "\n" + strings.Repeat("a line; of a text;\n", 3000)
	p.press("INSERT INTO seen VALUES ('" + strings.ReplaceAll(body, "\n", "\r") + "');\r")
	same(t, p.leave(), []string{body})
}

// TestTypedAhead: what is typed faster than it runs runs. The four persons type side by side, each with pauses of their own.
func TestTypedAhead(t *testing.T) {
	text, want := inserts(100, "\r")
	statements := strings.SplitAfter(text, ";\r")
	pauses := []time.Duration{0, 5, 20, 50}
	var persons []*person
	for range pauses {
		persons = append(persons, sitDown(t, shell.Options{}))
	}
	typed := make([]int, len(pauses))
	for begin, all := time.Now(), 0; all < len(pauses)*len(statements); time.Sleep(time.Millisecond) {
		for i, pause := range pauses {
			for ; typed[i] < len(statements) && time.Since(begin) >= time.Duration(typed[i])*pause*time.Millisecond; typed[i]++ {
				persons[i].press(statements[typed[i]])
				all++
			}
		}
	}
	for i, p := range persons {
		t.Run(fmt.Sprint(int(pauses[i]), " ms"), func(t *testing.T) { same(t, p.leave(), want) })
	}
	t.Run("byte by byte", func(t *testing.T) {
		p := sitDown(t, shell.Options{})
		text, want := inserts(40, "\r")
		for i := range len(text) {
			p.press(text[i : i+1])
		}
		same(t, p.leave(), want)
	})
}

// TestPasteWhileAStatementRuns: the kernel would hold 4 KB of it.
func TestPasteWhileAStatementRuns(t *testing.T) {
	for _, marks := range [][2]string{{"", ""}, {"\x1b[200~", "\x1b[201~"}} {
		p := sitDown(t, shell.Options{})
		until := make(chan struct{})
		p.hold <- until
		text, want := inserts(300, "\r")
		want = append([]string{"slow"}, want...)
		p.press("INSERT INTO seen VALUES ('slow');\r" + marks[0] + text[:10_000])
		p.press(text[10_000:] + marks[1] + "INSERT INTO seen VALUES ('half") // and the beginning of a line
		close(until)
		time.Sleep(20 * time.Millisecond)
		p.press(" and half');\r")
		same(t, p.leave(), append(want, "half and half"))
	}
}

// TestLargePaste: a statement of a megabyte in one line, or of some thousand lines, with semicolons in strings and letters of several bytes.
func TestLargePaste(t *testing.T) {
	for name, tt := range map[string]struct {
		unit  string
		units int
	}{
		"one line":     {"0123456789 abcdefghijklmnopqrstuvwxyz; ", 27_000},
		"many lines":   {"0123456789; abcdefghijklmnopqrstuvwxyz\n", 4000},
		"wide letters": {"日本語 é 👩‍👩‍👧 naïve\n", 4000},
		"tabs":         {"a\tb\t\tc\t\n", 4000},
	} {
		for _, marks := range [][2]string{{"", ""}, {"\x1b[200~", "\x1b[201~"}} {
			t.Run(name+fmt.Sprint(len(marks[0])), func(t *testing.T) {
				value := strings.Repeat(tt.unit, tt.units)
				p := sitDown(t, shell.Options{})
				p.press(marks[0] + "INSERT INTO seen VALUES (md5('" + strings.ReplaceAll(value, "\n", "\r") + "'));\rINSERT INTO seen VALUES ('after');\r" + marks[1])
				same(t, p.leave(), []string{fmt.Sprintf("%x", md5.Sum([]byte(value))), "after"})
			})
		}
	}
}

// TestLettersStayWhatTheyAre: bytes reach DuckDB as they were typed, composed or not, also one by one.
func TestLettersStayWhatTheyAre(t *testing.T) {
	letters := []string{
		"e\u0301", "\u00e9", "a\u0308\u0323", "👩‍👩‍👧", "👍🏽", "🇩🇪🇫🇷", "한국", "\u1112\u1161\u11ab", "नमस्ते", "שָׁלוֹם", "e\u0301\u0301\u0301", "\u0301", "\u200d", "\ufeff", "\u00a0", "𝒳", "\u2028",
	}
	p := sitDown(t, shell.Options{})
	var want []string
	for i, s := range letters {
		statement := "INSERT INTO seen VALUES (hex('" + s + "'));\r"
		if want = append(want, fmt.Sprintf("%X", s)); i%2 == 0 {
			p.press(statement)
			continue
		}
		for i := range len(statement) {
			p.press(statement[i : i+1])
			time.Sleep(time.Millisecond)
		}
	}
	same(t, p.leave(), want)
}

// TestInterrupt: Ctrl-C ends what runs and what was typed for the time after it; at the prompt it drops the text. The shell goes on.
func TestInterrupt(t *testing.T) {
	p := sitDown(t, shell.Options{})
	p.hold <- make(chan struct{})
	p.press("SELECT 'held';\r")
	p.press("INSERT INTO seen VALUES ('typed ahead');\r")
	p.press("\x03")
	p.await("What was typed ahead is dropped.")
	p.press("INSERT INTO seen VALUES ('one');\rSELECT 'ran ' || 'one';\r")
	p.await("ran one", "mallard> ") // before the prompt Ctrl-C would be the statement's
	p.press("INSERT INTO seen VALUES ('wrong')\x03INSERT INTO seen VALUES ('two');\r")
	p.await("^C")
	same(t, p.leave(), []string{"one", "two"})
}

// deaf is a database whose statement does not hear that it is to end until it is let go, as inside DuckDB's repeat.
type deaf struct {
	*sql.Conn
	until chan struct{}
}

func (d deaf) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if strings.Contains(query, "'deaf'") {
		<-d.until
		ctx = context.WithoutCancel(ctx)
	}
	return d.Conn.QueryContext(ctx, query, args...)
}

// TestInterruptInsideAFunction: Ctrl-C gives the prompt back although DuckDB does not stop. What follows has another connection while that
// lasts, and the same one after it.
func TestInterruptInsideAFunction(t *testing.T) {
	conn, another := open(t), open(t)
	for c, name := range map[*sql.Conn]string{conn: "first", another: "second"} {
		if _, err := c.ExecContext(t.Context(), "CREATE TABLE which AS SELECT '"+name+"' AS name"); err != nil {
			t.Fatal(err)
		}
	}
	for _, ends := range []bool{true, false} {
		d := deaf{conn, make(chan struct{})}
		p := sitDown(t, shell.Options{Another: func(context.Context) (shell.DB, error) { return another, nil }}, d)
		p.press("SELECT 'deaf' || 'ly' FROM range(3);\r")
		p.press("\x03")
		p.await("cannot stop")
		if ends {
			close(d.until)
			for p.sh.Unended() {
				time.Sleep(time.Millisecond)
			}
		}
		p.press("SELECT 'on the ' || name FROM which;\r")
		if ends {
			p.await("on the first")
		} else {
			p.await("runs on a new connection")
			p.await("on the second")
			close(d.until)
		}
		p.press(".exit 5\r")
		if err := <-p.over; !errors.Is(err, shell.Exit{Code: 5}) {
			t.Error(err)
		}
		p.mu.Lock()
		if bytes.Contains(p.screen.Bytes(), []byte("deafly")) {
			t.Errorf("what was left behind has printed: %q", p.screen.String())
		}
		p.mu.Unlock()
	}
}

// TestEndOfTerminal: a terminal that goes away ends the shell after what it had sent.
func TestEndOfTerminal(t *testing.T) {
	p := sitDown(t, shell.Options{})
	p.press("INSERT INTO seen VALUES ('last');\rINSERT INTO seen VALUES ('not finished\x04\x15\x04")
	select {
	case err := <-p.over:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the shell did not end")
	}
}

func TestDumbTerminal(t *testing.T) {
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close()
	t.Setenv("TERM", "dumb")
	var out bytes.Buffer
	sh := shell.New(open(t), shell.Options{In: tty, Out: &out, Err: &out, Format: shell.Format{Mode: shell.List, NoHeader: true}})
	if _, err := keyboard.WriteString("SELECT 'o' ||\n'ne';\n.nonsense\nSELECT 'two';\n.exit 3\n"); err != nil {
		t.Fatal(err)
	}
	var exit shell.Exit
	if err := sh.Interact(t.Context()); !errors.As(err, &exit) || exit.Code != 3 {
		t.Errorf("got %v", err)
	}
	for _, want := range []string{"mallard> one\n", "unknown command", "mallard> two\n"} {
		if !strings.Contains(out.String(), want) || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q is missing in %q", want, out.String())
		}
	}
}

// TestHabits: colours, words for commands, a program that has the terminal for itself, the pager and the last result.
func TestHabits(t *testing.T) {
	t.Setenv("PAGER", "sed s/^/paged:/")
	p := sitDown(t, shell.Options{Colored: true, Keyword: func(w string) bool { return w == "SELECT" }, Database: func() string { return "there" },
		Pieces: func(text string) (list []shell.Piece) {
			for _, p := range dialect.Pieces(text, dialect.DuckDB) {
				class := map[dialect.Class]shell.Class{dialect.Punctuation: shell.Punctuation, dialect.Number: shell.Number}[p.Class]
				list = append(list, shell.Piece{Pos: p.Pos, End: p.End, Class: class})
			}
			return list
		},
		Suggest: func(_ context.Context, before, after string) []shell.Suggestion {
			return []shell.Suggestion{{Text: "after <" + after + ">", Start: len(before), Note: "a note"}, {Text: "other", Start: len(before)}}
		},
		Hint: func(before, after string) string {
			if strings.HasSuffix(before, "abs(7") {
				return "before <" + after + ">"
			}
			return ""
		}})
	for _, step := range []struct{ keys, want string }{
		{"SELECT abs(7", "\x1b[32mSELECT\x1b[0m \x1b[36mabs\x1b[0m(\x1b[33m7\x1b[0m"},
		{"\x1b[D\x1b[C", "\x1b[90mbefore <>\x1b[0m"},
		{")", "\x1b[1;4m(\x1b[0m\x1b[33m7\x1b[0m\x1b[1;4m)"},
		{"];", "\x1b[31m]"},
		{"\x03SELECT x\x1b[D\t", "\x1b[90ma note\x1b[0m"},
		{"\t", "after <x>"},
		{"\x03SELECT 12345678 AS n;\r", "(12.35 million)"},
		{"SELECT nope;\r", "\x1b[31m"},
		{".shell read x; echo got-$x\r", "read x"},
		{"typed\r", "got-typed"},
		{"help\r", ".timer on|off"},
		{".mode list\rSELECT i FROM range(100) t(i);\r", "paged:99"},
		{".pager off\r.mode csv\r.last\r", "\n99\r\r\n"},
		{".mode duckbox\rSELECT 'a' || chr(10) || 'second line' AS t;\r", "\x1b[90m│\x1b[0m second line "},
		{".prompt '{database}? '\r", "there? "},
		{".last\r", "second line"},
		{".mode jsonl\t", "\x1b[32m.mode\x1b[0m jsonlines"},
		{"\x03.read interact_\t", "interact_test.go"},
		{"\x03", "^C"},
	} {
		p.mu.Lock()
		p.screen.Reset()
		p.mu.Unlock()
		p.press(step.keys)
		p.await(step.want)
	}
	p.leave()
}
