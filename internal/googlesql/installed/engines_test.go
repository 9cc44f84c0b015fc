package installed_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/wasm"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"google.golang.org/protobuf/proto"
)

// engines gives the analyzers of this machine: that of the wheels, and the native one where it is there.
func engines(t testing.TB) map[string]analyzer.Service {
	t.Helper()
	all := map[string]analyzer.Service{}
	for name, find := range map[string]func() (installed.Source, error){"native": installed.FindNative, "wasm": installed.FindWASM} {
		source, err := find()
		if errors.Is(err, installed.ErrNone) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if all[name], err = source.Open(func(line string) { t.Log(line) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(all) == 0 {
		t.Skip("no analyzer of GoogleSQL is installed")
	}
	return all
}

// each runs a test over every analyzer.
func each(t *testing.T, run func(t *testing.T, s analyzer.Service, a *analyzer.Analyzer)) {
	for name, s := range engines(t) {
		t.Run(name, func(t *testing.T) {
			a, err := analyzer.New(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			run(t, s, a)
		})
	}
}

var people = &analyzer.Catalog{Tables: []analyzer.Table{{Path: []string{"people"}, Columns: []googlesql.Field{
	{Name: "id", Type: googlesql.Type{Kind: googlesql.Int64}}, {Name: "name", Type: googlesql.Type{Kind: googlesql.String}}}}}}

// TestAnswers: statements and errors, with their places, in Google's words.
func TestAnswers(t *testing.T) {
	each(t, func(t *testing.T, _ analyzer.Service, a *analyzer.Analyzer) {
		for sql, want := range map[string]string{
			"SELECT 1":                 "",
			"SELECT id FROM people":    "",
			"SELECT\n  aa FROM people": "Unrecognized name: aa [at 2:3]",
			"SELECT 1 +":               "Syntax error: Unexpected end of statement [at 1:11]",
			"SELECT * FROM persons":    "Table not found: persons [at 1:15]",
			"SELECT TIMESTAMP '2020-01-01 00:00:00 America/New_York'": "",
			"SELECT TIMESTAMP '2020-01-01 00:00:00 America/Nowhere'":  "Invalid TIMESTAMP literal [at 1:8]",
			"SELECT 'ä' || x": "Unrecognized name: x [at 1:15]",
		} {
			_, err := a.Analyze(context.Background(), sql, people, analyzer.Parameters{})
			if got := message(err); got != want {
				t.Errorf("%s: %q, want %q", sql, got, want)
			}
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSameTrees: both analyzers resolve a statement to the same tree.
func TestSameTrees(t *testing.T) {
	all := engines(t)
	if len(all) < 2 {
		t.Skip("only one analyzer is installed")
	}
	for _, sql := range []string{
		"SELECT id, COUNT(*) FROM people GROUP BY id HAVING COUNT(*) > 1 ORDER BY 2 LIMIT 3",
		"FROM people |> WHERE id > 1 |> AGGREGATE COUNT(*) AS n GROUP BY name |> ORDER BY n DESC",
		"SELECT * FROM people PIVOT(COUNT(*) FOR name IN ('a', 'b'))",
		"SELECT ARRAY(SELECT AS STRUCT * FROM people), CAST(1 AS NUMERIC) + 1.5, name LIKE ANY ('a%', 'b%') FROM people",
		"SELECT TIMESTAMP '2020-01-01 00:00:00 America/New_York', DATE '2020-01-01' + INTERVAL 1 MONTH",
	} {
		var trees []string
		for _, s := range all {
			a, err := analyzer.New(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			tree, err := a.Analyze(context.Background(), sql, people, analyzer.Parameters{})
			if err != nil {
				t.Fatal(err)
			}
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			trees = append(trees, string(b))
		}
		if trees[0] != trees[1] {
			t.Errorf("%s: the trees differ", sql)
		}
	}
}

// TestEmptyCache: without an analyzer the error says how to get one, and one that is named is not passed over.
func TestEmptyCache(t *testing.T) {
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	t.Setenv(installed.EnvLibrary, "")
	_, err := installed.Find("")
	if !errors.Is(err, installed.ErrNone) || !strings.Contains(err.Error(), "mallard doctor -install googlesql") {
		t.Errorf("an empty cache: %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "cache")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking left something in the cache: %v", err)
	}
	if _, err := installed.Find(filepath.Join(root, "no.so")); err == nil || errors.Is(err, installed.ErrNone) || !strings.Contains(err.Error(), "configuration says") {
		t.Errorf("a library that is not there: %v", err)
	}
	file := filepath.Join(root, "x.so")
	if err := os.WriteFile(file, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{file, file[:len(file)-2] + "jar"} {
		if err := os.WriteFile(file, []byte("no library"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := installed.Find(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Open(nil); err == nil || !strings.Contains(err.Error(), "damaged or of another version") {
			t.Errorf("a file that is no library: %v", err)
		}
	}
}

// TestDamaged: files that are missing, damaged or of another version are refused in words, and a damaged compilation is made anew.
func TestDamaged(t *testing.T) {
	source, err := installed.FindWASM()
	if err != nil {
		t.Skip(err)
	}
	junk := filepath.Join(t.TempDir(), "junk")
	if err := os.WriteFile(junk, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*wasm.Files){
		"GoogleSQL's runtime: open":                            func(f *wasm.Files) { f.Runtime += ".none" },
		"is damaged or of another version: its hash is":        func(f *wasm.Files) { f.Runtime = junk },
		"there is no file UTC in":                              func(f *wasm.Files) { f.Zoneinfo = filepath.Dir(junk) },
		"so what is in it is not run; chmod go= it, or remove": func(f *wasm.Files) { f.Cache = open },
		"is no folder": func(f *wasm.Files) { f.Cache = junk },
		"GoogleSQL's module: " + junk + " is damaged": func(f *wasm.Files) { f.Module, f.Cache = junk, filepath.Join(t.TempDir(), "compiled") },
		"GoogleSQL's module: open":                    func(f *wasm.Files) { f.Module, f.Cache = junk+".none", filepath.Join(t.TempDir(), "compiled") },
	} {
		f := source.WASM
		spoil(&f)
		if _, err := wasm.Open(f, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
