package planner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/objecttable"
)

// createObjectTable gives the statement that records an object table: a view over the listing, so that DuckDB gives it
// the namespace, transactions and all queries.
func (pl *Planner) createObjectTable(ctx context.Context, s *dialect.CreateExternalTable) (*Plan, error) {
	name := ""
	if s.Connection != nil || s.DefaultConnection {
		var err error
		if name, err = connectionOf(pl.Config, s.Connection, s.Name.Span); err != nil {
			return nil, err
		}
	}
	options := make([]objecttable.Option, len(s.Options))
	for i, o := range s.Options {
		options[i] = objecttable.Option{Name: o.Name, Value: objectValue(o.Value), Pos: o.Pos, End: o.End}
	}
	t, err := objecttable.NewTable(options, name, s.Pos, s.End)
	if err != nil {
		var oe *objecttable.OptionError
		if errors.As(err, &oe) {
			return nil, dialect.At(dialect.Span{Pos: oe.Pos, End: oe.End}, err)
		}
		return nil, dialect.At(s.Name.Span, err)
	}
	cat := pl.Catalog
	where, err := cat.Target(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	k, _, err := cat.Lookup(ctx, where)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	_, old, err := cat.ObjectTable(ctx, where)
	if err != nil {
		return nil, err
	}
	p := &Plan{Pos: -1, Verb: "CREATE EXTERNAL TABLE", Notice: fmt.Sprintf("Successfully created object table %s.", where)}
	switch {
	case k == catalog.Model:
		return nil, dialect.At(s.Name.Span, fmt.Errorf("`%s` is a model; "+
			"an object table shares its namespace and needs another name", where))
	case k == catalog.Other && !old:
		return nil, dialect.At(s.Name.Span, fmt.Errorf("`%s` is a table or a view of another kind; "+
			"an object table needs another name", where))
	case k == catalog.Other && s.IfNotExists:
		p.SQL, p.Notice = "CREATE VIEW IF NOT EXISTS "+where.SQL()+" AS SELECT 1", ""
		return p, nil
	case k == catalog.Other && !s.OrReplace:
		return nil, dialect.At(s.Name.Span, failure.As(failure.ErrNameTaken, fmt.Errorf("object table `%s` already exists; "+
			"CREATE OR REPLACE EXTERNAL TABLE replaces it", where)))
	}
	if err := pl.Objects.Allowed(ctx); err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	if err := pl.missing(ctx, s, t); err != nil {
		return nil, err
	}
	create := "CREATE VIEW "
	if s.OrReplace {
		create = "CREATE OR REPLACE VIEW "
	}
	// The listing gives details as text; BigQuery's is JSON.
	p.SQL = create + where.SQL() + " AS SELECT * REPLACE (" + objecttable.LateMD5 + ", CAST(ref AS STRUCT(uri VARCHAR, version VARCHAR, " +
		"authorizer VARCHAR, details JSON)) AS ref) FROM " + objecttable.Spec{Table: *t, Name: where.Key()}.SQL()
	p.Done = func() { pl.Objects.Forget(where.Key()) }
	return p, nil
}

// lookFor is how long CREATE EXTERNAL TABLE waits to hear whether what it names is there.
const lookFor = 10 * time.Second

// missing refuses a table whose bucket, folder or object is not there, at the URI.
func (pl *Planner) missing(ctx context.Context, s *dialect.CreateExternalTable, t *objecttable.Table) error {
	look, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	err := pl.Objects.Missing(look, t)
	var m *objecttable.MissingError
	if !errors.As(err, &m) {
		return dialect.At(s.Name.Span, errors.Join(err, ctx.Err()))
	}
	span := s.Name.Span
	for _, o := range s.Options {
		if strings.EqualFold(o.Name, "uris") {
			span = o.Value.Span
			if m.Index < len(o.Value.List) {
				span = o.Value.List[m.Index].Span
			}
		}
	}
	return dialect.At(span, err)
}

// dropObjectTable gives the statement that drops an object table, and no other kind of table.
func (pl *Planner) dropObjectTable(ctx context.Context, s *dialect.DropExternalTable) (*Plan, error) {
	cat := pl.Catalog
	ps, err := cat.Candidates(ctx, s.Name.Parts)
	if err != nil {
		return nil, dialect.At(s.Name.Span, err)
	}
	for _, p := range ps {
		if _, ok, err := cat.ObjectTable(ctx, p); err != nil {
			return nil, err
		} else if ok {
			return &Plan{SQL: "DROP VIEW " + p.SQL(), Pos: -1, Verb: "DROP EXTERNAL TABLE",
				Done: func() { pl.Objects.Forget(p.Key()) }}, nil
		}
		if external, err := cat.External(ctx, p); err != nil {
			return nil, err
		} else if external {
			return &Plan{SQL: "DROP VIEW " + p.SQL(), Pos: -1, Verb: "DROP EXTERNAL TABLE"}, nil
		}
		if k, _, err := cat.Lookup(ctx, p); err == nil && k != catalog.Nothing {
			is, drop := "TABLE or VIEW", "DROP TABLE or DROP VIEW"
			if k == catalog.Model {
				is, drop = "MODEL", "DROP MODEL"
			}
			return nil, dialect.At(s.Name.Span, fmt.Errorf("cannot drop `%s`, which has type %s: an external table was expected; %s drops it",
				p, is, drop))
		}
	}
	if s.IfExists {
		return &Plan{SQL: "DROP VIEW IF EXISTS " + ps[0].SQL(), Pos: -1, Verb: "DROP EXTERNAL TABLE"}, nil
	}
	return nil, dialect.At(s.Name.Span, failure.As(failure.ErrObjectTableNotFound, fmt.Errorf("object table `%s` not found", s.Name)))
}

// refreshMetadata lists an object table anew: CALL BQ.REFRESH_EXTERNAL_METADATA_CACHE.
func (pl *Planner) refreshMetadata(ctx context.Context, s *dialect.RefreshMetadata) (*Plan, error) {
	cat := pl.Catalog
	ps, err := cat.Candidates(ctx, s.Table.Parts)
	if err != nil {
		return nil, dialect.At(s.Table.Span, err)
	}
	for _, p := range ps {
		spec, ok, err := cat.ObjectTable(ctx, p)
		if err != nil {
			return nil, dialect.At(s.Table.Span, err)
		}
		if !ok {
			continue
		}
		if err := pl.Objects.Refresh(ctx, spec); err != nil {
			return nil, dialect.At(s.Table.Span, err)
		}
		// CALL gives no rows, and neither does this.
		return &Plan{SQL: "RESET VARIABLE mallard_refreshed", Pos: -1, Verb: "CALL", Notice: fmt.Sprintf("Successfully refreshed the "+
			"metadata of object table %s.", p)}, nil
	}
	return nil, dialect.At(s.Table.Span, failure.As(failure.ErrObjectTableNotFound, fmt.Errorf("object table `%s` not found", s.Table)))
}

// objectValue gives an option's value as package objecttable reads it.
func objectValue(v dialect.Value) objecttable.Value {
	out := objecttable.Value{Pos: v.Pos, End: v.End}
	list := func(vs []dialect.Value) []objecttable.Value {
		all := make([]objecttable.Value, len(vs))
		for i, e := range vs {
			all[i] = objectValue(e)
		}
		return all
	}
	switch v.Kind {
	case dialect.Null:
	case dialect.Int:
		out.V = v.Int
	case dialect.Float:
		out.V = v.Float
	case dialect.Bool:
		out.V = v.Bool
	case dialect.Array:
		out.V = list(v.List)
	case dialect.Struct:
		vs := make([]dialect.Value, len(v.Fields))
		for i, f := range v.Fields {
			vs[i] = f.Value
		}
		out.V = list(vs)
	default:
		out.V = v.Str
	}
	return out
}
