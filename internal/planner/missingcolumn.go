package planner

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// MissingColumn words DuckDB's complaint about an input column in terms of the model.
func (pl *Planner) MissingColumn(ctx context.Context, p *Plan, src string, err *duckdb.Error) (*Wording, bool) {
	if table, ok := duckapi.LacksColumnOf(err); !ok || !isInput(table) {
		return nil, false
	}
	for _, used := range p.Models {
		columns := nameList((&expander{Planner: pl}).inputColumns(ctx, src, used.call, p.Lang))
		if w, ok := used.lacks(columns, err); ok {
			return w, true
		}
	}
	return nil, false
}

// lacks words that the input of a call, which has some columns, lacks one; nil columns are not known.
func (m UsedModel) lacks(columns []string, err *duckdb.Error) (*Wording, bool) {
	for _, in := range m.inputs {
		name := in.name
		if contains(columns, name) || columns == nil && !strings.Contains(err.Msg, quote.Name(name)) {
			continue // not this call's fault
		}
		_, fn, _ := strings.Cut(m.call.Func, ".")
		msg := fmt.Sprintf("Column %s is not found in the input data to the %s function: model %s takes %s",
			name, fn, m.Name, inputsText(m))
		switch near := spelling.Nearest(name, columns); {
		case near != "":
			msg += fmt.Sprintf("; did you mean %s? Rename it: %s AS %s", near, quote.Name(near), quote.Name(name))
		case len(columns) > 0:
			msg += fmt.Sprintf("; the input has %s", strings.Join(columns, ", "))
		}
		return &Wording{msg, m.call.Input}, true
	}
	return nil, false
}

// ModelFault finds the call whose model refused its input while the statement was bound. The message is our own; DuckDB
// only put the kind of error before it.
func (p *Plan) ModelFault(err *duckdb.Error) (*Wording, bool) {
	msg, ours := strings.CutPrefix(duckapi.WithoutExcerpt(err.Msg), "Binder Error: model ")
	if !ours {
		return nil, false
	}
	for _, used := range p.Models {
		if strings.HasPrefix(msg, used.Name+":") {
			return &Wording{"model " + msg, used.call.Input}, true
		}
	}
	return &Wording{"model " + msg, dialect.Span{Pos: -1, End: -1}}, true
}

// ofView matches what DuckDB says of the input of a call that stands in no statement, but in a view that one reads.
var ofView = regexp.MustCompile(`^Binder Error: (?:Values list|Table) "(?:__[qc]|` + inputOfModel +
	`[^"]*)" does not have a column named "(.*)"`)

// OfView words that the input of a call in a view lacks a column: what it reads has changed since the view was made.
func OfView(msg string) string {
	if m := ofView.FindStringSubmatch(msg); m != nil {
		return "Column " + m[1] + " is not found in the input data of a model that a view asks; " +
			"what the view reads has changed since it was made"
	}
	return msg
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func inputsText(m UsedModel) string {
	parts := make([]string, len(m.inputs))
	for i, in := range m.inputs {
		parts[i] = in.name + " " + cmp.Or(in.sqlType, "(an image)")
	}
	return strings.Join(parts, ", ")
}
