package planner

import (
	"github.com/mallardml/mallard/internal/functiontable"
	"github.com/mallardml/mallard/objecttable"
)

// Macros give a connection the table functions of plain DuckDB form. They are TEMP, since macros of the file
// are refused by read-only databases and exported with it.
func Macros() []string {
	return append(callMacros(),
		`CREATE OR REPLACE TEMP MACRO ml_models() AS TABLE SELECT * FROM query(system.main.mallard_models())`,
		`CREATE OR REPLACE TEMP MACRO ml_model_info(model) AS TABLE SELECT * FROM query(system.main.mallard_model_info(model))`,
		`CREATE OR REPLACE TEMP MACRO object_table(uris) AS TABLE SELECT * REPLACE (`+objecttable.LateMD5+
			`) FROM mallard_objects(to_json(uris)::VARCHAR)`,
		`CREATE OR REPLACE TEMP MACRO gcs_objects(uri) AS TABLE SELECT * REPLACE (`+objecttable.LateMD5+`) FROM mallard_objects(uri)`,
		`CREATE OR REPLACE TEMP MACRO ml_estimate(query) AS TABLE SELECT * FROM query(system.main.mallard_estimate(query))`,
		`CREATE OR REPLACE TEMP MACRO ml_usage() AS TABLE SELECT * FROM query(system.main.mallard_usage())`,
		`CREATE OR REPLACE TEMP MACRO ml_cache() AS TABLE SELECT * FROM query(system.main.mallard_cache())`,
	)
}

// callMacros write the plain DuckDB forms of functions over a model.
func callMacros() []string {
	var all []string
	for _, f := range functiontable.All(functiontable.Model) {
		if f.Plain != "" {
			all = append(all, "CREATE OR REPLACE TEMP MACRO "+f.Plain+"(model, input, options := NULL) AS TABLE "+
				"SELECT * FROM query(system.main.mallard_call('"+f.Name+"', model, input, 'native', '', "+
				"CAST(to_json(options) AS VARCHAR)))")
		}
	}
	return all
}
