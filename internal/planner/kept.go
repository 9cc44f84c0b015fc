package planner

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// nothing is a statement of DuckDB's that does nothing.
const nothing = "RESET VARIABLE mallard_nothing"

// Metadata gives what is kept of a database besides DuckDB's catalog.
func (pl *Planner) Metadata(database string) *metadata.Store {
	return metadata.New(pl.Catalog.Rows, database)
}

// sessionDataset stands before the names of temporary tables (https://docs.cloud.google.com/bigquery/docs/sessions-write-queries).
const sessionDataset = "_SESSION"

// parts gives the parts of a path for DuckDB: without the project, and those of a temporary table.
func (pl *Planner) parts(ctx context.Context, path []string) ([]string, error) {
	parts := splitPath(path)
	if n := len(parts); n > 1 && strings.EqualFold(parts[n-2], sessionDataset) {
		return []string{"temp", "main", parts[n-1]}, nil
	}
	return pl.Catalog.WithoutProject(ctx, parts)
}

// locate gives the database in which something lies that a statement names, and the key of what is kept of it.
func (pl *Planner) locate(ctx context.Context, kind metadata.Kind, path []string) (database string, k metadata.Key, err error) {
	k.Kind = kind
	parts, err := pl.parts(ctx, path)
	if err != nil {
		return "", k, err
	}
	if kind == metadata.Dataset {
		k.Dataset = parts[len(parts)-1]
		if len(parts) > 1 {
			return parts[0], k, nil
		}
		return pl.Catalog.Database, k, nil
	}
	k.Name = parts[len(parts)-1]
	switch len(parts) {
	case 1:
		k.Dataset = pl.Catalog.Schema
		return pl.Catalog.Database, k, nil
	case 2:
		k.Dataset = parts[0]
		if there, err := pl.there(ctx, pl.Catalog.Database, metadata.Key{Kind: metadata.Dataset, Dataset: k.Dataset}); there || err != nil {
			return pl.Catalog.Database, k, err
		}
		if rows, err := pl.Catalog.Rows(ctx, "SELECT 1 FROM duckdb_databases() WHERE lower(database_name) = lower("+quote.Text(parts[0])+
			")"); err != nil || len(rows) > 0 {
			k.Dataset = "main"
			return parts[0], k, err
		}
		return pl.Catalog.Database, k, nil
	}
	k.Dataset = parts[1]
	return parts[0], k, nil
}

// there reports whether something is in a database.
func (pl *Planner) there(ctx context.Context, database string, k metadata.Key) (bool, error) {
	is := func(column, value string) string { return "lower(" + column + ") = lower(" + quote.Text(value) + ")" }
	where := " WHERE " + is("database_name", database) + " AND " + is("schema_name", k.Dataset)
	query := "SELECT 1 FROM duckdb_schemas()" + where
	switch {
	case k.Column != "":
		query = "SELECT 1 FROM duckdb_columns()" + where + " AND " + is("table_name", k.Name) + " AND " + is("column_name", k.Column)
	case k.Kind == metadata.Routine:
		query = "SELECT 1 FROM duckdb_views()" + where + " AND " + is("view_name", writer.RoutineName(k.Name))
	case k.Kind != metadata.Dataset:
		query = "SELECT 1 FROM duckdb_tables()" + where + " AND " + is("table_name", k.Name) +
			" UNION ALL SELECT 1 FROM duckdb_views()" + where + " AND " + is("view_name", k.Name)
	}
	rows, err := pl.Catalog.Rows(ctx, query+" LIMIT 1")
	return len(rows) > 0, err
}

// keeping is what a statement changes of what is kept besides DuckDB's catalog.
type keeping struct {
	*Planner
	plan    *Plan
	changes []*keptChange
	only    bool // DuckDB has nothing to do, and so will not say that something is not there
}

type keptChange struct {
	*writer.Change
	database string
	key      metadata.Key
	skip     bool
}

// keep lets a plan keep what a statement changes.
func (pl *Planner) keep(p *Plan, changes []*writer.Change, only bool) {
	k := &keeping{Planner: pl, plan: p, only: only}
	for _, c := range changes {
		k.changes = append(k.changes, &keptChange{Change: c})
	}
	p.Before, p.After = k.before, k.after
}

// before looks at what is there before the statement.
func (k *keeping) before(ctx context.Context) (err error) {
	for _, c := range k.changes {
		if c.database, c.key, err = k.locate(ctx, c.Kind, c.Path); err != nil {
			return err
		}
		c.key.Column = c.Column
		if c.database == "temp" {
			c.skip = true
			continue
		}
		if c.Action == writer.Make || c.Action == writer.Copy {
			if err := k.dropExpired(ctx, c); err != nil {
				return err
			}
		}
		if err := k.mayApply(ctx, c); err != nil {
			return err
		}
		if c.skip && c.IfMissing && (c.Action == writer.Make || c.Action == writer.Copy) {
			k.plan.Then = nil // IF NOT EXISTS makes nothing
		}
		if c.skip || c.Action == writer.Forget || c.Action == writer.Rename {
			continue
		}
		if err := k.Metadata(c.database).Prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// mayApply finds out whether a change applies.
func (k *keeping) mayApply(ctx context.Context, c *keptChange) error {
	whole := c.key
	whole.Column = ""
	if whole.Kind == metadata.Column {
		whole.Kind = metadata.Table
	}
	switch made := slices.IndexFunc(k.changes, func(m *keptChange) bool {
		return m != c && (m.Action == writer.Make || m.Action == writer.Copy) && slices.Equal(m.Path, c.Path)
	}); {
	case made >= 0:
		c.skip = k.changes[made].skip
	case c.Action == writer.Make || c.Action == writer.Copy:
		if c.IfMissing {
			there, err := k.there(ctx, c.database, whole)
			c.skip = there
			return err
		}
	case c.IfExists || k.only:
		there, err := k.there(ctx, c.database, whole)
		if err != nil {
			return err
		}
		if !there && !c.IfExists {
			return missing(whole)
		}
		c.skip = !there
		fallthrough
	case c.IfMissing:
		if c.IfMissing && !c.skip {
			there, err := k.there(ctx, c.database, c.key)
			c.skip = there
			return err
		}
	}
	if k.only && c.Column != "" && !c.skip {
		column := c.key
		column.Column, _, _ = strings.Cut(c.Column, ".")
		there, err := k.there(ctx, c.database, column)
		if err == nil && !there {
			err = fmt.Errorf("Column not found: %s", c.Column) //nolint:staticcheck // BigQuery's words
		}
		return err
	}
	return nil
}

// missing says in BigQuery's words that something is not there.
func missing(k metadata.Key) error {
	if k.Kind == metadata.Dataset {
		err := fmt.Errorf("Not found: Dataset %s", k.Dataset) //nolint:staticcheck // BigQuery's words
		return aboutSubject{failure.As(failure.ErrDatasetNotFound, err)}
	}
	return aboutSubject{fmt.Errorf("Not found: Table %s.%s", k.Dataset, k.Name)} //nolint:staticcheck // BigQuery's words
}

// dropExpired makes way for what takes the name of a table that has expired.
func (k *keeping) dropExpired(ctx context.Context, c *keptChange) error {
	if c.Kind != metadata.Table && c.Kind != metadata.View {
		return nil
	}
	l, err := k.limit(ctx, c.database, c.key.Dataset, c.key.Name)
	if err != nil || !l.expired() {
		return err
	}
	kind := "TABLE"
	if l.view {
		kind = "VIEW"
	}
	_, err = k.Catalog.Rows(ctx, "DROP "+kind+" IF EXISTS "+quote.Path(c.database, c.key.Dataset, c.key.Name))
	return err
}

// after keeps what the statement has changed.
func (k *keeping) after(ctx context.Context) error {
	now := time.Now().UTC().Truncate(time.Millisecond)
	for _, c := range k.changes {
		if c.skip {
			continue
		}
		if err := k.apply(ctx, c, now); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeping) apply(ctx context.Context, c *keptChange, now time.Time) error {
	store := k.Metadata(c.database)
	switch c.Action {
	case writer.Forget:
		return store.Drop(ctx, c.key)
	case writer.Rename:
		to := c.key
		if c.ToColumn != "" {
			to.Column = c.ToColumn
		} else {
			to.Name = c.To
		}
		return store.Rename(ctx, c.key, to)
	case writer.Alter:
		v, err := store.Get(ctx, c.key)
		if err != nil {
			return err
		}
		if c.Retype || c.Value.Type != "" {
			v.Type = c.Value.Type
		}
		if c.Redefault || c.Value.Default != "" {
			v.Default = c.Value.Default
		}
		v.Required = v.Required || c.Value.Required
		if c.Kind != metadata.Column {
			v.Modified = &now
		}
		if err := k.set(ctx, &v, c.Options); err != nil {
			return err
		}
		return store.Set(ctx, c.key, v)
	}
	if err := store.Drop(ctx, c.key); err != nil {
		return err
	}
	v := c.Value
	if c.Action == writer.Copy {
		if err := k.copy(ctx, c, &v, now); err != nil {
			return err
		}
	}
	v.Created, v.Modified = &now, &now
	if v.SnapshotOf != "" {
		v.Snapshot = &now
	}
	if c.Kind == metadata.Table {
		of, err := store.Get(ctx, metadata.Key{Kind: metadata.Dataset, Dataset: c.key.Dataset})
		if err != nil {
			return err
		}
		if of.TableLife > 0 {
			at := now.Add(of.TableLife)
			v.Expires = &at
		}
		if of.PartitionLife > 0 && v.Partitioning != nil {
			v.PartitionLife = of.PartitionLife
		}
	}
	if err := k.set(ctx, &v, c.Options); err != nil {
		return err
	}
	return store.Set(ctx, c.key, v)
}

// copy takes over what is kept of the table that is copied, and of its columns.
func (k *keeping) copy(ctx context.Context, c *keptChange, v *metadata.Value, now time.Time) error {
	database, from, err := k.locate(ctx, metadata.Table, c.From)
	if err != nil || database == "temp" {
		return err
	}
	all, err := k.Metadata(database).Of(ctx, from.Dataset, from.Name)
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Column != "" {
			to := c.key
			to.Kind, to.Column = metadata.Column, e.Column
			if err := k.Metadata(c.database).Set(ctx, to, e.Value); err != nil {
				return err
			}
			continue
		}
		of := *v
		*v = e.Value
		v.Expires, v.Snapshot, v.SnapshotOf, v.Properties = nil, nil, of.SnapshotOf, nil
		if of.Partitioning != nil {
			v.Partitioning = of.Partitioning
		}
		if of.Clustering != nil {
			v.Clustering = of.Clustering
		}
	}
	return nil
}

// set puts options into what is kept.
func (k *keeping) set(ctx context.Context, v *metadata.Value, options []writer.Option) error {
	for _, o := range options {
		x, err := k.value(ctx, o)
		if err != nil {
			return err
		}
		text, _ := x.(string)
		switch o.Name {
		case "description":
			v.Description = text
		case "friendly_name":
			v.FriendlyName = text
		case "location":
			v.Location = text
		case "labels":
			v.Labels = labelsOf(x)
		case "expiration_timestamp":
			v.Expires = nil
			if micros, ok := x.(int64); ok {
				at := time.UnixMicro(micros).UTC()
				v.Expires = &at
			}
		case "default_table_expiration_days":
			v.TableLife = days(x)
		case "default_partition_expiration_days", "partition_expiration_days":
			v.PartitionLife = days(x)
		default:
			if o.Name == "require_partition_filter" && v.Partitioning != nil {
				p := *v.Partitioning
				p.RequireFilter = x == true
				v.Partitioning = &p
			}
			if delete(v.Options, o.Name); !o.Null {
				if v.Options == nil {
					v.Options = map[string]string{}
				}
				v.Options[o.Name] = o.Text
			}
		}
	}
	return nil
}

// value computes the value of an option.
func (k *keeping) value(ctx context.Context, o writer.Option) (driver.Value, error) {
	if o.Null {
		return nil, nil
	}
	form := "%s"
	switch o.Name {
	case "labels":
		form = "list_transform(%s, lambda p: [struct_extract_at(p, 1), struct_extract_at(p, 2)])"
	case "expiration_timestamp":
		form = "epoch_us(%s)::BIGINT"
	case "default_table_expiration_days", "default_partition_expiration_days", "partition_expiration_days":
		form = "(%s)::DOUBLE"
	}
	rows, err := k.Catalog.Rows(ctx, "SELECT "+fmt.Sprintf(form, o.SQL))
	if err != nil {
		return nil, fmt.Errorf("option %s: %w", o.Name, err)
	}
	return rows[0][0], nil
}

func days(x driver.Value) time.Duration {
	n, _ := x.(float64)
	return time.Duration(n * float64(24*time.Hour))
}

// labelsOf reads a list of pairs.
func labelsOf(x driver.Value) map[string]string {
	list, _ := x.([]any)
	if len(list) == 0 {
		return nil
	}
	labels := map[string]string{}
	for _, p := range list {
		if pair, ok := p.([]any); ok && len(pair) == 2 {
			labels[fmt.Sprint(pair[0])] = fmt.Sprint(pair[1])
		}
	}
	return labels
}

func (l limit) expired() bool { return l.expires != nil && l.expires.Before(time.Now()) }

// limit gives the limit of a table, if it has one.
func (pl *Planner) limit(ctx context.Context, database, dataset, name string) (limit, error) {
	if pl.Limits == nil {
		return limit{}, nil
	}
	if l := pl.Limits; l.databases == nil || l.epoch != pl.Epoch {
		*l = Limits{epoch: pl.Epoch, databases: map[string]map[string]limit{}}
	}
	db := strings.ToLower(database)
	known, ok := pl.Limits.databases[db]
	if !ok {
		all, err := pl.Metadata(database).Limited(ctx)
		if err != nil {
			return limit{}, err
		}
		known = map[string]limit{}
		for _, e := range all {
			known[strings.ToLower(e.Dataset+"."+e.Name)] = limit{e.Value.Expires, e.Value.SnapshotOf != "", e.Kind == metadata.View}
		}
		pl.Limits.databases[db] = known
	}
	return known[strings.ToLower(dataset+"."+name)], nil
}

// limitOf gives the limit of a table by the parts of its name in DuckDB.
func (pl *Planner) limitOf(ctx context.Context, parts []string) (limit, error) {
	database, schema, name := pl.Catalog.Database, pl.Catalog.Schema, parts[len(parts)-1]
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	if len(parts) > 2 {
		database = parts[0]
	}
	if database == "temp" {
		return limit{}, nil
	}
	return pl.limit(ctx, database, schema, name)
}

// splitPath gives the parts of a path: what stands in one pair of backticks may be several.
func splitPath(path []string) []string {
	var parts []string
	for _, p := range path {
		parts = append(parts, strings.Split(p, ".")...)
	}
	return parts
}
