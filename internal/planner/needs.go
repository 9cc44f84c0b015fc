// Package planner writes what DuckDB is to run for a statement of the user's. Start with [Planner.Plan]. It knows neither DuckDB nor its
// driver: what it needs of a connection and of those who keep models is given, and where the catalog is given it needs no database.
//
// From the top, each file uses those below it:
//
//   - statement.go: which statement it is
//   - createmodel.go, altermodel.go, load.go, list.go, objecttable.go, importdatabase.go, script.go: statements with plans of their own
//   - query.go: the calls in a query, and where GoogleSQL enters (googlesql.go)
//   - call.go, calltext.go, ask.go, localembedding.go, predict.go, remotecall.go, missingcolumn.go: a call over a model
//   - informationschema.go, routineview.go, ddl.go, relations.go: INFORMATION_SCHEMA, and what a dataset holds
//   - scalar.go, search.go, pseudocolumn.go, sessionize.go, tablecall.go: functions and columns of ours in a query
//   - target.go, asof.go: what a statement changes; times of which tables are read
//   - terms.go, described.go: errors in the user's terms; the database as the analyzer of GoogleSQL sees it
//   - expander.go, kept.go, plan.go, needs.go: what all of these share
//
// Three arrows run up, where queries stand inside queries: query.go comes back to call.go and googlesql.go, scalar.go to ask.go.
package planner

import (
	"context"
	"time"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/googlesql/translator"
	"github.com/mallardml/mallard/internal/modelspec"
	"github.com/mallardml/mallard/objecttable"
)

// Planner plans one statement, on one goroutine: its catalog is the statement's. A query needs Config, Catalog, Models and Columns;
// statements about models need Library and Session, those about object tables Objects too.
type Planner struct {
	Config  *config.Config
	Catalog *catalog.Catalog
	Models  Models
	// Columns gives the columns of a query's result. The error is DuckDB's.
	Columns func(ctx context.Context, sql string) ([]Column, error)
	Library Library
	Objects Objects
	Session Session // nil guards no names
	// GoogleSQL gives what translates GoogleSQL; its error says how to get it.
	GoogleSQL func() (*translator.Translator, error)
	// Variables gives those of the connection's script, and @@variables; a GoogleSQL statement asks for them.
	Variables func() []translator.Variable
	// Limits are those of the session's tables, as they were at an Epoch; nil knows of none.
	Limits *Limits
	Epoch  int64
	// Changed tells when a table was last changed, by its key, and what made it so where that was no statement about the table. nil
	// takes no table for changed.
	Changed func(key string) (at time.Time, by string)
	// Unmeasured leaves out that models are measured: the plan is not to run.
	Unmeasured bool
}

// Describe gives the columns of a query's result; nil when they cannot be told.
func (pl *Planner) Describe(ctx context.Context, sql string) []Column {
	columns, err := pl.Columns(ctx, sql)
	if err != nil {
		return nil
	}
	return columns
}

// Models are what calls need of those who keep models: versions of them, and the functions that ask them.
type Models interface {
	// Version gives the frozen version of a model in the process.
	Version(e catalog.Entry) (*functions.Model, error)
	// RemoteCall gives the call of a function over a connection that a spec describes, ready to be asked: the spec itself, or
	// that of the same call before.
	RemoteCall(s *remote.Spec, connection string) (*remote.Spec, error)
	// PredictFunction, RemoteFunction and NativeFunction make sure that a function is there for DuckDB to call.
	PredictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error)
	RemoteFunction(ctx context.Context, f remote.Function) error
	NativeFunction(ctx context.Context, name string) error // of package functions/googlesql
	// FunctionName gives the name under which the statement sees a function.
	FunctionName(base string) string
}

// Library is what statements about models in the process need of those who keep their files.
type Library interface {
	// Engine gives the kind of engine of a MODEL_TYPE.
	Engine(modelType string) (engine.Kind, error)
	// EngineOf gives the kind of engine of an archive's model.
	EngineOf(ctx context.Context, archive string) (engine.Kind, error)
	// Inspect reads the files of a model and gives its spec; keep copies them into the store.
	Inspect(ctx context.Context, k engine.Kind, in engine.Import) (s *modelspec.Spec, keep func(context.Context) error, err error)
	// Export writes a model that is in the store into an archive.
	Export(ctx context.Context, s *modelspec.Spec, file string) error
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

// Limits are the tables of a session's databases that expire, and the snapshots. The zero value has read nothing yet.
type Limits struct {
	epoch     int64
	databases map[string]map[string]limit // by lower-case names
}

// limit bounds what statements may do with a table.
type limit struct {
	expires  *time.Time
	snapshot bool
	view     bool
}
