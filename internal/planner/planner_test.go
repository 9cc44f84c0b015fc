package planner_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/planner"
)

var (
	inputs  = []modelspec.Port{{Name: "input", DType: "string", Shape: []int64{-1}}}
	outputs = []modelspec.Port{{Name: "dense_1", DType: "float32", Shape: []int64{-1, 3}}}
)

// given is all that a planner needs, without a connection: two models, and notes of what it was asked for.
type given struct {
	planner.Library
	asked   []*remote.Spec
	retired []string
	open    map[string]*modelspec.Spec
}

func (g *given) rows(_ context.Context, query string) ([][]driver.Value, error) {
	switch {
	case strings.Contains(query, "duckdb_databases()"):
		return [][]driver.Value{{"db", false}}, nil
	case strings.Contains(query, "duckdb_schemas()"):
		return [][]driver.Value{{"db", "d"}}, nil
	case strings.Contains(query, "duckdb_"):
		return nil, nil
	}
	models := map[string]*modelspec.Spec{
		"lang": {ID: "1", Type: "TENSORFLOW", Digest: "sha256-0", Inputs: inputs, Outputs: outputs},
		"far": {ID: "2", Type: "REMOTE", Connection: "default",
			Endpoint: "https://host/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-flash"},
	}
	for name, m := range models {
		if strings.Contains(query, `"d"."`+name+`" LIMIT 1`) {
			return [][]driver.Value{{modelspec.Format, m.Encode()}}, nil
		}
	}
	return nil, &duckdb.Error{Type: duckdb.ErrorTypeCatalog, Msg: "Catalog Error: Table with name x does not exist!"}
}

func (g *given) Version(catalog.Entry) (*functions.Model, error) {
	in, err := modelspec.Ports(inputs)
	if err != nil {
		return nil, err
	}
	out, err := modelspec.Ports(outputs)
	return &functions.Model{Name: "d.lang", Version: 7, Inputs: in, Outputs: out}, err
}

func (g *given) RemoteCall(s *remote.Spec, connection string) (*remote.Spec, error) {
	s.Version, s.Connection = 9, dispatch.NewConnection(dispatch.ConnectionOptions{Name: connection})
	s.Service = func(context.Context) (remote.Service, error) { return nil, errors.New("nothing is asked here") }
	g.asked = append(g.asked, s)
	return s, s.Init()
}

func (g *given) PredictFunction(context.Context, []functions.Port, functions.Types) (string, error) {
	return "predict", nil
}
func (g *given) RemoteFunction(context.Context, remote.Function) error { return nil }
func (g *given) NativeFunction(context.Context, string) error          { return nil }
func (g *given) FunctionName(base string) string                       { return base }

func (g *given) Guarded(context.Context) []string                    { return []string{"lang", "far"} }
func (g *given) Import(context.Context, string, string) error        { return nil }
func (g *given) Remember(n catalog.QualifiedName, s *modelspec.Spec) { g.open[n.String()] = s }
func (g *given) Retire(name string, _ int64)                         { g.retired = append(g.retired, name) }
func (g *given) Engine(modelType string) (engine.Kind, error) {
	return engine.Kinds(nil).Find(modelType)
}
func (g *given) columns(context.Context, string) (c []planner.Column, err error) { return c, err }

func (g *given) planner() *planner.Planner {
	return &planner.Planner{
		Config:  &config.Config{Connections: map[string]config.ConnectionConfig{"default": {Project: "p", Location: "us-central1"}}},
		Catalog: &catalog.Catalog{Project: "p", Rows: g.rows, Database: "db", Schema: "main"},
		Models:  g, Library: g, Session: g, Columns: g.columns, Unmeasured: true,
	}
}

// TestPlan: statements are planned over a catalog that is given; no database is open.
func TestPlan(t *testing.T) {
	predicted := "(SELECT __p.o0 AS \"dense_1\", * EXCLUDE (__p) FROM (SELECT system.main.predict(7, "
	for _, tt := range []struct {
		src, want string // of the plan's SQL, or of the error
		place     string // in the source, of the error
	}{
		{"SELECT 1", "SELECT 1", ""},
		{"SELECT * FROM ML.PREDICT(MODEL d.lang, (SELECT 'x' AS input))", predicted, ""},
		{"EXPLAIN ANALYZE SELECT * FROM ML.PREDICT(MODEL d.lang, (SELECT '__p' AS __p, 'x' AS input))",
			"(SELECT \"MODEL d.lang\".o0 AS \"dense_1\", * EXCLUDE (\"MODEL d.lang\") FROM (SELECT system.main.predict(7, ", ""},
		{"EXPLAIN SELECT * FROM ML.GENERATE_TEXT(MODEL d.far, (SELECT 'x' AS prompt))",
			" AS \"MODEL d.far, remote: EXPLAIN ML tells its requests and cost\", * FROM (WITH \"input of MODEL d.far\" AS MATERIALIZED", ""},
		{"SELECT `x`", "GoogleSQL is not read here", "SELECT `x`"},
		{"SELECT AI.GENERATE('hello', endpoint => 'gemini-2.5-flash')", "(9, 'hello')", ""},
		{"SELECT * FROM ML.GENERATE_TEXT(MODEL d.far, (SELECT 'x' AS prompt), STRUCT(0.2 AS temperature))",
			"AS MATERIALIZED (SELECT system.main.", ""},
		{"SELECT * FROM ML.GENERATE_TEXT(MODEL d.far, (SELECT 'x' AS prompt), STRUCT(0.2 AS temprature))", "did you mean", "0.2 AS temprature"},
		{"SELECT * FROM ML.PREDICT(MODEL d.none, TABLE t)", "model `d.none` not found", "d.none"},
		{"CREATE MODEL d.new REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')",
			`CREATE VIEW "db"."d"."new" AS SELECT 'mallard/1'`, ""},
		{"CREATE MODEL d.new OPTIONS(MODEL_TYPE='ONNX', MODEL_PATH='x')", "MODEL_TYPE 'ONNX' is not supported", "'ONNX'"},
		{"DROP MODEL d.lang", `DROP VIEW "db"."d"."lang"`, ""},
		{"DROP TABLE d.lang", "DROP MODEL d.lang drops it", "d.lang"},
		{"SHOW MODELS FROM d", "mallard_models()", ""},
		{"DESCRIBE MODEL d.lang", `mallard_model_info('"db"."d"."lang"')`, ""},
	} {
		g := &given{open: map[string]*modelspec.Spec{}}
		st := dialect.Split(tt.src, dialect.Auto)[0]
		p, err := g.planner().Plan(t.Context(), tt.src, st)
		got, place := fmt.Sprint(err), ""
		var at *dialect.Located
		switch {
		case err == nil:
			got = p.SQL
		case errors.As(err, &at):
			place = tt.src[at.Pos:at.End]
		}
		if !strings.Contains(got, tt.want) || place != tt.place {
			t.Errorf("%s\ngives %s at %q,\nwant  %s at %q", tt.src, got, place, tt.want, tt.place)
		}
	}
}

// TestPlanKnows: what a plan has besides its text.
func TestPlanKnows(t *testing.T) {
	g := &given{open: map[string]*modelspec.Spec{"d.lang": {}}}
	plan := func(src string) *planner.Plan {
		t.Helper()
		p, err := g.planner().Plan(t.Context(), src, dialect.Split(src, dialect.Auto)[0])
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan("DROP MODEL d.lang")
	if p.Done(); g.open["d.lang"] != nil || !slices.Equal(g.retired, []string{"d.lang"}) {
		t.Errorf("after DROP MODEL the transaction knows %v, and %v are retired", g.open, g.retired)
	}
	if !p.ChangesNames() || p.MakesNames() || plan("SELECT 1").ChangesNames() || !plan("CREATE VIEW v AS SELECT 1").MakesNames() {
		t.Error("which statements change and make names is told wrong")
	}
	if p := plan("SELECT * FROM ML.PREDICT(MODEL d.lang, TABLE t)"); len(p.Models) != 1 || p.Models[0].Name != "d.lang" {
		t.Errorf("the plan's models are %v", p.Models)
	}
	plan("SELECT AI.GENERATE('hello', endpoint => 'gemini-2.5-flash')")
	const url = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash"
	if len(g.asked) != 1 || g.asked[0].Endpoint != url || g.asked[0].Func != "AI.GENERATE" {
		t.Errorf("asked %+v", g.asked)
	}
}
