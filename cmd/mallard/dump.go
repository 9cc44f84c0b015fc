package main

import (
	"context"
	"errors"
	"strings"

	"github.com/mallardml/mallard/cmd/mallard/internal/shell"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// dumpTables lists the tables of the open database with what makes each, those first that others refer to.
const dumpTables = `SELECT schema_name, table_name, rtrim(sql, ';') || ';' FROM duckdb_tables()
  WHERE NOT internal AND database_name = current_database()
  AND NOT ` + metadata.Hidden + ` AND TABLE_WANTED ORDER BY sql LIKE '%REFERENCES%', table_oid`

// dumpRest lists what stands on tables; of a model its name alone is known here.
const dumpRest = `SELECT sql FROM (
  SELECT 1 AS part, view_oid AS oid, CASE WHEN sql LIKE '` + modelView + `' THEN '-- MODEL ' || schema_name || '.' || view_name ||
      ' is not in this dump: EXPORT MODEL writes it'
    ELSE rtrim(sql, ';') || ';' END AS sql
    FROM duckdb_views()
    WHERE NOT internal AND database_name = current_database() AND NOT contains(view_name, '()') AND VIEW_WANTED
  UNION ALL SELECT 2, index_oid, rtrim(sql, ';') || ';' FROM duckdb_indexes()
    WHERE sql IS NOT NULL AND database_name = current_database() AND TABLE_WANTED)
ORDER BY part, oid`

// dumpFirst lists what tables stand on.
const dumpFirst = `SELECT sql FROM (
  SELECT 1 AS part, oid, 'CREATE SCHEMA "' || replace(schema_name, '"', '""') || '";' AS sql FROM duckdb_schemas()
    WHERE NOT internal AND database_name = current_database()
  UNION ALL SELECT 2, oid, CASE WHEN ` + composite + `
      THEN '-- CREATE TYPE ' || name || ' AS …; what it is made of: DESCRIBE SELECT NULL::' || name || ' AS x;'
      ELSE 'CREATE TYPE ' || name || ' AS ' || ` + typeBody + ` END
    FROM (SELECT *, type_oid AS oid, '"' || replace(schema_name, '"', '""') || '"."' || replace(type_name, '"', '""') || '"' AS name
      FROM duckdb_types() WHERE NOT internal AND database_name = current_database())
  UNION ALL SELECT 3, sequence_oid, rtrim(sql, ';') || ';' FROM duckdb_sequences() WHERE database_name = current_database()) 
  ORDER BY part, oid`

// dump is .dump: what makes the open database again, as statements in one transaction.
func dump(ctx context.Context, r shell.Runner, args []string) error {
	like := func(column string) string {
		parts := []string{"false"}
		for _, a := range args {
			parts = append(parts, column+" ILIKE "+quote.Text(a))
		}
		if len(args) == 0 {
			return "true"
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	wanted := strings.NewReplacer("TABLE_WANTED", like("table_name"), "VIEW_WANTED", like("view_name"))
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			return errors.New("there is no option " + a + "; write patterns of names")
		}
	}
	printAll := func(query string) error {
		list, err := r.Rows(ctx, query)
		if err != nil {
			return err
		}
		for _, row := range list {
			if err := r.Print(row[0] + "\n"); err != nil {
				return err
			}
		}
		return nil
	}
	if err := r.Print("BEGIN TRANSACTION;\n"); err != nil {
		return err
	}
	if len(args) == 0 {
		if err := printAll(dumpFirst); err != nil {
			return err
		}
	}
	tables, err := r.Rows(ctx, wanted.Replace(dumpTables))
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := r.Print(t[2] + "\n"); err != nil {
			return err
		}
		if err := r.Insert(ctx, t[0], t[1]); err != nil {
			return err
		}
	}
	if err := printAll(wanted.Replace(dumpRest)); err != nil {
		return err
	}
	return r.Print("COMMIT;\n")
}

// catalogCommands are those that ask the catalog.
var catalogCommands = []shell.Command{
	{Name: ".databases", Context: extension.AsDuckDB,
		Help: "List the open databases and their files",
		Query: fixed("SELECT database_name AS database, coalesce(path, ':memory:') AS file, readonly " +
			"FROM duckdb_databases() WHERE NOT internal ORDER BY ALL")},
	{Name: ".indexes", Context: extension.AsDuckDB, Args: "[PATTERN]", Plain: true,
		Help:  "List the indexes of tables whose names are LIKE PATTERN",
		Query: listing("SELECT index_name FROM duckdb_indexes() WHERE table_name ILIKE %[1]s ORDER BY ALL")},
	{Name: ".dump", Context: extension.AsDuckDB, Args: "[PATTERN...]", Run: dump,
		Help: "Print the statements that make the open database again, or the tables whose names are LIKE a PATTERN"},
	{Name: ".model", Context: extension.AsDuckDB, Args: "NAME",
		Help: "Show the inputs and outputs of a model, their types and shapes", Query: func(args []string) (string, error) {
			if len(args) != 1 {
				return "", errors.New("write the name of one model")
			}
			return "SELECT role, name, sql_type, shape FROM ml_model_info(" + quote.Text(args[0]) + ") WHERE active", nil
		}},
	{Name: ".usage", Context: extension.AsDuckDB,
		Help: "Show what the remote models were asked, and what that cost", Query: fixed("FROM ml_usage()")},
	{Name: ".connections", Context: extension.AsDuckDB,
		Help: "Show the connections to remote models, what they lack and what was asked of them", Query: fixed("FROM ml_connections()")},
	{Name: ".budget", Context: extension.AsDuckDB,
		Help: "Show what may be asked of remote models, and what is left of it", Query: fixed("FROM ml_budget()")},
	{Name: ".cache", Context: extension.AsDuckDB, Args: "[clear]", Help: "Show the answers that are kept, or forget them",
		Query: func(args []string) (string, error) {
			if len(args) == 1 && args[0] == "clear" {
				return "SELECT ml_cache_clear()", nil
			}
			return fixed("FROM ml_cache()")(args)
		}},
}

// fixed makes a query without arguments.
func fixed(query string) func(args []string) (string, error) {
	return func(args []string) (string, error) {
		if len(args) > 0 {
			return "", errors.New("it takes no argument")
		}
		return query, nil
	}
}
