package functions

import (
	"errors"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// RegisterPredict registers the volatile function that runs models with these outputs. Its first argument is the version
// of the model, the others are the model's inputs in their order, of any type: they are checked when a statement is bound.
func RegisterPredict(conn mapping.Connection, name string, outputs []Port, types Types, host Host) error {
	return errors.New("not built yet")
}
