package remote

import (
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/dispatch"
)

// Host is what the SQL functions need of the database they run in. It is safe for concurrent use.
type Host interface {
	// Spec returns what a version means, and keeps it until ReleaseSpec.
	Spec(version int64) (*Spec, error)
	// ReleaseSpec gives back what Spec lent.
	ReleaseSpec(version int64)
	// Asks hears that a statement which is bound on the connection of that id asks a model.
	Asks(conn uint64)
	// Statement returns the statement that runs on the connection of that id. It never returns nil.
	Statement(conn uint64) *dispatch.Statement
}

// Function is a scalar function that the text of [Spec.SQL] calls. Its name tells its types, since DuckDB can neither drop a
// function nor tell apart two of one name whose results differ; so few exist.
type Function struct {
	Name     string
	Register func(conn mapping.Connection, name string, host Host) error
}
