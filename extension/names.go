package extension

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/spelling"
)

// place is where a model is: the parts by which DuckDB knows the view.
type place struct{ db, schema, name string }

func (p place) sql() string { return quote.Path(p.db, p.schema, p.name) }

// key is the place as the overlay of a transaction knows it; DuckDB's names do not tell case apart.
func (p place) key() string { return strings.ToLower(p.sql()) }

// String is the name as messages show it: as short as it is clear.
func (p place) String() string {
	if p.schema == "main" {
		return p.name
	}
	return p.schema + "." + p.name
}

// catalog reads models. It works over the user's connection, which sees its own transaction, or over a private one while
// the user's is busy binding; then open stands for what the transaction has changed.
type catalog struct {
	in          *instance
	rows        func(ctx context.Context, query string) ([][]driver.Value, error)
	db, schema  string                     // where unqualified names are looked up
	open        map[string]*modelspec.Spec // nil over the user's connection
	databaseSet []string                   // attached databases, read when first needed
}

// kind is what a name stands for.
type kind int

const (
	nothing kind = iota
	model
	other // a table or a view that is no model
)

// lookup reads one place.
func (c *catalog) lookup(ctx context.Context, p place) (kind, *modelspec.Spec, error) {
	if rec, ok := c.open[p.key()]; ok {
		if rec == nil {
			return nothing, nil, nil
		}
		return model, rec, nil
	}
	return c.lookupPath(ctx, p.sql(), p.String())
}

// lookupPath reads what DuckDB finds under a name, in its SQL form; name is how messages call it.
func (c *catalog) lookupPath(ctx context.Context, path, name string) (kind, *modelspec.Spec, error) {
	rows, err := c.rows(ctx, "SELECT mallard_model, spec FROM "+path+" LIMIT 1")
	switch {
	case err == nil:
	case duckapi.LacksColumn(err, "mallard_model"):
		return other, nil, nil
	case duckapi.Absent(err):
		return nothing, nil, nil
	default:
		return nothing, nil, err
	}
	if len(rows) != 1 {
		return other, nil, nil
	}
	format, ok1 := rows[0][0].(string)
	spec, ok2 := rows[0][1].(string)
	if !ok1 || !ok2 || !strings.HasPrefix(format, "mallard/") {
		return other, nil, nil
	}
	rec, err := modelspec.Decode(format, spec)
	if err != nil {
		return model, nil, fmt.Errorf("model %s: %w", name, err)
	}
	return model, rec, nil
}

// databases lists the attached databases.
func (c *catalog) databases(ctx context.Context) ([]string, error) {
	if c.databaseSet == nil {
		rows, err := c.rows(ctx, "SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY database_oid")
		if err != nil {
			return nil, err
		}
		c.databaseSet = []string{}
		for _, r := range rows {
			c.databaseSet = append(c.databaseSet, fmt.Sprint(r[0]))
		}
	}
	return c.databaseSet, nil
}

// attached finds a database by name.
func (c *catalog) attached(ctx context.Context, name string) (string, bool, error) {
	all, err := c.databases(ctx)
	if err != nil {
		return "", false, err
	}
	i := slices.IndexFunc(all, func(d string) bool { return strings.EqualFold(d, name) })
	if i < 0 {
		return "", false, nil
	}
	return all[i], true, nil
}

// withoutProject drops a first part that is the configured project. A first part of three that is neither an attached
// database nor the project is an error: never a guess.
func (c *catalog) withoutProject(ctx context.Context, parts []string) ([]string, error) {
	if len(parts) < 2 || len(parts) > 3 {
		return parts, nil
	}
	project := c.in.cfg.BigQuery.Project
	if len(parts) == 2 && (project == "" || parts[0] != project) {
		return parts, nil
	}
	_, ok, err := c.attached(ctx, parts[0])
	if err != nil || ok {
		return parts, err
	}
	if project != "" && parts[0] == project {
		return parts[1:], nil
	}
	advice := "set [bigquery] project in the configuration"
	if project != "" {
		advice = fmt.Sprintf("the configured project is `%s`", project)
	}
	return nil, fmt.Errorf("`%s`: `%s` is neither an attached database nor the configured project; attach the database or %s",
		strings.Join(parts, "."), parts[0], advice)
}

// candidates gives the places that a name may mean, in the order in which they are tried.
func (c *catalog) candidates(ctx context.Context, parts []string) ([]place, error) {
	parts, err := c.withoutProject(ctx, parts)
	if err != nil {
		return nil, err
	}
	switch len(parts) {
	case 1:
		ps := []place{{c.db, c.schema, parts[0]}}
		if c.schema != "main" {
			ps = append(ps, place{c.db, "main", parts[0]})
		}
		return ps, nil
	case 2:
		ps := []place{{c.db, parts[0], parts[1]}}
		if db, ok, err := c.attached(ctx, parts[0]); err != nil {
			return nil, err
		} else if ok {
			ps = append(ps, place{db, "main", parts[1]})
		}
		return ps, nil
	case 3:
		return []place{{parts[0], parts[1], parts[2]}}, nil
	}
	return nil, fmt.Errorf("`%s`: a model name has one to three parts", strings.Join(parts, "."))
}

// found is a model that a name led to.
type found struct {
	place
	rec *modelspec.Spec
}

// resolve finds a model by name. id is the lineage that a stored view remembers, or "". Models of the current database
// come first, then those of the configuration, then a single one of that name among the attached databases.
func (c *catalog) resolve(ctx context.Context, parts []string, id string) (found, error) {
	ps, err := c.candidates(ctx, parts)
	if err != nil {
		return found{}, err
	}
	notModel := ""
	var first *found
	for _, p := range ps {
		k, rec, err := c.lookup(ctx, p)
		if err != nil {
			return found{}, err
		}
		if k == other {
			notModel = p.String()
		}
		if k == model {
			if id == "" || rec.ID == id {
				return found{p, rec}, nil
			}
			first = &found{p, rec}
			break
		}
	}
	if first == nil {
		if f, ok, err := c.declared(ctx, parts); ok || err != nil {
			return f, err
		}
	}
	// A view may stand in an attached file whose schema has the name.
	if len(ps[0].schema) > 0 && len(parts) >= 2 || id != "" {
		all, err := c.databases(ctx)
		if err != nil {
			return found{}, err
		}
		var hits []found
		for _, db := range all {
			p := place{db, ps[0].schema, ps[0].name}
			if strings.EqualFold(db, ps[0].db) {
				continue
			}
			k, rec, err := c.lookup(ctx, p)
			if err != nil {
				return found{}, err
			}
			if k == model {
				if id != "" && rec.ID == id {
					return found{p, rec}, nil
				}
				hits = append(hits, found{p, rec})
			}
		}
		if first != nil {
			hits = append(hits, *first)
		}
		switch {
		case len(hits) == 1:
			return hits[0], nil
		case len(hits) > 1:
			return found{}, fmt.Errorf("model `%s` stands in several attached databases; name one of them, as in `%s.%s`",
				strings.Join(parts, "."), hits[0].db, hits[0].place)
		}
	}
	name := strings.Join(parts, ".")
	if notModel != "" {
		return found{}, failure.As(failure.ErrModelNotFound, fmt.Errorf("`%s` is a table or a view and no model; SHOW MODELS lists the models", notModel))
	}
	return found{}, c.notFound(ctx, name)
}

// notFound says that there is no such model, and which one may have been meant.
func (c *catalog) notFound(ctx context.Context, name string) error {
	advice := "SHOW MODELS lists the models; CREATE MODEL makes one"
	if all, err := c.list(ctx); err == nil {
		names := make([]string, len(all))
		for i, f := range all {
			names[i] = f.place.String()
		}
		if s := spelling.Nearest(name, names); s != "" {
			advice = fmt.Sprintf("did you mean `%s`? SHOW MODELS lists the models", s)
		}
	}
	return failure.As(failure.ErrModelNotFound, fmt.Errorf("model `%s` not found; %s", name, advice))
}

// target gives the place for a new model. Its dataset must exist.
func (c *catalog) target(ctx context.Context, parts []string) (place, error) {
	full := strings.Join(parts, ".")
	parts, err := c.withoutProject(ctx, parts)
	if err != nil {
		return place{}, err
	}
	p := place{c.db, c.schema, parts[len(parts)-1]}
	switch len(parts) {
	case 1:
		return p, nil
	case 2:
		p.schema = parts[0]
	case 3:
		p.db, p.schema = parts[0], parts[1]
	default:
		return place{}, fmt.Errorf("`%s`: a model name has one to three parts", full)
	}
	rows, err := c.rows(ctx, "SELECT database_name, schema_name FROM duckdb_schemas() WHERE lower(database_name) = lower("+
		quote.Text(p.db)+") AND lower(schema_name) = lower("+quote.Text(p.schema)+")")
	if err != nil {
		return place{}, err
	}
	if len(rows) > 0 {
		return place{fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1]), p.name}, nil
	}
	if len(parts) == 2 {
		if db, ok, err := c.attached(ctx, parts[0]); err != nil || ok {
			return place{db, "main", p.name}, err
		}
	}
	return place{}, failure.As(failure.ErrDatasetNotFound, fmt.Errorf("dataset `%s` not found; create it first: CREATE SCHEMA %s", p.schema, quote.Name(p.schema)))
}

// openModels gives the models that the open transaction has made.
func (c *catalog) openModels() []found {
	var all []found
	for key, rec := range c.open {
		if rec == nil {
			continue
		}
		if parts, err := splitName(key); err == nil && len(parts) == 3 {
			all = append(all, found{place{parts[0], parts[1], parts[2]}, rec})
		}
	}
	return all
}
