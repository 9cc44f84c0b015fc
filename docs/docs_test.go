// Package docs_test runs what the documentation shows, as a newcomer would who reads page after page and types what is printed.
package docs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/sqllogic"
)

// What may stand behind a block's language. A reason keeps the block from being run, or its text from being compared. The others say
// how it is run.
var reasons = []string{"long", "cloud account", "needs Ollama", "fetches a module", "grammar", "needs the clients", "needs Beam"}

const (
	background = "background"   // a server, which runs until the last page is read
	configFile = "mallard.toml" // the text becomes the configuration of what follows
	wrong      = "wrong"        // a configuration that stops the start
	tutorials  = "tutorials"    // SQL for a shell that knows the tutorials' buckets and tables
	output     = "output"       // a text: what the block before has printed, at its end; … stands for anything
)

type block struct {
	line           int
	language, word string
	text           string
}

// TestDocs runs the blocks of README and of every page, in the order printed, in a folder that looks like a fresh clone after
// `make build models tensorflow`. Each page has a database of its own.
func TestDocs(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	clone, env, port := freshClone(t, root), isolated(t), freePort(t)
	var stop func()
	defer func() { reader{stop: &stop}.end() }()
	ran, compared, marked := 0, 0, map[string]int{}
	for _, page := range pages(t) {
		t.Run(filepath.Base(page), func(t *testing.T) {
			r := reader{stop: &stop, root: root, clone: clone, env: env, port: port, database: strings.TrimSuffix(filepath.Base(page), ".md") + ".db"}
			var printed []byte
			list := blocks(t, page)
			for i := 0; i < len(list); i++ {
				b := list[i]
				switch {
				case b.language == "python": // `make clients` runs those
					marked["needs the clients"]++
				case slices.Contains(reasons, b.word):
					marked[b.word]++
				case b.word == output:
					if !shows(string(printed), b.text) {
						t.Errorf("%s:%d: the page prints\n%sand this came:\n%s", page, b.line, b.text, printed)
					}
					compared++
				case b.language == "text":
					t.Errorf("%s:%d: a text that is neither %s nor marked", page, b.line, output)
				case b.language == "sql": // those that follow one another are typed into one shell
					n := 1
					for i+n < len(list) && list[i+n].language == "sql" && list[i+n].word == b.word {
						n++
					}
					var err error
					if printed, err = r.shell(t, list[i:i+n]); err != nil {
						t.Errorf("%s:%d: %v\n%s", page, b.line, err, printed)
					}
					ran, i = ran+n, i+n-1
				default:
					var err error
					if printed, err = r.run(t, b); err != nil {
						t.Errorf("%s:%d: %v\n%s", page, b.line, err, printed)
					}
					ran++
				}
			}
		})
	}
	t.Logf("%d blocks run as printed, %d outputs as printed; marked: %v", ran, compared, marked)
	if ran < 50 || compared < 2 {
		t.Errorf("only %d blocks were found, and %d outputs", ran, compared)
	}
}

// shows reports whether an output ends as a page prints it: word by word, since a table's columns are as wide as what stands in them.
func shows(got, printed string) bool {
	words := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune("─┌┐└┘├┤┬┴┼│", r)
		}), " ")
	}
	pattern := regexp.QuoteMeta(words(printed))
	pattern = regexp.MustCompile(`…[^…]*…|…`).ReplaceAllLiteralString(pattern, ".*")
	return regexp.MustCompile("(?:^| )" + pattern + "$").MatchString(words(got))
}

// TestShows: a page that prints something else is noticed.
func TestShows(t *testing.T) {
	const table = "┌───┬───┐\n│ a │ b │\n├───┼───┤\n│ 1 │ x │\n└───┴───┘\n"
	for printed, want := range map[string]bool{
		table: true, strings.ReplaceAll(table, "─", "──"): true, "│ a │ b │\n│ 1 │ … │\n": true, "b 1 x": true, "│ [… what it is …] │ x │": false,
		strings.ReplaceAll(table, "1", "2"): false, "a b 1": false, " 1 x x": false,
	} {
		if shows("created\n"+table, printed) != want {
			t.Errorf("%q: %v", printed, !want)
		}
	}
}

// isolated gives the environment of the blocks: a cache folder of their own, which has TensorFlow and GoogleSQL's analyzer of the
// user's, and no models.
func isolated(t *testing.T) []string {
	t.Helper()
	user, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	if err := os.Mkdir(filepath.Join(own, "mallard"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go-build", filepath.Join("mallard", "tensorflow"), filepath.Join("mallard", "googlesql")} {
		if _, err := os.Stat(filepath.Join(user, name)); err != nil {
			continue
		}
		if err := os.Symlink(filepath.Join(user, name), filepath.Join(own, name)); err != nil {
			t.Fatal(err)
		}
	}
	return append(os.Environ(), "XDG_CACHE_HOME="+own, "MALLARD_CONFIG=")
}

// freePort gives a port for the server of the pages, which they print as 8180.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// pages gives README and the pages, in the order in which docs/README.md leads to them.
func pages(t *testing.T) []string {
	t.Helper()
	index, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b string) int {
		return strings.Index(string(index), "("+a) - strings.Index(string(index), "("+b)
	})
	return append([]string{"../README.md"}, all...)
}

// freshClone gives a folder with everything of the repository and with bin/mallard built, where a page may write.
func freshClone(t *testing.T, root string) string {
	t.Helper()
	clone := t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "bin" || e.Name() == ".git" || strings.HasSuffix(e.Name(), ".db") || e.Name() == configFile {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(clone, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	build := goBuild(t, root, "-o", filepath.Join(clone, "bin", "mallard"), "./cmd/mallard")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return clone
}

// goBuild compiles as this test was compiled: with the race detector or without, so that no package is compiled in two ways for one run.
func goBuild(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	flags := []string{"build"}
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-race" {
			flags = append(flags, "-race="+s.Value)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", append(flags, args...)...)
	cmd.Dir = dir
	return cmd
}

// blocks gives the fenced blocks of a page. A fence stands alone on its line, so that a block may hold backticks.
func blocks(t *testing.T, page string) []block {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	open, n := false, 0
	for line := range strings.Lines(string(text)) {
		n++
		switch bare := strings.TrimRight(line, "\n"); {
		case !open && strings.HasPrefix(bare, "```"):
			language, word, _ := strings.Cut(bare[3:], " ")
			known := word == "" || slices.Contains(reasons, word) || slices.Contains([]string{background, configFile, wrong, output, tutorials}, word)
			if !known || !slices.Contains([]string{"sh", "sql", "go", "toml", "test", "text", "python", "yaml", "java", "js"}, language) {
				t.Errorf("%s:%d: %q is no language and no reason that this test knows", page, n, bare[3:])
			}
			found = append(found, block{line: n, language: language, word: word})
			open = true
		case bare == "```":
			open = false
		case open:
			found[len(found)-1].text += line
		}
	}
	return found
}

type reader struct {
	stop                  *func() // ends the server that runs
	root, clone, database string
	env                   []string
	port                  string
}

func (r reader) run(t *testing.T, b block) ([]byte, error) {
	switch b.language {
	case "sh":
		if b.word == background {
			return nil, r.serve(b.text)
		}
		return r.command(t, "bash", "-e", "-o", "pipefail", "-c", b.text)
	case "toml":
		if b.word == wrong {
			return r.refused(t, b.text)
		}
		b.text = strings.ReplaceAll(b.text, "8180", r.port)
		if b.word == configFile {
			r.write(t, configFile, b.text)
		}
		_, err := mallard.LoadConfig(r.write(t, "block.toml", b.text))
		return nil, err
	case "go":
		return r.compile(t, b.text)
	default:
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("line_%d.test", b.line)), []byte(b.text), 0o600); err != nil {
			return nil, err
		}
		sqllogic.Run(t, dir, sqllogic.Options{
			Begin:   emulate.Suite{}.Begin,
			Require: func(name string) (bool, string) { return name == "tensorflow", "" },
			Vars:    map[string]string{"MODELS": filepath.Join(r.root, "testdata", "models")},
		})
		return nil, nil
	}
}

// shell runs blocks of SQL. An error names the line of its block.
func (r reader) shell(t *testing.T, list []block) ([]byte, error) {
	args := []string{r.database}
	if list[0].word == tutorials {
		args = append(args, "-tutorials")
	}
	for _, b := range list {
		args = append(args, "-f", r.write(t, fmt.Sprintf("line_%d.sql", b.line), b.text))
	}
	return r.command(t, "bin/mallard", args...)
}

func (r reader) write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(r.clone, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (r reader) command(t *testing.T, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(t.Context(), name, args...)
	if strings.HasPrefix(name, "bin/") {
		cmd.Path, cmd.Err = filepath.Join(r.clone, name), nil
	}
	cmd.Dir, cmd.Env = r.clone, r.env
	return cmd.CombinedOutput()
}

// refused gives what the shell says of a configuration that is wrong, in a folder of its own.
func (r reader) refused(t *testing.T, text string) ([]byte, error) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(r.clone, "bin", "mallard"), "-c", "SELECT 1")
	cmd.Dir, cmd.Env = dir, r.env
	out, err := cmd.CombinedOutput()
	if err == nil {
		return out, errors.New("the configuration is taken")
	}
	return out, nil
}

func (r reader) end() {
	if *r.stop != nil {
		(*r.stop)()
	}
}

// serve starts a server in the place of the one before. It stays while the later pages are read.
func (r reader) serve(text string) error {
	r.end()
	address := "127.0.0.1:" + r.port
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", "exec "+strings.TrimSpace(text)+" -addr "+address)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.clone, r.env, &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait(); close(ended) }()
	*r.stop = func() {
		_ = cmd.Process.Kill()
		<-ended
		*r.stop = nil
	}
	for {
		select {
		case err := <-ended:
			return fmt.Errorf("%w\n%s", err, &out)
		case <-time.After(50 * time.Millisecond):
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
	}
}

// unused is what the compiler says of a fragment alone.
var unused = regexp.MustCompile(`declared and not used|imported (as \w+ )?and not used|^#|too many errors`)

// compile builds a fragment within what its page takes for given.
func (r reader) compile(t *testing.T, text string) ([]byte, error) {
	const head = `package page
import (
	"context"; "database/sql"; "errors"; "fmt"; "log"; "testing"
	"github.com/duckdb/duckdb-go/v2"; "github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension/arrowquery"; "github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/sqllogic"
)
`
	if !strings.HasPrefix(text, "func ") && !strings.HasPrefix(text, "type ") {
		text = "func _(ctx context.Context, db *sql.DB, conn *sql.Conn, query string, myAdd duckdb.ScalarFunc) error {\n{\n" + text + "\n}\nreturn nil\n}\n"
	}
	file := filepath.Join(t.TempDir(), "page.go")
	if err := os.WriteFile(file, []byte(head+text), 0o600); err != nil {
		return nil, err
	}
	out, err := goBuild(t, r.root, "-gcflags=-e", file).CombinedOutput() // of a package that is not main: nothing is linked
	if err == nil {
		return nil, nil
	}
	var wrong []byte
	for line := range bytes.Lines(out) {
		if !unused.Match(line) {
			wrong = append(wrong, line...)
		}
	}
	if wrong == nil {
		return nil, nil
	}
	return wrong, err
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unusual = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestDocLinks: what the pages point to is there, headings within pages included.
func TestDocLinks(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil || len(pages) < 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	text := map[string]string{}
	read := func(file string) string {
		if _, ok := text[file]; !ok {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Error(err)
			}
			text[file] = string(b)
		}
		return text[file]
	}
	for _, page := range append(pages, "../README.md") {
		for _, m := range link.FindAllStringSubmatch(read(page), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			file := page
			if to != "" {
				file = filepath.Join(filepath.Dir(page), to)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if anchor == "" {
				continue
			}
			found := false
			for _, h := range heading.FindAllStringSubmatch(read(file), -1) {
				slug := strings.ReplaceAll(unusual.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")
				found = found || slug == anchor
			}
			if !found {
				t.Errorf("%s: there is no heading %s", page, m[1])
			}
		}
	}
}

// TestNamedTests: the tests that the pages of security and reliability rest on are there.
func TestNamedTests(t *testing.T) {
	var page []byte
	for _, name := range []string{"security.md", "reliability.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page = append(page, text...)
	}
	var sources []byte
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "../build" || path == "../.git"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		sources = append(sources, text...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z]*)`").FindAllSubmatch(page, -1)
	files := regexp.MustCompile("`(testdata/[^`]*/[^`]*)`").FindAllSubmatch(page, -1)
	if len(names) < 20 || len(files) < 5 {
		t.Errorf("the page names %d tests and %d files", len(names), len(files))
	}
	for _, m := range names {
		if !bytes.Contains(sources, []byte("func "+string(m[1])+"(")) {
			t.Errorf("there is no %s", m[1])
		}
	}
	for _, m := range files {
		if _, err := os.Stat("../" + string(m[1]) + ".test"); err != nil {
			t.Error(err)
		}
	}
}
