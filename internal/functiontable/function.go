package functiontable

import (
	"slices"
	"strings"
)

// Function is an SQL function of Mallard's own: what stands in BigQuery ML's pages, and what Mallard adds. The table of
// them, [All], is the only list of their names: the reader of statements, the planner, the checks of arguments, the
// shell's completion and the reference page read it.
type Function struct {
	Name   string     // upper-case as BigQuery writes it, such as ML.PREDICT; as DuckDB shows it where BigQuery has none
	Kind   Kind       // where it stands
	Plain  string     // the name of its plain DuckDB form, such as ml_predict; "" without one
	Args   []Argument // in order; of a [Model] those of its STRUCT, behind the model and the input
	Result string     // a GoogleSQL type, or what a row of its table holds
	Models string     // what serves a call, such as "Gemini" or "a text model"; "" for a function that asks none
	Doc    string     // one line, without the name
	Page   string     // the source that it follows, below [Docs]; "" for what is Mallard's own

	Takes string // the arguments as an error names them; "" where errors name single arguments
	Tip   string // what else to say about arguments of wrong types
}

// Kind tells where a function stands and what its first arguments are.
type Kind int

// The kinds of functions.
const (
	Scalar Kind = iota // an expression over the values of a row
	Asking             // an expression that asks an endpoint, without a model
	Model              // in FROM, over MODEL m and a table or a query
	Table              // in FROM, over tables and queries
	System             // in FROM or as an expression, over the database itself
)

// Argument is an argument of a function.
type Argument struct {
	Name     string
	Type     string   // a GoogleSQL type, or TABLE
	Named    bool     // name => value, or a field of the STRUCT: a constant
	Optional bool     // it may be left out
	Models   []string // the families that take it; nil for all
	Single   bool     // a parameter of the model by itself, which model_params replaces
	Doc      string   // range and default
}

// Docs is where the pages of [Function.Page] are.
const Docs = "https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/"

// Named finds a function by its name or the name of its plain form, in any case.
func Named(name string) (Function, bool) {
	i := slices.IndexFunc(functions, func(f Function) bool {
		return strings.EqualFold(f.Name, name) || f.Plain != "" && strings.EqualFold(f.Plain, name)
	})
	if i < 0 {
		return Function{}, false
	}
	return functions[i], true
}

// All gives all functions of some kinds, or of all, in the order of their names. The caller may change the list.
func All(kinds ...Kind) []Function {
	var all []Function
	for _, f := range functions {
		if len(kinds) == 0 || slices.Contains(kinds, f.Kind) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Names gives the names of [All].
func Names(kinds ...Kind) []string {
	var names []string
	for _, f := range All(kinds...) {
		names = append(names, f.Name)
	}
	return names
}

// Arity is how many arguments may stand by position.
func (f Function) Arity() (least, most int) {
	for _, a := range f.Args {
		if a.Named {
			continue
		}
		most++
		if !a.Optional {
			least++
		}
	}
	return least, most
}

// Named gives the arguments that are given by name and that a family of models takes; "" means any family.
func (f Function) Named(family string) []Argument {
	var all []Argument
	for _, a := range f.Args {
		if a.Named && (family == "" || a.Models == nil || slices.Contains(a.Models, family)) {
			all = append(all, a)
		}
	}
	return all
}

// Input names the column of its input that a function over a remote model reads.
func (f Function) Input() string {
	if strings.Contains(f.Name, "EMBED") {
		return "content"
	}
	return "prompt"
}

// Signature writes a call as the reference shows it.
func (f Function) Signature() string {
	var b strings.Builder
	b.WriteString(f.Name + "(")
	sep := ""
	if f.Kind == Model {
		b.WriteString("MODEL m, { TABLE t | (query) }")
		if len(f.Args) > 0 {
			b.WriteString(" [, STRUCT(value AS argument, …)]")
		}
		return b.String() + ")"
	}
	for _, a := range f.Args {
		text := a.Name
		if a.Named {
			text += " => …"
		}
		text = sep + text
		if a.Optional {
			text = "[" + text + "]"
			if sep != "" {
				text = " " + text
			}
		}
		b.WriteString(text)
		sep = ", "
	}
	return b.String() + ")"
}
