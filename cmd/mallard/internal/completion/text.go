package completion

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/functiontable"
)

// insideText tells where the text begins, behind its quote, whose end has not been typed.
func (p *place) insideText() (at int, ok bool) {
	n := len(p.pieces)
	if n == 0 {
		return 0, false
	}
	last := p.pieces[n-1]
	literal := p.text[last.Pos:]
	if last.Class != dialect.Literal || last.End != len(p.text) || literal == "" {
		return 0, false
	}
	q := strings.IndexAny(literal, `'"`)
	if q < 0 || strings.Count(literal[q:], literal[q:q+1])%2 == 0 {
		return 0, false
	}
	return last.Pos + q + 1, true
}

// texts completes a text: the value of an option, else an object of a bucket or a file.
func (p *place) texts(at int) []shell.Suggestion {
	typed := p.text[at:]
	if o, _, ok := p.option(p.text[:at-1]); ok {
		var list []shell.Suggestion
		for _, v := range o.Values {
			if v = strings.Trim(v, "'"); v != "" && !strings.ContainsAny(v, "[]/ ") {
				list = append(list, shell.Suggestion{Text: v + p.text[at-1:at]})
			}
		}
		if list = matching(typed, at, list); len(list) > 0 {
			return list
		}
	}
	if n := len(p.calls); n > 0 {
		if f, ok := functiontable.Named(p.calls[n-1].name); ok {
			if list := matching(typed, at, choices(f, p.text[p.calls[n-1].inside:at-1])); len(list) > 0 {
				return list
			}
		}
	}
	return p.files(at)
}

// choices are the texts that an argument may be, as its line in the table of functions lists them in quotes.
func choices(f functiontable.Function, given string) (list []shell.Suggestion) {
	i := strings.Count(given, ",")
	arrow := strings.TrimSpace(given)
	for k, a := range f.Args {
		if a.Named && !strings.HasSuffix(arrow, a.Name+" =>") || !a.Named && (k != i || strings.HasSuffix(arrow, "=>")) {
			continue
		}
		for j, part := range strings.Split(a.Doc, "'") {
			if j%2 == 1 && !strings.ContainsAny(part, " ") {
				list = append(list, shell.Suggestion{Text: part + "'"})
			}
		}
	}
	return list
}

const scheme = "gs://"

// files gives the files and folders whose paths begin as the text; behind gs:// the folders that stand for buckets, and what they hold.
func (p *place) files(at int) (list []shell.Suggestion) {
	typed := p.text[at:]
	put := func(text string) { list = append(list, shell.Suggestion{Text: text, Start: at}) }
	rest, cloud := strings.CutPrefix(typed, scheme)
	bucket, name, deep := strings.Cut(rest, "/")
	if cloud && !deep || typed != "" && !cloud && strings.HasPrefix(scheme, typed) && len(p.Buckets) > 0 {
		for _, b := range slices.Sorted(maps.Keys(p.Buckets)) {
			if text := scheme + b + "/"; strings.HasPrefix(text, typed) {
				put(text)
			}
		}
		if cloud || len(list) > 0 {
			return list
		}
	}
	folder, before := "", ""
	if cloud {
		var ok bool
		if folder, ok = p.Buckets[bucket]; !ok {
			return nil
		}
		typed, before = name, scheme+bucket+"/"
	}
	dir, base := filepath.Split(typed)
	entries, err := os.ReadDir(cmp.Or(filepath.Join(folder, dir), "."))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		switch {
		case !strings.HasPrefix(e.Name(), base), base == "" && strings.HasPrefix(e.Name(), "."), strings.ContainsAny(e.Name(), "'\""):
		case e.IsDir():
			put(before + dir + e.Name() + "/")
		default:
			put(before + dir + e.Name())
		}
	}
	return list
}
