package planner

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// guard refuses what would treat a model or an object table as the view that DuckDB sees in it: DuckDB would drop it, put
// something else in its place, or show a model's spec as rows.
func (pl *Planner) guard(ctx context.Context, src string, st dialect.Statement, q *dialect.Query) error {
	if pl.Session == nil {
		return nil
	}
	names := pl.Session.Guarded(ctx)
	text := src[st.Pos:st.End]
	for i, found := 0, false; !found; i++ {
		if i == len(names) {
			return nil
		}
		found = containsFold(text, names[i])
	}
	all := dialect.Relations(src, st)
	for _, p := range dialect.Inputs(src, st, q) { // TABLE m, in a call
		all = append(all, dialect.Relation{Path: p, Role: dialect.Reads})
	}
	for _, r := range all {
		err := pl.guardOne(ctx, r, src[r.Pos:r.End], names)
		if err != nil {
			return dialect.At(r.Span, err)
		}
	}
	return nil
}

// guardOne looks at one relation, which is written so.
func (pl *Planner) guardOne(ctx context.Context, r dialect.Relation, written string, names []string) error {
	last := strings.ToLower(r.Parts[len(r.Parts)-1])
	if !slices.Contains(names, last) {
		return nil
	}
	cat := pl.Catalog
	parts, err := cat.WithoutProject(ctx, r.Parts)
	if err != nil {
		return nil // the statement itself says what is wrong with the name
	}
	if r.Role == dialect.Makes && len(parts) == 1 { // whatever stands before it on the search path, this is where it is made
		here, err := pl.Catalog.Rows(ctx, "SELECT current_database(), current_schema()")
		if err != nil || len(here) != 1 {
			return nil // as above
		}
		parts = []string{fmt.Sprint(here[0][0]), fmt.Sprint(here[0][1]), parts[0]}
	}
	// As it is written, so that DuckDB itself says what the name means: a temporary table may stand before a model.
	k, spec, err := cat.LookupPath(ctx, quote.Path(parts...), "`"+r.Path.String()+"`")
	switch {
	case k == catalog.Model:
		return misusedModel(r, written, spec)
	case k != catalog.Other || err != nil || r.Role == dialect.Reads || r.Role == dialect.Describes || r.Role == dialect.Shapes:
		return nil
	}
	places, err := cat.Candidates(ctx, r.Parts)
	if err != nil {
		return nil
	}
	for _, p := range places {
		if _, ok, err := cat.ObjectTable(ctx, p); ok || err != nil {
			return misusedObjectTable(r, written)
		}
	}
	return nil
}

// misusedModel says that a name is a model's and what to write. spec is nil for one that cannot be read.
func misusedModel(r dialect.Relation, name string, spec *modelspec.Spec) error {
	is := fmt.Sprintf("`%s` is a model", r.Path.String())
	switch r.Role {
	case dialect.Drops:
		return fmt.Errorf("%s; DROP MODEL %s drops it", is, name)
	case dialect.Makes:
		return failure.As(failure.ErrNameTaken, fmt.Errorf("%s and already exists: models share their namespace with tables and views; "+
			"choose another name, or DROP MODEL %s first", is, name))
	case dialect.Alters:
		return fmt.Errorf("%s; ALTER MODEL %s SET OPTIONS (…) changes its description, labels and batch size", is, name)
	case dialect.Renames:
		return fmt.Errorf("%s and keeps its name: CREATE MODEL makes it under another, with the options that it has; then DROP MODEL %s", is,
			name)
	case dialect.Changes:
		return fmt.Errorf("%s and has no rows to change; CREATE OR REPLACE MODEL %s replaces it", is, name)
	}
	call := "ML.PREDICT"
	if spec != nil && spec.Remote() && len(spec.OutputColumns) == 0 {
		call = "ML.GENERATE_TEXT or ML.GENERATE_EMBEDDING"
	}
	return fmt.Errorf("%s and no table; DESCRIBE MODEL %s shows what it takes and gives, %s(MODEL %s, …) asks it", is, name, call, name)
}

func misusedObjectTable(r dialect.Relation, name string) error {
	is := fmt.Sprintf("`%s` is an object table", r.Path.String())
	switch r.Role {
	case dialect.Drops:
		return fmt.Errorf("%s; DROP EXTERNAL TABLE %s drops it", is, name)
	case dialect.Makes:
		return failure.As(failure.ErrNameTaken,
			fmt.Errorf("%s and already exists; choose another name, or DROP EXTERNAL TABLE %s first", is, name))
	case dialect.Renames:
		return fmt.Errorf("%s and keeps its name: CREATE EXTERNAL TABLE makes it under another, with the options that it has; then DROP "+
			"EXTERNAL TABLE %s", is, name)
	case dialect.Alters:
		return fmt.Errorf("%s; CREATE OR REPLACE EXTERNAL TABLE %s … OPTIONS (…) changes it", is, name)
	}
	if r.Role == dialect.Copies {
		return fmt.Errorf("%s, which has no rows of its own to copy: CREATE TABLE … AS SELECT * FROM %s keeps what it shows now", is, name)
	}
	return fmt.Errorf("%s: its rows are the objects of its uris, and cannot be changed here", is)
}

// Names are the names, lower-case and without their schemas, that stand for models and object tables somewhere. A name too
// many costs a look-up; most statements name none of them and are not looked at. The zero value has read nothing yet.
type Names struct {
	known bool
	epoch int64 // when they were read
	names []string
}

// Read gives the names, which it reads again in another epoch. In an aborted transaction nothing can be read, and nothing will
// run.
func (g *Names) Read(ctx context.Context, rows func(context.Context, string) ([][]driver.Value, error), epoch int64) []string {
	if g.known && g.epoch == epoch {
		return g.names
	}
	found, err := rows(ctx, "SELECT DISTINCT lower(view_name) FROM (SELECT view_name, "+
		"sql FROM duckdb_views() WHERE NOT internal) WHERE contains(sql, "+
		quote.Text("'"+modelspec.Format+"'")+") OR contains(sql, "+quote.Text(catalog.ObjectTableMark)+")")
	if err != nil {
		return nil
	}
	*g = Names{known: true, epoch: epoch}
	for _, r := range found {
		if name, ok := r[0].(string); ok {
			g.names = append(g.names, name)
		}
	}
	return g.names
}

// containsFold reports whether a text holds a name that is lower-case, in any case.
func containsFold(text, name string) bool {
	if name == "" {
		return false
	}
	for i := 0; i+len(name) <= len(text); i++ {
		if c := text[i]; (c == name[0] || c|0x20 == name[0] || c >= 0x80) && strings.EqualFold(text[i:i+len(name)], name) {
			return true
		}
	}
	return false
}
