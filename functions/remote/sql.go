package remote

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
)

const (
	submitName   = "mallard_remote_submit"
	segmentsName = "mallard_remote_segments"
)

// Functions are the functions that the text of SQL calls. They must be registered before the statement is bound.
func (s *Spec) Functions() []Function {
	all := []Function{
		{submitName, registerSubmit},
		s.answering("mallard_remote_await_", s.resultType(false), registerAwait),
	}
	if s.segments {
		all = append(all, Function{segmentsName, registerSegments})
	}
	return all
}

// ScalarFunction is the function that the text of ScalarSQL calls.
func (s *Spec) ScalarFunction() Function {
	return s.answering("mallard_remote_ask_", s.resultType(true), registerAsk)
}

func (s *Spec) answering(prefix string, t googlesql.Type, register func(mapping.Connection, string, googlesql.Type, Host) error) Function {
	h := sha256.Sum256([]byte(t.DuckDB()))
	return Function{prefix + hex.EncodeToString(h[:8]), func(conn mapping.Connection, name string, host Host) error {
		return register(conn, name, t, host)
	}}
}

// SQL writes what stands before and after an input query to turn it into a call: results under their names, then every
// column of the query (before them for AI.GENERATE_TABLE). name maps the name of a [Function] to the one that it is
// registered under; nil leaves it.
//
// The rows pass two functions. The inner one takes note of them while DuckDB materialises the input, and asks nothing; the
// outer one waits for the answers of the rows that are wanted. Where a row may give several, a third one between them says
// how many: DuckDB moves a LIMIT below a projection, but not below an unnest, so that waiting must stand above it. The text
// after begins with a line break: the query may end in a comment.
func (s *Spec) SQL(name func(string) string) (before, after string) {
	if name == nil {
		name = func(s string) string { return s }
	}
	fns := s.Functions()
	var b, outs strings.Builder
	end := "\n) AS __q) SELECT * FROM __q)))"
	for i, c := range s.Results() {
		if i > 0 {
			outs.WriteString(", ")
		}
		fmt.Fprintf(&outs, "__p.o%d AS %s", i, quote.Name(c.Name))
	}
	if s.Func == "AI.GENERATE_TABLE" {
		fmt.Fprintf(&b, "(SELECT * EXCLUDE (__p, __k), %s", outs.String())
	} else {
		fmt.Fprintf(&b, "(SELECT %s, * EXCLUDE (__p, __k)", outs.String())
	}
	fmt.Fprintf(&b, " FROM (SELECT system.main.%s(%d, __k) AS __p, * FROM (", name(fns[1].Name), s.Version)
	if s.segments {
		fmt.Fprintf(&b, "SELECT unnest(system.main.%s(%d, __k)) AS __k, * EXCLUDE (__k) FROM (", name(segmentsName), s.Version)
		end += ")"
	}
	fmt.Fprintf(&b, "WITH __q AS MATERIALIZED (SELECT system.main.%s(%d", name(fns[0].Name), s.Version)
	for _, in := range s.InputColumns() {
		b.WriteString(", __q." + quote.Name(in.Name))
	}
	b.WriteString(") AS __k, * FROM (")
	return b.String(), end
}

// ScalarSQL writes what stands before and after the arguments of a scalar function such as AI.GENERATE: the prompt, or the
// content, and for embeddings with a title that too. The result is a STRUCT.
func (s *Spec) ScalarSQL(name func(string) string) (before, after string) {
	fn := s.ScalarFunction().Name
	if name != nil {
		fn = name(fn)
	}
	return fmt.Sprintf("system.main.%s(%d, ", fn, s.Version), ")"
}
