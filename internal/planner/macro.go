package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/objecttable"
)

// PlainTable is a table function in plain DuckDB form: a macro.
type PlainTable struct {
	Name     string
	Params   []string
	Optional []string // NULL where they are not given
	body     string   // what is behind SELECT, on a connection of ours
	here     string   // the same on a host's connection, which we do not know; empty for body
}

// PlainTables lists the table functions of plain DuckDB form.
func PlainTables() []PlainTable {
	query := func(call string) string { return "* FROM query(system.main." + call + ")" }
	const objects = "* REPLACE (" + objecttable.LateMD5 + ") FROM mallard_objects"
	var all []PlainTable
	for _, f := range functiontable.All(functiontable.Model) {
		if f.Plain != "" {
			call := "('" + f.Name + "', model, input, "
			all = append(all, PlainTable{
				Name: strings.ToLower(f.Plain), Params: []string{"model", "input"}, Optional: []string{"options"},
				body: query("mallard_call" + call + "'native', '', CAST(to_json(options) AS VARCHAR))"),
				here: query("mallard_here" + call + "CAST(to_json(options) AS VARCHAR), current_database(), current_schema())"),
			})
		}
	}
	return append(all,
		PlainTable{Name: "ml_models", body: query("mallard_models()")},
		PlainTable{Name: "ml_model_info", Params: []string{"model"}, body: query("mallard_model_info(model)")},
		PlainTable{Name: "object_table", Params: []string{"uris"}, body: objects + "(to_json(uris)::VARCHAR)"},
		PlainTable{Name: "gcs_objects", Params: []string{"uri"}, body: objects + "(uri)"},
		PlainTable{Name: "ml_estimate", Params: []string{"query"}, body: query("mallard_estimate(query)")},
		PlainTable{Name: "ml_usage", body: query("mallard_usage()")},
		PlainTable{Name: "ml_connections", body: query("mallard_connections()")},
		PlainTable{Name: "ml_budget", body: query("mallard_budget()")},
		PlainTable{Name: "ml_cache", body: query("mallard_cache()")},
	)
}

// Macros give a connection the table functions of plain DuckDB form. They are TEMP, since macros of the file
// are refused by read-only databases and exported with it.
func Macros() []string {
	var all []string
	for _, t := range PlainTables() {
		all = append(all, "CREATE OR REPLACE TEMP MACRO "+t.Name+t.text(t.body))
	}
	return all
}

// Here writes a macro for connections of a host's, behind CREATE MACRO and its catalog: ML_PREDICT is predict there.
func (t PlainTable) Here() string {
	return strings.TrimPrefix(t.Name, "ml_") + t.text(cmp.Or(t.here, t.body))
}

func (t PlainTable) text(body string) string {
	params := slices.Clone(t.Params)
	for _, o := range t.Optional {
		params = append(params, o+" := NULL")
	}
	return "(" + strings.Join(params, ", ") + ") AS TABLE SELECT " + body
}
