package planner

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

const identifier = `("(?:[^"]|"")+"|[\pL_][\pL\pN_$]*)`

var (
	renamedTo     = regexp.MustCompile(`(?is)\bRENAME\s+TO\s+` + identifier + `\s*;?\s*$`)
	renamedColumn = regexp.MustCompile(`(?is)\bRENAME\s+(?:COLUMN\s+)?` + identifier + `\s+TO\s+` + identifier + `\s*;?\s*$`)
)

// Follow changes what is kept besides DuckDB's catalog after a statement of DuckDB's own that has renamed, replaced or dropped
// something, in the open transaction or in one of its own.
func (pl *Planner) Follow(ctx context.Context, src string, st dialect.Statement, p *Plan) error {
	verb, _, _ := strings.Cut(p.Verb, " ")
	if p.Lang == dialect.GoogleSQL || verb != "DROP" && verb != "ALTER" && verb != "CREATE" {
		return nil
	}
	relations := dialect.Relations(src, st)
	database := pl.Catalog.Database
	if len(relations) > 0 {
		to, k, err := pl.locate(ctx, metadata.Table, relations[0].Parts)
		if err != nil {
			return nil
		}
		database = to
		store, text := pl.Metadata(database), src[st.Pos:st.End]
		switch relations[0].Role {
		case dialect.Makes:
			if strings.Contains(strings.ToUpper(text[:min(len(text), 100)]), "REPLACE") {
				return store.Drop(ctx, k)
			}
			return nil
		case dialect.Renames:
			if m := renamedTo.FindStringSubmatch(text); m != nil {
				renamed := k
				renamed.Name = unquoted(m[1])
				return store.Rename(ctx, k, renamed)
			}
		case dialect.Alters:
			if m := renamedColumn.FindStringSubmatch(text); m != nil {
				k.Kind, k.Column = metadata.Column, unquoted(m[1])
				renamed := k
				renamed.Column = unquoted(m[2])
				return store.Rename(ctx, k, renamed)
			}
		}
	}
	if verb == "CREATE" {
		return nil
	}
	if database == "temp" || !slices.ContainsFunc(relations, func(r dialect.Relation) bool {
		return r.Role != dialect.Reads
	}) && !strings.HasPrefix(p.Verb, "DROP") {
		return nil
	}
	if rows, err := pl.Catalog.Rows(ctx, "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower("+quote.Text(database)+
		")"); err != nil || len(rows) == 0 {
		return nil
	}
	return pl.Metadata(database).Prune(ctx)
}

func unquoted(name string) string {
	if strings.HasPrefix(name, `"`) {
		return strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
	}
	return name
}
