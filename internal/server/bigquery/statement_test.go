package bigquery

import (
	"strings"
	"testing"
)

// TestShape: the types of statements are those of
// https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2, whatever stands before them.
func TestShape(t *testing.T) {
	for _, tt := range []struct{ give, kind, path string }{
		{"SELECT 1", "SELECT", ""}, {"/* {\"app\": \"dbt\"} */ -- x\n# y\n (WITH a AS (SELECT 1) SELECT * FROM a)", "SELECT", ""},
		{"from t |> where true", "SELECT", ""},
		{"create or replace table `p.d.t` as select 1", "CREATE_TABLE_AS_SELECT", "p/d/t"}, {"CREATE TABLE d.t (a INT64 DEFAULT (CAST('AS' AS INT64)))", "CREATE_TABLE", "d/t"},
		{"/* CREATE VIEW */ CREATE /* x */ OR REPLACE VIEW `my-project`.d.`v` OPTIONS(description='x') AS SELECT 1", "CREATE_VIEW", "my-project/d/v"},
		{"CREATE TEMP TABLE `_SESSION`.`x` (a INT64)", "CREATE_TABLE", "_SESSION/x"}, {"CREATE MODEL d.m OPTIONS(model_type='TENSORFLOW')", "CREATE_MODEL", "d/m"},
		{"CREATE TABLE IF NOT EXISTS my-project.d.t LIKE d.u", "CREATE_TABLE", "my-project/d/t"}, {"DROP TABLE IF EXISTS t", "DROP_TABLE", "t"},
		{"CREATE FUNCTION d.f(x INT64) AS (x)", "CREATE_FUNCTION", "d/f"}, {"CREATE TABLE FUNCTION d.f(x INT64) AS SELECT x", "CREATE_TABLE_FUNCTION", "d/f"},
		{"DROP SCHEMA d CASCADE", "DROP_SCHEMA", "d"}, {"ALTER TABLE d.t ADD COLUMN x INT64", "ALTER_TABLE", "d/t"}, {"CREATE EXTERNAL TABLE d.t OPTIONS()", "CREATE_EXTERNAL_TABLE", "d/t"},
		{"INSERT INTO d.t VALUES (1)", "INSERT", "d/t"}, {"insert d.t select 1", "INSERT", "d/t"}, {"UPDATE d.t SET a = 1 WHERE true", "UPDATE", "d/t"},
		{"DELETE FROM d.t WHERE true", "DELETE", "d/t"}, {"MERGE d.t USING u ON FALSE WHEN NOT MATCHED THEN INSERT ROW", "MERGE", "d/t"},
		{"TRUNCATE TABLE d.t", "TRUNCATE_TABLE", "d/t"}, {"CALL d.p(1)", "CALL", ""}, {"ASSERT TRUE", "ASSERT", ""}, {"BEGIN TRANSACTION", "BEGIN_TRANSACTION", ""},
		{"EXPORT DATA OPTIONS(uri='x') AS SELECT 1", "EXPORT_DATA", ""}, {"", "", ""}, {"'", "", ""}, {"/*", "", ""},
	} {
		if got := shape(tt.give); got.kind != tt.kind || strings.Join(got.path, "/") != tt.path {
			t.Errorf("%s: %s %v, want %s %s", tt.give, got.kind, got.path, tt.kind, tt.path)
		}
	}
}
