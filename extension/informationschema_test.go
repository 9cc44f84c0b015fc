package extension_test

import (
	"fmt"
	"testing"
)

// TestInformationSchema asks for what BigQuery's pages show of a dataset
// (https://docs.cloud.google.com/bigquery/docs/information-schema-intro).
func TestInformationSchema(t *testing.T) {
	db := googleSQL(t)
	exec(t, db, "CREATE SCHEMA d", "CREATE TABLE d.t1 (a INT64 NOT NULL, s STRUCT<x STRING, y ARRAY<INT64>>)", "CREATE TABLE d.t2 (a INT64)",
		"INSERT INTO d.t1 (a) VALUES (1)", "INSERT INTO d.t2 (a) VALUES (2)", "CREATE VIEW d.v AS SELECT 1 AS x")
	for query, want := range map[string]string{
		"SELECT table_name, table_type FROM d.INFORMATION_SCHEMA.TABLES ORDER BY 1":                                                                      "[[t1 BASE TABLE] [t2 BASE TABLE] [v VIEW]]",
		"SELECT column_name, data_type, is_nullable, ordinal_position FROM `my-project.d.INFORMATION_SCHEMA.COLUMNS` WHERE table_name = 't1' ORDER BY 4": "[[a INT64 NO 1] [s STRUCT<x STRING, y ARRAY<INT64>> YES 2]]",
		"SELECT field_path FROM d.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE table_name = 't1' ORDER BY 1":                                              "[[a] [s] [s.x] [s.y]]",
		"SELECT schema_name FROM `region-us`.INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = 'd'":                                                        "[[d]]",
		"SELECT catalog_name FROM INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = 'd'":                                                                   "[[my-project]]",
		"SELECT table_name FROM d.INFORMATION_SCHEMA.VIEWS":                                                                                              "[[v]]",
		"SELECT COUNT(*) FROM d.INFORMATION_SCHEMA.MODELS":                                                                                               "[[0]]",
		"SELECT table_id, type FROM d.__TABLES__ ORDER BY 1":                                                                                             "[[t1 1] [t2 1] [v 2]]",
		"SELECT a, _TABLE_SUFFIX FROM `d.t*` ORDER BY 1":                                                                                                 "[[1 1] [2 2]]",
		"SELECT a FROM `my-project.d.t*` WHERE _TABLE_SUFFIX = '2'":                                                                                      "[[2]]",
		"SELECT * FROM `d.t*` ORDER BY a":                                                                                                                "[[1] [2]]",
	} {
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Errorf("%s\n%v", query, err)
			continue
		}
		if got := fmt.Sprint(all(t, rows)); got != want {
			t.Errorf("%s\ngives %s, not %s", query, got, want)
		}
	}
}
