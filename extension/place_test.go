package extension_test

import (
	"errors"
	"testing"

	"github.com/mallardml/mallard/extension"
)

// TestPlaces demands that what is wrong with a name, and what is not supported, is told with its place: the name, or the statement's first
// word.
func TestPlaces(t *testing.T) {
	db := openGoogleSQL(t)
	exec(t, db, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64, s STRING(3))", "CREATE VIEW d.v AS SELECT 1 AS a")
	for _, c := range []struct{ sql, message, at string }{
		{"CREATE SCHEMA nodb.x", "Not found: Project nodb", "nodb.x"},
		{"CREATE SCHEMA d", "Already Exists: Schema d", "d"},
		{"CREATE TABLE IF NOT EXISTS none.t (a INT64)", "Not found: Schema none", "none.t"},
		{"CREATE TABLE d.t (a INT64)", "Already Exists: Table t", "d.t"},
		{"CREATE TABLE none.t AS SELECT 1 AS x", "Not found: Schema none", "none.t"},
		{"CREATE PROCEDURE none.p() BEGIN SELECT 1; END", "Not found: Schema none", "none.p"},
		{"DROP TABLE `d.nothing`", "Not found: Table nothing", "`d.nothing`"},
		{"DROP VIEW d.t", "Cannot drop t, which has type Table. An object of type View was expected", "d.t"},
		{"DROP FUNCTION IF EXISTS a.b.c", "", "a"},
		{"DROP FUNCTION d.f", "Not found: Routine f", "d.f"},
		{"DROP SCHEMA d", "Dataset d is still in use", "d"},
		{"ALTER TABLE d.none SET OPTIONS(description = 'x')", "Not found: Table d.none", "d.none"},
		{"ALTER SCHEMA none SET OPTIONS(description = 'x')", "Not found: Dataset none", "none"},
		{"ALTER TABLE d.t RENAME TO v", "Already Exists: Table v", "d.t"},
		{"ALTER TABLE d.v ADD COLUMN x INT64",
			"ALTER TABLE is for tables only: CREATE OR REPLACE changes a view or an external table", "d.v"},
		{"INSERT INTO d.v VALUES (1)",
			"v is not allowed for this operation because it is not a table: the rows of a view or an external table cannot be changed", "d.v"},
		{"UPDATE d.v SET a = 2 WHERE true",
			"This operation is for tables only: the rows of a view or an external table cannot be changed", "d.v"},
		{"MERGE d.v AS v USING d.t AS t ON v.a = t.a WHEN MATCHED THEN DELETE",
			"This operation is for tables only: the rows of a view or an external table cannot be changed", "d.v"},
		{"TRUNCATE TABLE d.v", "This operation is for tables only: the rows of a view or an external table cannot be changed", "d.v"},
		{" CREATE SEARCH INDEX i ON d.t(ALL COLUMNS)", "the statement CREATE SEARCH INDEX is not translated from GoogleSQL to DuckDB", "CREATE"},
		{"DROP ALL ROW ACCESS POLICIES ON d.t", "the statement DROP ALL ROW is not translated from GoogleSQL to DuckDB", "DROP"},
		{"SELECT 1 FROM d.t, `other-project.x.y`", "", "other-project"},
		{"CREATE TABLE d.w AS SELECT 1 / 0 AS x", "division by zero: 1 / 0", ""},
	} {
		_, err := db.ExecContext(t.Context(), c.sql)
		var e *extension.Error
		switch at := ""; {
		case !errors.As(err, &e):
			t.Errorf("%s\ngave %v", c.sql, err)
		case c.message != "" && e.Msg != c.message:
			t.Errorf("%s\nsays %s\nand not %s", c.sql, e.Msg, c.message)
		default:
			if e.Pos >= 0 {
				at = c.sql[e.Pos:e.End]
			}
			if at != c.at {
				t.Errorf("%s\nplaces %q at %q and not at %q", c.sql, e.Msg, at, c.at)
			}
		}
	}
}
