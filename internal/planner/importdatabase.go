package planner

import (
	"context"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// importDatabase reads what EXPORT DATABASE has written of a database with models or object tables. DuckDB runs the
// statements of schema.sql in the order of their entries in the catalog, so that a view fails whose model or object table
// was replaced after it, and a model made by one statement is not seen by the functions that bind the next. So here
// views wait for what they stand on, and all is done in one transaction. A folder without our constructs is DuckDB's own affair.
func (pl *Planner) importDatabase(ctx context.Context, src string, s *dialect.ImportDatabase) (*Plan, error) {
	schema, err := pl.importedText(ctx, s.Dir, "schema.sql")
	if err != nil || !strings.Contains(schema, quote.Text(modelspec.Format)) && !strings.Contains(schema, catalog.ObjectTableMark) {
		return &Plan{SQL: src[s.Pos:s.End], Pos: s.Pos, Verb: "IMPORT"}, nil // DuckDB says best what is wrong
	}
	load, err := pl.importedText(ctx, s.Dir, "load.sql")
	if err != nil {
		return nil, dialect.At(s.Span, err)
	}
	if err := pl.Session.Import(ctx, schema, load); err != nil {
		return nil, dialect.At(s.Span, fmt.Errorf("IMPORT DATABASE %s: %w", quote.Text(s.Dir), err))
	}
	return &Plan{SQL: "RESET VARIABLE mallard_imported", Pos: -1, Verb: "IMPORT"}, nil
}

func (pl *Planner) importedText(ctx context.Context, dir, name string) (string, error) {
	rows, err := pl.Catalog.Rows(ctx, "SELECT content FROM read_text("+quote.Text(strings.TrimRight(dir, "/")+"/"+name)+")")
	if err != nil {
		return "", err
	}
	text, ok := "", len(rows) == 1
	if ok {
		text, ok = rows[0][0].(string)
	}
	if !ok {
		return "", fmt.Errorf("%s cannot be read", name)
	}
	return text, nil
}
