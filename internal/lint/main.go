// Command lint names the places where Go files break the house's rules of length: lines of more than 140 characters, functions of
// more than 80 lines, files of more than 500. Tests and generated files are free of them. The files are its arguments.
package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"unicode/utf8"
)

const (
	longestLine     = 140 // characters; a tab is one
	longestFunction = 80  // lines, with its first and its last
	longestFile     = 500 // lines
)

func main() {
	found := 0
	for _, name := range os.Args[1:] {
		if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata/") {
			continue
		}
		src, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // git lists it until its removal is staged
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		complaints, err := lint(name, src)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		for _, c := range complaints {
			fmt.Println(c)
		}
		found += len(complaints)
	}
	if found > 0 {
		os.Exit(1)
	}
}

// lint gives the complaints about one file.
func lint(name string, src []byte) (complaints []string, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, src, parser.ParseComments)
	if err != nil || ast.IsGenerated(file) {
		return nil, err
	}
	complain := func(line int, format string, args ...any) {
		complaints = append(complaints, fmt.Sprintf("%s:%d: ", name, line)+fmt.Sprintf(format, args...))
	}
	lines := bytes.Split(bytes.TrimSuffix(src, []byte("\n")), []byte("\n"))
	for i, l := range lines {
		if n := utf8.RuneCount(l); n > longestLine {
			complain(i+1, "a line of %d characters; at most %d", n, longestLine)
		}
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		from := set.Position(f.Pos()).Line
		if n := set.Position(f.End()).Line - from + 1; n > longestFunction {
			complain(from, "%s has %d lines; at most %d", f.Name.Name, n, longestFunction)
		}
	}
	if n := len(lines); n > longestFile {
		complain(1, "a file of %d lines; at most %d", n, longestFile)
	}
	return complaints, nil
}
