package extension_test

import (
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/functiontable"
)

// TestFunctionTable: every function of the table has exactly one implementation, under its own name and under that of its
// plain form.
func TestFunctionTable(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, "CREATE SCHEMA demo", withModels(t, createText), "CREATE TABLE w AS SELECT 'a' AS input")
	implementations := map[string]int{} // by their plain names; DuckDB lists all of its functions for each question
	rows, err := db.QueryContext(t.Context(), "SELECT lower(function_name), count(DISTINCT (database_name, schema_name, function_type)) FROM duckdb_functions() GROUP BY ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var n int
		if err := rows.Scan(&name, &n); err != nil {
			t.Fatal(err)
		}
		implementations[name] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, f := range functiontable.All() {
		t.Run(f.Name, func(t *testing.T) {
			if n := implementations[strings.ToLower(f.Plain)]; f.Plain != "" && n != 1 {
				t.Errorf("%s: %d functions", f.Plain, n)
			}
			give := "SELECT `x` FROM " + f.Name + "()"
			switch f.Kind {
			case functiontable.System:
				return // it is its plain form
			case functiontable.Model:
				give = "SELECT * FROM " + f.Name + "(MODEL demo.m, TABLE w, STRUCT(1 AS nothing_of_the_kind))"
			case functiontable.Scalar, functiontable.Asking:
				give = "SELECT `input`, " + f.Name + "() FROM `w`"
			}
			_, err := db.ExecContext(t.Context(), give)
			if err == nil || !strings.Contains(err.Error(), f.Name) || strings.Contains(err.Error(), "is not part of") {
				t.Errorf("%s: %v", give, err)
			}
		})
	}
}
