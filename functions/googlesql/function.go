package googlesql

import (
	"fmt"
	"slices"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// Prefix begins the names of the functions in DuckDB.
const Prefix = "mallard_googlesql_"

// functions are the functions by their names without the prefix. Each table stands in the file of its functions: all of them are
// named here and none registers itself, so that what is known does not hang on which files are linked, or in which order.
var functions = merge(
	hashes, texts, parts, codings, regexps, likes, formats, prints, parses,
	jsons, toJSONs, jsonEdits,
	nets, castBytes, castFormats, castNumbers, searches,
	floats, decimals, bitFunctions, integers,
	datetimes, timeFormats, intervals,
	sequences, statistics, percentiles,
)

// Names lists the functions without the prefix, in order.
func Names() []string {
	names := make([]string, 0, len(functions))
	for name := range functions {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Register makes a function known under a name, in the transaction of the connection if it is inside one. An unknown function
// is an error.
func Register(h mapping.Connection, function, as string) error {
	d, ok := functions[function]
	if !ok {
		return fmt.Errorf("there is no native function %s", function)
	}
	s := &udf.Scalar{Name: as, Params: d.params, Varargs: d.varargs, Result: d.result}
	s.Bind = func(b *udf.Binding) (udf.Call, error) { return d.bind(b) }
	return s.Register(h)
}
