// Package planner writes what DuckDB is to run for a statement of the user's. Start with [Planner.Plan]. It knows neither DuckDB nor its
// driver: what it needs of a connection and of those who keep models is given, and where the catalog is given it needs no database.
//
// From the top, each file uses those below it: planner.go (which statement it is), calltext.go (the query behind the plain form of a call),
// the statements about models (createmodel.go, remotemodel.go, altermodel.go, list.go), about object tables (objecttable.go) and
// importdatabase.go, guard.go; expander.go (the calls in a query), under it scalar.go, ask.go, search.go, pseudocolumn.go and call.go with
// localembedding.go and remotecall.go; plan.go and terms.go (what is known of a plan, and errors in the user's terms); option.go, column.go.
package planner

import (
	"context"
	"fmt"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/objecttable"
)

// Planner plans one statement, on one goroutine: its catalog is the statement's. A query needs Config, Catalog, Models and Describe;
// statements about models need Library and Session, those about object tables Objects too.
type Planner struct {
	Config  *config.Config
	Catalog *catalog.Catalog
	Models  Models
	// Describe gives the columns of a query's result; nil when they cannot be told.
	Describe func(ctx context.Context, sql string) []Column
	Library  Library
	Objects  Objects
	Session  Session // nil guards no names
	// GoogleSQL gives what translates GoogleSQL; nil, or one that gives nil, leaves it to package dialect.
	GoogleSQL func() (*translator.Translator, error)
	// Unmeasured leaves out that models are measured: the plan is not to run.
	Unmeasured bool
}

// Models are what calls need of those who keep models: versions of them, and the functions that ask them.
type Models interface {
	// Version gives the frozen version of a model in the process.
	Version(e catalog.Entry) (*functions.Model, error)
	// RemoteCall gives the call of a function over a connection that a spec describes, ready to be asked: the spec itself, or
	// that of the same call before.
	RemoteCall(s *remote.Spec, connection string) (*remote.Spec, error)
	// PredictFunction and RemoteFunction make sure that a function is there for DuckDB to call.
	PredictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error)
	RemoteFunction(ctx context.Context, f remote.Function) error
	// FunctionName gives the name under which the statement sees a function.
	FunctionName(base string) string
}

// Library is what statements about models in the process need of those who keep their files.
type Library interface {
	// Engine gives the kind of engine of a MODEL_TYPE.
	Engine(modelType string) (engine.Kind, error)
	// Inspect reads the files of a model and gives its spec; keep copies them into the store.
	Inspect(ctx context.Context, k engine.Kind, in engine.Import) (s *modelspec.Spec, keep func(context.Context) error, err error)
	// Load gives the version of a model that is in the store, loaded.
	Load(ctx context.Context, name string, s *modelspec.Spec) (version int64, err error)
	// Retire leaves the versions of a name behind, but for the one to keep (0 for none).
	Retire(name string, keep int64)
	// Tensors lists what the files of a model in the store offer.
	Tensors(ctx context.Context, s *modelspec.Spec) ([]engine.Tensor, error)
}

// Objects are what statements about object tables need of those who read objects.
type Objects interface {
	// Allowed is an error where nothing outside the database may be read.
	Allowed(ctx context.Context) error
	// Missing is a [*objecttable.MissingError] where something that the table names is not there.
	Missing(ctx context.Context, t *objecttable.Table) error
	// Forget drops what is known of the table under a key, Refresh lists it anew.
	Forget(key string)
	Refresh(ctx context.Context, s objecttable.Spec) error
}

// Session is what statements need of the connection that they are for.
type Session interface {
	// Guarded gives the names that stand for models and object tables somewhere, lower-case and without their schemas.
	Guarded(ctx context.Context) []string
	// Remember notes that the open transaction has made or changed a model, or with nil dropped it.
	Remember(name catalog.QualifiedName, s *modelspec.Spec)
	// Import runs the scripts of an exported database, in one transaction.
	Import(ctx context.Context, schema, load string) error
}

// Plan reads a statement and writes what DuckDB is to run. Statements about models do their checks, and import files.
func (pl *Planner) Plan(ctx context.Context, src string, st dialect.Statement) (*Plan, error) {
	node, err := dialect.Parse(src, st)
	if err != nil {
		return nil, err
	}
	switch s := node.(type) {
	case *dialect.Query:
		if err := pl.guard(ctx, src, st); err != nil {
			return nil, err
		}
		if s.Untouched {
			return &Plan{SQL: src[st.Pos:max(st.End, st.Stop)], Pos: st.Pos, Verb: s.Verb, Lang: st.Lang, Plain: true}, nil
		}
		return pl.Query(ctx, src, s)
	case *dialect.CreateModel:
		return pl.createModel(ctx, s)
	case *dialect.AlterModel:
		return pl.alterModel(ctx, s)
	case *dialect.DropModel:
		return pl.dropModel(ctx, s)
	case *dialect.ShowModels:
		return pl.showModels(ctx, src, st, s)
	case *dialect.DescribeModel:
		return pl.describeModel(ctx, s)
	case *dialect.CreateExternalTable:
		return pl.createObjectTable(ctx, s)
	case *dialect.DropExternalTable:
		return pl.dropObjectTable(ctx, s)
	case *dialect.RefreshMetadata:
		return pl.refreshMetadata(ctx, s)
	case *dialect.ImportDatabase:
		return pl.importDatabase(ctx, src, s)
	case *dialect.Estimate:
		// EXPLAIN ML is ml_estimate('…') in other words.
		return &Plan{SQL: "SELECT * FROM ml_estimate(" + quote.Text(src[s.Query.Pos:s.Query.End]) + ")", Pos: -1, Verb: "EXPLAIN"}, nil
	}
	return nil, fmt.Errorf("statement of type %T is not supported", node)
}
