// Package catalog finds models and object tables by their names. A model is a view whose two columns hold its spec; so DuckDB gives it the
// namespace, transactions and everything else that views have. Start with [Catalog.Resolve]. The package asks the database by the one
// function that it is given, and knows no driver.
package catalog

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

// Catalog reads models. It works over the user's connection, which sees its own transaction, or over a private one while
// the user's is busy binding; then Open stands for what the transaction has changed. It is for one statement, and one goroutine.
type Catalog struct {
	Project          string // may stand before a dataset; "" for none
	Declared         Declared
	Rows             func(ctx context.Context, query string) ([][]driver.Value, error)
	Database, Schema string                     // where unqualified names are looked up
	Open             map[string]*modelspec.Spec // by Key, nil for a dropped one; nil over the user's connection
	databaseSet      []string                   // attached databases, read when first needed
}

// Declared are the models of the configuration, which belong to no database.
type Declared interface {
	// Names lists them.
	Names() []string
	// Spec gives the model of a name.
	Spec(ctx context.Context, name string) (*modelspec.Spec, error)
}

// Kind is what a name stands for.
type Kind int

// The kinds.
const (
	Nothing Kind = iota
	Model
	Other // a table or a view that is no model
)

// Entry is a model that a name led to.
type Entry struct {
	QualifiedName
	Spec *modelspec.Spec
}

// Lookup reads one place.
func (c *Catalog) Lookup(ctx context.Context, p QualifiedName) (Kind, *modelspec.Spec, error) {
	if spec, ok := c.Open[p.Key()]; ok {
		if spec == nil {
			return Nothing, nil, nil
		}
		return Model, spec, nil
	}
	return c.LookupPath(ctx, p.SQL(), p.String())
}

// LookupPath reads what DuckDB finds under a name, in its SQL form; name is how messages call it.
func (c *Catalog) LookupPath(ctx context.Context, path, name string) (Kind, *modelspec.Spec, error) {
	rows, err := c.Rows(ctx, "SELECT mallard_model, spec FROM "+path+" LIMIT 1")
	switch {
	case err == nil:
	case duckapi.LacksColumn(err, "mallard_model"):
		return Other, nil, nil
	case duckapi.Absent(err):
		return Nothing, nil, nil
	default:
		return Nothing, nil, err
	}
	if len(rows) != 1 {
		return Other, nil, nil
	}
	format, ok1 := rows[0][0].(string)
	text, ok2 := rows[0][1].(string)
	if !ok1 || !ok2 || !strings.HasPrefix(format, "mallard/") {
		return Other, nil, nil
	}
	spec, err := modelspec.Decode(format, text)
	if err != nil {
		return Model, nil, fmt.Errorf("model %s: %w", name, err)
	}
	return Model, spec, nil
}

// databases lists the attached databases.
func (c *Catalog) databases(ctx context.Context) ([]string, error) {
	if c.databaseSet == nil {
		rows, err := c.Rows(ctx, "SELECT database_name FROM duckdb_databases() WHERE NOT internal ORDER BY database_oid")
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
func (c *Catalog) attached(ctx context.Context, name string) (string, bool, error) {
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

// WithoutProject drops a first part that is the configured project. A first part of three that is neither an attached
// database nor the project is an error: never a guess.
func (c *Catalog) WithoutProject(ctx context.Context, parts []string) ([]string, error) {
	if len(parts) < 2 || len(parts) > 3 {
		return parts, nil
	}
	project := c.Project
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
	return nil, &UnknownProject{Path: parts, Configured: project}
}

// UnknownProject says that the first part of a name is neither a database nor a project.
type UnknownProject struct {
	Path       []string
	Configured string
}

func (e *UnknownProject) Error() string {
	advice := "; attach the database or set [bigquery] project in the configuration"
	if e.Configured != "" {
		advice = fmt.Sprintf(", which is `%s`; attach the database or set [bigquery] project", e.Configured)
	}
	return fmt.Sprintf("`%s`: `%s` is neither an attached database nor the configured project%s", strings.Join(e.Path, "."), e.Path[0], advice)
}

// Candidates gives the places that a name may mean, in the order in which they are tried.
func (c *Catalog) Candidates(ctx context.Context, parts []string) ([]QualifiedName, error) {
	parts, err := c.WithoutProject(ctx, parts)
	if err != nil {
		return nil, err
	}
	switch len(parts) {
	case 1:
		ps := []QualifiedName{{c.Database, c.Schema, parts[0]}}
		if c.Schema != "main" {
			ps = append(ps, QualifiedName{c.Database, "main", parts[0]})
		}
		return ps, nil
	case 2:
		ps := []QualifiedName{{c.Database, parts[0], parts[1]}}
		if db, ok, err := c.attached(ctx, parts[0]); err != nil {
			return nil, err
		} else if ok {
			ps = append(ps, QualifiedName{db, "main", parts[1]})
		}
		return ps, nil
	case 3:
		return []QualifiedName{{parts[0], parts[1], parts[2]}}, nil
	}
	return nil, fmt.Errorf("`%s`: a model name has one to three parts", strings.Join(parts, "."))
}

// Resolve finds a model by name. id is the lineage that a stored view remembers, or "". Models of the current database
// come first, then those of the configuration, then a single one of that name among the attached databases.
func (c *Catalog) Resolve(ctx context.Context, parts []string, id string) (Entry, error) {
	ps, err := c.Candidates(ctx, parts)
	if err != nil {
		return Entry{}, err
	}
	notModel := ""
	var first *Entry
	for _, p := range ps {
		k, spec, err := c.Lookup(ctx, p)
		if err != nil {
			return Entry{}, err
		}
		if k == Other {
			notModel = p.String()
		}
		if k == Model {
			if id == "" || spec.ID == id {
				return Entry{p, spec}, nil
			}
			first = &Entry{p, spec}
			break
		}
	}
	if first == nil {
		if f, ok, err := c.declared(ctx, parts); ok || err != nil {
			return f, err
		}
	}
	// A view may stand in an attached file whose schema has the name.
	if len(ps[0].Schema) > 0 && len(parts) >= 2 || id != "" {
		all, err := c.databases(ctx)
		if err != nil {
			return Entry{}, err
		}
		var hits []Entry
		for _, db := range all {
			p := QualifiedName{db, ps[0].Schema, ps[0].Name}
			if strings.EqualFold(db, ps[0].Database) {
				continue
			}
			k, spec, err := c.Lookup(ctx, p)
			if err != nil {
				return Entry{}, err
			}
			if k == Model {
				if id != "" && spec.ID == id {
					return Entry{p, spec}, nil
				}
				hits = append(hits, Entry{p, spec})
			}
		}
		if first != nil {
			hits = append(hits, *first)
		}
		switch {
		case len(hits) == 1:
			return hits[0], nil
		case len(hits) > 1:
			return Entry{}, fmt.Errorf("model `%s` stands in several attached databases; name one of them, as in `%s.%s`",
				strings.Join(parts, "."), hits[0].Database, hits[0].QualifiedName)
		}
	}
	name := strings.Join(parts, ".")
	if notModel != "" {
		return Entry{}, failure.As(failure.ErrModelNotFound, fmt.Errorf("`%s` is a table or a view and no model; SHOW MODELS lists the models",
			notModel))
	}
	return Entry{}, c.NotFound(ctx, name)
}

// NotFound says that there is no such model, and which one may have been meant.
func (c *Catalog) NotFound(ctx context.Context, name string) error {
	advice := "SHOW MODELS lists the models; CREATE MODEL makes one"
	if all, err := c.List(ctx); err == nil {
		names := make([]string, len(all))
		for i, f := range all {
			names[i] = f.QualifiedName.String()
		}
		if s := spelling.Nearest(name, names); s != "" {
			advice = fmt.Sprintf("did you mean `%s`? SHOW MODELS lists the models", s)
		}
	}
	return failure.As(failure.ErrModelNotFound, fmt.Errorf("model `%s` not found; %s", name, advice))
}

// Target gives the place for a new model. Its dataset must exist.
func (c *Catalog) Target(ctx context.Context, parts []string) (QualifiedName, error) {
	full := strings.Join(parts, ".")
	parts, err := c.WithoutProject(ctx, parts)
	if err != nil {
		return QualifiedName{}, err
	}
	p := QualifiedName{c.Database, c.Schema, parts[len(parts)-1]}
	switch len(parts) {
	case 1:
		return p, nil
	case 2:
		p.Schema = parts[0]
	case 3:
		p.Database, p.Schema = parts[0], parts[1]
	default:
		return QualifiedName{}, fmt.Errorf("`%s`: a model name has one to three parts", full)
	}
	rows, err := c.Rows(ctx, "SELECT database_name, schema_name FROM duckdb_schemas() WHERE lower(database_name) = lower("+
		quote.Text(p.Database)+") AND lower(schema_name) = lower("+quote.Text(p.Schema)+")")
	if err != nil {
		return QualifiedName{}, err
	}
	if len(rows) > 0 {
		return QualifiedName{fmt.Sprint(rows[0][0]), fmt.Sprint(rows[0][1]), p.Name}, nil
	}
	if len(parts) == 2 {
		if db, ok, err := c.attached(ctx, parts[0]); err != nil || ok {
			return QualifiedName{db, "main", p.Name}, err
		}
	}
	return QualifiedName{}, failure.As(failure.ErrDatasetNotFound, fmt.Errorf("dataset `%s` not found; create it first: CREATE SCHEMA %s",
		p.Schema, quote.Name(p.Schema)))
}

// openModels gives the models that the open transaction has made.
func (c *Catalog) openModels() []Entry {
	var all []Entry
	for key, spec := range c.Open {
		if spec == nil {
			continue
		}
		if parts, err := SplitName(key); err == nil && len(parts) == 3 {
			all = append(all, Entry{QualifiedName{parts[0], parts[1], parts[2]}, spec})
		}
	}
	return all
}
