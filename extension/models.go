package extension

import (
	"context"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/catalog"
)

// models are what the writer needs of those who keep models: versions of them, and the functions that ask them.
type models interface {
	// version gives the frozen version of a model in the process.
	version(e catalog.Entry) (*functions.Model, error)
	// remoteSpec gives the call of a function over a remote model.
	remoteSpec(e catalog.Entry, fn string, options []dialect.Option, in inputKind) (*remote.Spec, error)
	// predictFunction and remoteFunction make sure that a function is there for DuckDB to call.
	predictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error)
	remoteFunction(ctx context.Context, f remote.Function) error
	// functionName gives the name under which the statement sees a function.
	functionName(base string) string
}

var _ models = (*conn)(nil)

func (n *conn) version(e catalog.Entry) (*functions.Model, error) {
	m, err := n.in.live.get(e.QualifiedName.String(), e.Spec)
	if err != nil {
		return nil, err
	}
	return m.Model, nil
}

func (n *conn) remoteSpec(e catalog.Entry, fn string, options []dialect.Option, in inputKind) (*remote.Spec, error) {
	return n.in.remote.spec(e, fn, options, in)
}

func (n *conn) predictFunction(ctx context.Context, outputs []functions.Port, types functions.Types) (string, error) {
	return n.in.predictFunction(ctx, outputs, types)
}

func (n *conn) remoteFunction(ctx context.Context, f remote.Function) error {
	return n.in.function(ctx, f.Name, func(h mapping.Connection, name string) error { return f.Register(h, name, n.in) })
}

// writer makes a writer that serves the connection. It asks c: the connection itself, or a private one while this one binds.
func (n *conn) writer(cat *catalog.Catalog, c *duckdb.Conn) *writer {
	return &writer{cfg: n.in.cfg, cat: cat, models: n, describe: func(ctx context.Context, sql string) []queryColumn { return queryColumns(ctx, c, sql) }}
}
