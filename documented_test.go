package mallard_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumented: every exported type, function and method of the public packages has a comment; the front door has an Example of each
// function, every other package one at least.
func TestDocumented(t *testing.T) {
	folders := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if n := d.Name(); path != "." && (n[0] == '.' || n == "internal" || n == "testdata" || n == "build" || n == "beam") {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, ".go"):
			folders[filepath.Dir(path)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for folder := range folders {
		if p := public(t, folder); p != nil {
			packages++
			documented(t, folder, p)
		}
	}
	if packages < 15 {
		t.Errorf("only %d packages were found", packages)
	}
}

// public reads a package with its Examples; nil for a program and for tests alone.
func public(t *testing.T, folder string) *doc.Package {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	code := false
	for _, name := range names {
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name.Name == "main" {
			return nil
		}
		files = append(files, f)
		code = code || !strings.HasSuffix(name, "_test.go")
	}
	if !code {
		return nil
	}
	p, err := doc.NewFromFiles(set, files, "github.com/mallardml/mallard/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func documented(t *testing.T, folder string, p *doc.Package) {
	examples := len(p.Examples)
	check := func(name, comment string, of []*doc.Example) {
		examples += len(of)
		if strings.TrimSpace(comment) == "" {
			t.Errorf("%s: %s has no comment", folder, name)
		}
	}
	functions := func(of []*doc.Func, receiver string) {
		for _, f := range of {
			check(receiver+f.Name, f.Doc, f.Examples)
			if folder == "." && receiver == "" && len(f.Examples) == 0 {
				t.Errorf("%s has no Example", f.Name)
			}
		}
	}
	functions(p.Funcs, "")
	for _, ty := range p.Types {
		check(ty.Name, ty.Doc, ty.Examples)
		functions(ty.Funcs, "")
		functions(ty.Methods, ty.Name+".")
	}
	if examples == 0 {
		t.Errorf("%s has no Example", folder)
	}
}
