package planner

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// checkReads makes sure that tables were as they are at the times of which a statement reads them: no history is kept. pos is where the
// statement begins.
func (pl *Planner) checkReads(ctx context.Context, reads []writer.AsOf, pos int) error {
	for _, r := range reads {
		if err := pl.checkRead(ctx, r); err != nil {
			return dialect.At(dialect.Span{Pos: pos + r.Pos, End: pos + r.End}, err)
		}
	}
	return nil
}

func (pl *Planner) checkRead(ctx context.Context, r writer.AsOf) error {
	rows, err := pl.Catalog.Rows(ctx, "SELECT epoch_us("+r.SQL+")::BIGINT")
	if err != nil {
		return fmt.Errorf("FOR SYSTEM_TIME AS OF takes a constant time: %w", err)
	}
	micros, ok := rows[0][0].(int64)
	if !ok {
		return fmt.Errorf("FOR SYSTEM_TIME AS OF takes a time, and not NULL")
	}
	at, name := time.UnixMicro(micros), strings.Join(r.Path, ".")
	if at.After(time.Now()) {
		//nolint:staticcheck // BigQuery's words
		return fmt.Errorf("Invalid snapshot time %d for table %s: it is in the future", at.UnixMilli(), name)
	}
	if pl.Changed == nil {
		return nil
	}
	key, err := pl.tableKey(ctx, r.Path)
	if err != nil {
		return err
	}
	if view, err := pl.isView(ctx, r.Path); err != nil {
		return err
	} else if view { // of tables that may have changed
		key = AnyTable
	}
	if changed, by := pl.Changed(key); at.Before(changed) {
		if by == "" {
			by = "table " + name + " was changed at "
		}
		return fmt.Errorf("FOR SYSTEM_TIME AS OF %s: no history is kept: %s%s", written(at), by, written(changed))
	}
	return nil
}

// AnyTable is the key that stands for every table.
const AnyTable = "*"

func (pl *Planner) isView(ctx context.Context, path []string) (bool, error) {
	database, k, err := pl.locate(ctx, metadata.Table, path)
	if err != nil {
		return false, err
	}
	rows, err := pl.Catalog.Rows(ctx, "SELECT 1 FROM duckdb_views() WHERE lower(database_name) = lower("+quote.Text(database)+
		") AND lower(schema_name) = lower("+quote.Text(k.Dataset)+") AND lower(view_name) = lower("+quote.Text(k.Name)+")")
	return len(rows) > 0, err
}

func written(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999 UTC") }

// tableKey is the key of the table that a path means.
func (pl *Planner) tableKey(ctx context.Context, path []string) (string, error) {
	database, k, err := pl.locate(ctx, metadata.Table, path)
	return TableKey(database, k.Dataset, k.Name), err
}

// touched gives the keys of the tables that a statement changes.
func (pl *Planner) touched(ctx context.Context, s *writer.Written) (keys []string, err error) {
	paths := s.Writes
	for _, c := range s.Changes {
		switch c.Kind {
		case metadata.Dataset, metadata.Routine:
			continue
		}
		paths = append(paths, c.Path)
		if c.To != "" {
			p := splitPath(c.Path)
			paths = append(paths, append(p[:len(p)-1:len(p)-1], c.To))
		}
	}
	for _, path := range paths {
		key, err := pl.tableKey(ctx, path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// TableKey names a table for those who keep the times of changes.
func TableKey(database, dataset, name string) string {
	return strings.ToLower(database + "\x00" + dataset + "\x00" + name)
}
