package planner

import (
	"context"
	"strings"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/metadata"
)

// Targets gives the keys of the tables that a statement of DuckDB's may change: it changes the rows of one, whose name may mean one of
// several, or attaches a database. Where that cannot be told it is AnyTable.
func (pl *Planner) Targets(ctx context.Context, src string, st dialect.Statement) []string {
	if name, ok := dialect.Attached(src, st); ok {
		return []string{DatabaseKey(name)}
	}
	if made, ok := dialect.Temporary(src, st); ok {
		return pl.temporaryKeys(made.Parts)
	}
	all := dialect.Relations(src, st)
	if len(all) == 0 {
		return []string{AnyTable}
	}
	switch r := all[0]; r.Role { // what a statement changes comes first
	case dialect.Changes, dialect.Makes, dialect.Drops, dialect.Alters:
		if len(r.Parts) > 1 && strings.EqualFold(r.Parts[0], temporary) {
			return pl.temporaryKeys(r.Parts)
		}
		database, k, err := pl.locate(ctx, metadata.Table, r.Parts)
		if err != nil {
			break
		}
		keys := []string{TableKey(database, k.Dataset, k.Name)}
		if len(r.Parts) == 1 { // of the search path, perhaps
			keys = append(keys, TableKey(database, "main", k.Name))
		}
		return keys
	}
	return []string{AnyTable}
}

// temporary is DuckDB's database of temporary tables and views.
const temporary = "temp"

// temporaryKeys are those of a temporary table, and of the tables that its name means where there is none.
func (pl *Planner) temporaryKeys(path []string) []string {
	name := path[len(path)-1]
	return []string{DatabaseKey(temporary), TableKey(pl.Catalog.Database, pl.Catalog.Schema, name),
		TableKey(pl.Catalog.Database, "main", name)}
}

// DatabaseKey stands for every table of a database: the keys of its tables begin with it.
func DatabaseKey(database string) string { return strings.ToLower(database) + "\x00" }

// Covers reports whether a change of what a key stands for may be one of what another stands for.
func Covers(key, other string) bool {
	return key == other || key == AnyTable || other == AnyTable || strings.HasSuffix(key, "\x00") && strings.HasPrefix(other, key)
}
