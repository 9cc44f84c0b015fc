package main

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// modelView is LIKE the view in which the catalog keeps a model; see extension's record.
const modelView = `% AS mallard_model,%`

// objectView is LIKE the view in which the catalog keeps an object table.
const objectView = `%.mallard_objects(%`

// composite tells of a type in duckdb_types() that the catalog does not tell its members, typeBody what stands behind AS of any other.
const (
	composite = `labels IS NULL AND type_category = 'COMPOSITE'`
	typeBody  = `CASE WHEN labels IS NULL THEN logical_type ELSE 'ENUM (' || list_aggregate(list_transform(labels,
    lambda l: '''' || replace(l, '''', '''''') || ''''), 'string_agg', ', ') || ')' END || ';'`
)

// schemaQuery lists what makes the database again. Tables, indexes (of a table that is asked for) and views come by name, as in
// DuckDB's shell, which lists nothing else. Macros are missing: the catalog does not tell the defaults of their parameters.
const schemaQuery = `
WITH reserved AS (SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'),
all_names AS (
  SELECT schema_name AS n FROM duckdb_schemas() WHERE NOT internal UNION SELECT schema_name FROM duckdb_types() WHERE NOT internal
  UNION SELECT type_name FROM duckdb_types() WHERE NOT internal),
quoted AS (
  SELECT n, CASE WHEN regexp_full_match(n, '[A-Za-z_][A-Za-z0-9_]*') AND lower(n) NOT IN (FROM reserved) THEN n
                 ELSE '"' || replace(n, '"', '""') || '"' END AS q FROM all_names)
SELECT sql FROM (
  SELECT 1 AS part, database_name, schema_name, schema_name AS name, schema_name AS owner, 'CREATE SCHEMA ' || q || ';' AS sql
    FROM duckdb_schemas() JOIN quoted ON n = schema_name WHERE NOT internal
  UNION ALL SELECT 2, database_name, schema_name, type_name, type_name,
    CASE WHEN ` + composite + `
         THEN '-- CREATE TYPE ' || t.q || ' AS …; what it is made of: DESCRIBE SELECT NULL::' || t.q || ' AS x;'
         ELSE 'CREATE TYPE ' || CASE schema_name WHEN 'main' THEN '' ELSE s.q || '.' END || t.q || ' AS ' ||
           ` + typeBody + ` END
    FROM duckdb_types() JOIN quoted t ON t.n = type_name JOIN quoted s ON s.n = schema_name WHERE NOT internal
  UNION ALL SELECT 3, database_name, schema_name, sequence_name, sequence_name, sql FROM duckdb_sequences()
  UNION ALL SELECT 4, database_name, schema_name, table_name, table_name, sql FROM duckdb_tables() WHERE NOT internal
    AND NOT ` + metadata.Hidden + `
  UNION ALL SELECT 4, database_name, schema_name, view_name, view_name, sql FROM duckdb_views() WHERE NOT internal
    AND sql NOT LIKE '` + modelView + `'
  UNION ALL SELECT 4, database_name, schema_name, index_name, table_name, sql FROM duckdb_indexes() WHERE sql IS NOT NULL)
WHERE owner ILIKE %[1]s OR contains(%[1]s, '.') AND schema_name || '.' || owner ILIKE %[1]s ORDER BY part, name, database_name, schema_name`

// objectCommands are the dot-commands that are queries about tables and models.
var objectCommands = []shell.Command{
	{Name: ".tables", Context: extension.AsDuckDB, Args: "[PATTERN]",
		Help: "List tables, views, models and object tables, of which the name is LIKE PATTERN",
		Query: listing(
			`SELECT database_name AS database, schema_name AS schema, name, kind FROM (
  SELECT database_name, schema_name, table_name AS name, 'table' AS kind FROM duckdb_tables() WHERE NOT internal AND NOT ` +
				metadata.Hidden + `
  UNION ALL SELECT database_name, schema_name, view_name,
    CASE WHEN sql LIKE '` + modelView + `' THEN 'model' WHEN sql LIKE '` + objectView +
				`' THEN 'object table'
      WHEN view_name LIKE '%()' AND sql LIKE '%mallard_routine%' THEN 'routine' ELSE 'view' END FROM duckdb_views() WHERE NOT internal)
WHERE name ILIKE %[1]s ORDER BY ALL`)},
	{Name: ".schema", Context: extension.AsDuckDB, Args: "[PATTERN]", Plain: true,
		Help:  "Show how schemas, types, sequences, tables, indexes and views were made, of which the name is LIKE PATTERN",
		Query: listing(schemaQuery)},
	{Name: ".import", Context: extension.AsDuckDB, Args: "FILE TABLE [--csv|--json|--parquet] [--PARAMETER VALUE]...",
		Help: "Put the rows of FILE into TABLE, made if it is not there; PARAMETERs are read_csv's or its like's", Query: importing},
	{Name: ".models", Context: extension.AsDuckDB, Args: "[PATTERN]", Help: "List the models", Query: func(args []string) (string, error) {
		switch len(args) {
		case 0:
			return "SHOW MODELS", nil
		case 1:
			return "SHOW MODELS LIKE " + quote.Text(args[0]), nil
		}
		return "", errors.New("write one pattern at most")
	}},
}

// listing makes a query with an optional LIKE pattern.
func listing(query string) func(args []string) (string, error) {
	return func(args []string) (string, error) {
		switch len(args) {
		case 0:
			return strings.ReplaceAll(query, "%[1]s", "'%'"), nil
		case 1:
			return strings.ReplaceAll(query, "%[1]s", quote.Text(args[0])), nil
		}
		return "", errors.New("write one pattern at most")
	}
}

// importing makes the statements of .import.
func importing(args []string) (string, error) {
	var names []string
	reader, parameters := "", ""
	for len(args) > 0 {
		word, option := strings.CutPrefix(args[0], "--")
		args = args[1:]
		switch {
		case !option:
			names = append(names, word)
		case word == "csv", word == "json", word == "parquet":
			reader = "read_" + word
		case !plainName.MatchString(word) || len(args) == 0:
			return "", errors.New("--" + word + " is no parameter with a value")
		default:
			parameters += ", " + word + " = " + quote.Text(args[0])
			args = args[1:]
		}
	}
	if len(names) != 2 {
		return "", errors.New("write a file and a table")
	}
	if reader == "" {
		reader = "read_csv"
		switch strings.ToLower(filepath.Ext(names[0])) {
		case ".json", ".jsonl", ".ndjson":
			reader = "read_json"
		case ".parquet":
			reader = "read_parquet"
		}
	}
	table := names[1]
	if parts := strings.Split(table, "."); len(parts) <= 3 && !slices.ContainsFunc(parts, func(p string) bool {
		return !plainName.MatchString(p)
	}) {
		table = quote.Path(parts...)
	} else {
		table = quote.Name(table)
	}
	rows := " FROM " + reader + "(" + quote.Text(names[0]) + parameters + ")"
	return "CREATE TABLE IF NOT EXISTS " + table + " AS" + rows + " WITH NO DATA; INSERT INTO " + table + rows, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
