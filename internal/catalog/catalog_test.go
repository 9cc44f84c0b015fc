package catalog

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/failure"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
)

// shelf is a database that has some models and tables, by their quoted names.
type shelf struct {
	databases []string
	models    map[string]*modelspec.Spec // nil for a table
}

func (s shelf) rows(_ context.Context, query string) ([][]driver.Value, error) {
	switch {
	case strings.Contains(query, "duckdb_databases()"):
		var all [][]driver.Value
		for _, d := range s.databases {
			all = append(all, []driver.Value{d})
		}
		return all, nil
	case strings.Contains(query, "duckdb_views()"):
		return nil, nil
	}
	_, path, _ := strings.Cut(strings.TrimSuffix(query, " LIMIT 1"), " FROM ")
	m, ok := s.models[path]
	switch {
	case !ok:
		return nil, &duckdb.Error{Type: duckdb.ErrorTypeCatalog, Msg: "Catalog Error: Table with name x does not exist!"}
	case m == nil:
		return nil, &duckdb.Error{Type: duckdb.ErrorTypeBinder, Msg: `Binder Error: Referenced column "mallard_model" not found in FROM clause!`}
	}
	return [][]driver.Value{{modelspec.Format, m.Encode()}}, nil
}

// declared are models of a configuration.
type declared map[string]*modelspec.Spec

func (d declared) Names() (all []string) {
	for name := range d {
		all = append(all, name)
	}
	return all
}

func (d declared) Spec(_ context.Context, name string) (*modelspec.Spec, error) { return d[name], nil }

func remote(id string) *modelspec.Spec {
	return &modelspec.Spec{ID: id, Type: "REMOTE", Endpoint: "e", Connection: "c"}
}

// TestResolve: what a name leads to, in the order in which places are tried; no database is open.
func TestResolve(t *testing.T) {
	db := shelf{databases: []string{"db", "far", "off"}, models: map[string]*modelspec.Spec{
		`"db"."main"."m"`: remote("main"), `"db"."s"."m"`: remote("current"), `"db"."d"."m"`: remote("dataset"), `"db"."d"."t"`: nil,
		`"far"."x"."one"`: remote("far"), `"far"."x"."two"`: remote("two far"), `"off"."x"."two"`: remote("two off"), `"off"."main"."m"`: remote("attached"),
	}}
	for _, tt := range []struct{ give, id, want string }{
		{"m", "", "current"}, {"d.m", "", "dataset"}, {"p.d.m", "", "dataset"}, {"far.x.one", "", "far"}, {"x.one", "", "far"}, {"off.m", "", "attached"},
		{"gone", "", "dropped"}, {"made", "", "made here"}, {"c.m", "", "configured"}, {"p.c.m", "", "configured"},
		{"x.two", "two off", "two off"}, {"x.two", "", "stands in several attached databases"},
		{"d.t", "", "is a table or a view and no model"}, {"q.d.m", "", "neither an attached database nor the configured project"},
		{"a.b.c.d", "", "one to three parts"}, {"nope", "", "model `nope` not found"},
	} {
		c := &Catalog{Project: "p", Rows: db.rows, Database: "db", Schema: "s", Declared: declared{"c.m": remote("configured")},
			Open: map[string]*modelspec.Spec{`"db"."s"."gone"`: nil, `"db"."main"."gone"`: remote("dropped"), `"db"."s"."made"`: remote("made here")}}
		e, err := c.Resolve(t.Context(), strings.Split(tt.give, "."), tt.id)
		got := fmt.Sprint(err)
		if err == nil {
			got = e.Spec.ID
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.give, got, tt.want)
		}
		if strings.Contains(got, "not found") && !errors.Is(err, failure.ErrModelNotFound) {
			t.Errorf("%s: %v is no failure.ErrModelNotFound", tt.give, err)
		}
	}
}

func FuzzSplitName(f *testing.F) {
	f.Add("`a.b`.c")
	f.Add(`"a""b".c`)
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := SplitName(s)
		if err != nil {
			return
		}
		again, err := SplitName(quote.Path(parts...))
		if err != nil || strings.Join(again, "\x00") != strings.Join(parts, "\x00") {
			t.Errorf("%q gives %q, and its quoted form %q, %v", s, parts, again, err)
		}
	})
}
