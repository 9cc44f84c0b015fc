package planner

import (
	"strings"

	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/objecttable"
)

// PlainTable is a table function in plain DuckDB form: a macro.
type PlainTable struct {
	Name     string
	Params   []string
	Optional []string // NULL where they are not given
	query    string   // its body, on a connection of ours
	here     string   // the same on a host's connection, which we do not know; empty for query
}

// PlainTables lists the table functions of plain DuckDB form.
func PlainTables() []PlainTable {
	var all []PlainTable
	for _, f := range functiontable.All(functiontable.Model) {
		if f.Plain != "" {
			call := "('" + f.Name + "', model, input, "
			all = append(all, PlainTable{
				Name: strings.ToLower(f.Plain), Params: []string{"model", "input"}, Optional: []string{"options"},
				query: "query(system.main.mallard_call" + call + "'native', '', CAST(to_json(options) AS VARCHAR)))",
				here: "query(system.main.mallard_here" + call +
					"CAST(to_json(options) AS VARCHAR), current_database(), current_schema()))",
			})
		}
	}
	return append(all,
		PlainTable{Name: "ml_models", query: "query(system.main.mallard_models())"},
		PlainTable{Name: "ml_model_info", Params: []string{"model"}, query: "query(system.main.mallard_model_info(model))"},
		PlainTable{Name: "object_table", Params: []string{"uris"}, query: "mallard_objects(to_json(uris)::VARCHAR)"},
		PlainTable{Name: "gcs_objects", Params: []string{"uri"}, query: "mallard_objects(uri)"},
		PlainTable{Name: "ml_estimate", Params: []string{"query"}, query: "query(system.main.mallard_estimate(query))"},
		PlainTable{Name: "ml_usage", query: "query(system.main.mallard_usage())"},
		PlainTable{Name: "ml_cache", query: "query(system.main.mallard_cache())"},
	)
}

// Macros give a connection the table functions of plain DuckDB form. They are TEMP, since macros of the file
// are refused by read-only databases and exported with it.
func Macros() []string {
	var all []string
	for _, t := range PlainTables() {
		all = append(all, "CREATE OR REPLACE TEMP MACRO "+t.Name+t.text(t.query))
	}
	return all
}

// Here writes a macro for connections of a host's, behind CREATE MACRO and its catalog: ML_PREDICT is predict there.
func (t PlainTable) Here() string {
	query := t.here
	if query == "" {
		query = t.query
	}
	return strings.TrimPrefix(t.Name, "ml_") + t.text(query)
}

func (t PlainTable) text(from string) string {
	params := append([]string(nil), t.Params...)
	for _, o := range t.Optional {
		params = append(params, o+" := NULL")
	}
	columns := "*"
	if strings.HasPrefix(from, "mallard_objects") {
		columns = "* REPLACE (" + objecttable.LateMD5 + ")"
	}
	return "(" + strings.Join(params, ", ") + ") AS TABLE SELECT " + columns + " FROM " + from
}
