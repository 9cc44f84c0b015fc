// Package mallard is BigQuery ML's inference on DuckDB: a database/sql driver whose statements may create and ask models.
//
//	connector, err := mallard.NewConnector("sales.db", mallard.Options{})
//	db := sql.OpenDB(connector) // or sql.Open("mallard", "sales.db")
//	rows, err := db.QueryContext(ctx, "SELECT * FROM ML.PREDICT(MODEL demo.lang, (SELECT ? AS inputs))", text)
//
// TensorFlow runs in the process and is opened when a model first needs it; remote models are asked on Vertex AI or any
// OpenAI-compatible server, as a [Config] says. Package extension documents the statements, types and NULLs; the functions
// are in docs/reference.md. Package sqllogic runs .test files.
//
// # Concurrency and cancelling
//
// A [Connector] and a *sql.DB are safe for concurrent use, a connection and its rows are not. A cancelled context ends a
// statement within a second, requests in flight too.
//
// # Errors
//
// A statement that fails gives an [*Error] with the place in the text. [CodeOf] says what kind of failure it is, errors.Is
// finds the sentinels below, errors.As what stands behind it. A row of a remote model that fails is no error: its status
// column says why.
package mallard

import (
	"context"
	"database/sql"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/trace"
)

// Connector opens connections to one database. It is safe for concurrent use; sql.DB.Close closes it when it was given to
// sql.OpenDB.
type Connector = extension.Connector

// Options configure a [Connector]. The zero value works.
type Options = extension.Options

// Tracer hears what statements do; give one to [Options], or a Logger. It is called where things happen, on several goroutines
// at once, and must neither block nor run statements.
type Tracer = trace.Tracer

// TraceEvent is one of these things: a statement is planned or done, a model is opened, a batch is run, a request is sent or
// sent again, the cache had answers. Its Kind says which, in these words.
type TraceEvent = trace.Event

// Driver is the database/sql driver "mallard". Its data source name is DuckDB's, with two settings more: mallard_config, a
// configuration file, and mallard_dialect: auto, duckdb or bigquery.
type Driver = extension.Driver

// NewConnector opens a database: dsn is a file name, or "" for one in memory, with DuckDB's settings behind a question mark
// ("sales.db?access_mode=read_only&threads=4").
func NewConnector(dsn string, o Options) (*Connector, error) { return extension.NewConnector(dsn, o) }

// RunWorker runs the models of another process where this one was started for that ([tensorflow] isolation = "process"), and does not
// return then. Else it does nothing. A program that is to be its own worker calls it at the start of its main function, before anything
// that a second process must not do, and gives its path (os.Executable) as TensorFlowConfig.Worker. Others name the command mallard
// there, or have it in $PATH.
func RunWorker() { extension.RunWorker() }

// Dialect says how a text is read.
type Dialect = dialect.Lang

// The dialects of [Options].
const (
	Auto      = dialect.Auto      // GoogleSQL where a backtick says so, else DuckDB's SQL; statement by statement
	DuckDB    = dialect.DuckDB    // DuckDB's own SQL, with ML functions
	GoogleSQL = dialect.GoogleSQL // BigQuery's
)

// ParseDialect reads the name of a dialect: "auto", "duckdb" or "bigquery"; "" is "auto".
func ParseDialect(s string) (Dialect, error) { return config.ParseDialect(s) }

// WithStreaming makes queries under the context compute their rows as they are read, where else a result is held in memory
// before its first row is given. Read or close the rows before the connection's next statement.
func WithStreaming(ctx context.Context) context.Context { return extension.WithStreaming(ctx) }

// WithDuckDB lends the DuckDB connection under c to f, as a *sql.Conn that duckdb-go's helpers take, such as
// RegisterScalarUDF, GetTableNames and, in its Raw, the appender. They panic when they are given c itself. f must not use c.
func WithDuckDB(ctx context.Context, c *sql.Conn, f func(*sql.Conn) error) error {
	return extension.WithDuckDB(ctx, c, f)
}

// WithNotices makes statements under the context say what they did, such as "Successfully created model named demo.m.", and
// which rows failed. f is called on the statement's goroutine.
func WithNotices(ctx context.Context, f func(string)) context.Context {
	return extension.WithNotices(ctx, f)
}

// TypedValue is an argument of a statement with its GoogleSQL type: a NULL, an empty ARRAY, a DATE, a STRUCT.
type TypedValue = extension.TypedValue

// Progress tells how far a statement is. Its zero value is ready; read it from any goroutine.
type Progress = extension.Progress

// RemoteProgress tells how far the calls of remote models are.
type RemoteProgress = dispatch.Progress

// WithProgress makes statements under the context report to p.
func WithProgress(ctx context.Context, p *Progress) context.Context {
	return extension.WithProgress(ctx, p)
}

// Analyze says what the statements of a text would do, against empty tables of the given schemas and in a database of its own:
// kinds, tables and models, parameters, the types of results, and whether they are row-wise. No remote model is reached.
// [Connector.Analyze] does it against a database, and counts what remote models would be asked.
func Analyze(ctx context.Context, sql string, o AnalyzeOptions) ([]Analysis, error) {
	return extension.Analyze(ctx, sql, o)
}

// What [Analyze] takes and gives.
type (
	AnalyzeOptions = extension.AnalyzeOptions
	Relation       = extension.Relation
	Analysis       = extension.Analysis
	Scan           = extension.Scan
	Barrier        = extension.Barrier
	Parameter      = extension.Parameter
	Column         = extension.Column
	RemoteEstimate = extension.RemoteEstimate
)
