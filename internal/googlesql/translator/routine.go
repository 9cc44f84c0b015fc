package translator

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/googlesql/writer"
)

// missing matches the analyzer's errors for a function that its catalog lacks.
var missing = regexp.MustCompile(`^(Function not found|Table-valued function not found|` +
	`Table-valued function is not expected|Invalid function|Invalid table-valued function|Procedure not found)`)

// dotted matches a path.
const dotted = "(?:[\\w-]+|`[^`]+`)(?:\\s*\\.\\s*(?:\\w+|`[^`]+`))*"

// calls matches what may be calls of functions, by their paths.
var calls = regexp.MustCompile("(" + dotted + ")\\s*\\(")

// part matches the parts of a path.
var part = regexp.MustCompile("[\\w-]+|`[^`]+`")

// pathOf reads a path.
func pathOf(text string) []string {
	var path []string
	for _, p := range part.FindAllString(text, -1) {
		path = append(path, strings.Trim(p, "`"))
	}
	return path
}

// routines puts the user's functions that a text seems to call into the catalog, and those that they call. It reports whether
// there were any that were not there yet.
func (l *lookup) routines(ctx context.Context, text string) (bool, error) {
	found := false
	for _, m := range calls.FindAllStringSubmatch(text, -1) {
		path := pathOf(m[1])
		key := strings.ToLower(strings.Join(path, "\x00"))
		if l.asked[key] {
			continue
		}
		l.asked[key] = true
		r, err := l.db.Routine(ctx, path)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return false, err
		}
		found = true
		l.add(path, r)
		if r.Kind == writer.Procedure { // its text is none of the statement
			continue
		}
		if _, err := l.routines(ctx, r.Body()); err != nil {
			return false, err
		}
		if err := l.tables(ctx, body(r)); err != nil {
			return false, err
		}
	}
	return found, nil
}

// body is a statement with the text of a routine in it.
func body(r *writer.Routine) string {
	if r.Table != nil {
		return r.Body()
	}
	return "SELECT (" + r.Body() + "\n)"
}

func (l *lookup) add(path []string, r *writer.Routine) {
	if r.Kind == writer.Procedure {
		l.catalog.Procedures = append(l.catalog.Procedures, &resolved.ProcedureProto{NamePath: path, Signature: r.Function.GetSignature()[0]})
		return
	}
	if r.Table != nil {
		f := proto.CloneOf(r.Table)
		f.NamePath = path
		l.catalog.Inline = true
		l.catalog.TableFunctions = append(l.catalog.TableFunctions, f)
		return
	}
	f := proto.CloneOf(r.Function)
	f.NamePath = path
	l.catalog.Functions = append(l.catalog.Functions, f)
}

// lookup collects what the names of a statement stand for.
type lookup struct {
	t       *Translator
	db      Database
	catalog *analyzer.Catalog
	names   writer.Names
	asked   map[string]bool // the routines looked for
	seen    map[string]bool // the tables looked for
}
