package writer

import (
	"maps"
	"slices"
	"strings"
)

// The tables of all functions, each of which stands in the file of its functions. They are filled here, since a function may write
// an expression, which may call any function.
func init() {
	functions = merge(operators, hashes, texts, patterns, jsons, nets,
		comparisons, numberFunctions(), arrayFunctions(), datetimeFunctions(), intervalFunctions(), ranges)
	temporal = intervalOperators()
	aggregates = aggregateFunctions()
	analytics = merge(aggregates, windowFunctions())
}

// Known reports whether a name is that of a function of GoogleSQL's.
func Known(name string) bool {
	name = strings.ToLower(name)
	return functions[name] != nil || aggregates[name] != nil || analytics[name] != nil
}

// FunctionNames lists the functions of the tables, lower-case and in order; those of operators begin with $.
func FunctionNames() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(functions)), maps.Keys(analytics)) // among which are the aggregates
	slices.Sort(names)
	return slices.Compact(names)
}
