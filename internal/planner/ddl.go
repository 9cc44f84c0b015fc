package planner

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// shownOption is an option as INFORMATION_SCHEMA shows it.
type shownOption struct{ name, kind, value string }

// shownOptions gives the options that are kept, by their names in order. days is the name of the option for PartitionLife.
func shownOptions(v metadata.Value, days string) []shownOption {
	all := map[string]string{}
	for name, text := range v.Options {
		all[name] = text
	}
	put := func(name, text string, there bool) {
		if there {
			all[name] = text
		}
	}
	put("description", constant(v.Description), v.Description != "")
	put("friendly_name", constant(v.FriendlyName), v.FriendlyName != "")
	put("location", constant(v.Location), v.Location != "")
	put("default_table_expiration_days", daysText(v.TableLife), v.TableLife != 0)
	put(days, daysText(v.PartitionLife), v.PartitionLife != 0)
	if v.Expires != nil {
		all["expiration_timestamp"] = `TIMESTAMP "` + v.Expires.UTC().Format("2006-01-02T15:04:05.000Z") + `"`
	}
	if len(v.Labels) > 0 {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(v.Labels)) {
			pairs = append(pairs, "STRUCT("+constant(key)+", "+constant(v.Labels[key])+")")
		}
		all["labels"] = "[" + strings.Join(pairs, ", ") + "]"
	}
	var list []shownOption
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, shownOption{name, writer.OptionType(name), all[name]})
	}
	return list
}

func daysText(d time.Duration) string {
	text := strconv.FormatFloat(d.Hours()/24, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// constant writes a STRING of GoogleSQL.
func constant(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}

func tableOptions(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	for _, r := range all {
		for _, o := range shownOptions(r.kept, "partition_expiration_days") {
			add(d.project(), quote.Text(r.schema), quote.Text(r.name), quote.Text(o.name), quote.Text(o.kind), quote.Text(o.value))
		}
	}
	return err
}

func schemataOptions(ctx context.Context, d described, _ string, add func(...string)) error {
	names, err := d.datasets(ctx)
	if err != nil {
		return err
	}
	kept, err := d.keptDatasets(ctx)
	for _, name := range names {
		for _, o := range shownOptions(kept[strings.ToLower(name)], "default_partition_expiration_days") {
			add(d.project(), quote.Text(name), quote.Text(o.name), quote.Text(o.kind), quote.Text(o.value))
		}
	}
	return err
}

// path is a name as GoogleSQL's statements write it.
func (d described) path(parts ...string) string {
	if p := d.Config.BigQuery.Project; p != "" {
		parts = append([]string{p}, parts...)
	}
	return "`" + strings.Join(parts, ".") + "`"
}

// optionList writes OPTIONS(…), or nothing.
func optionList(list []shownOption, between string) string {
	if len(list) == 0 {
		return ""
	}
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = o.name + "=" + o.value
	}
	if between == "" {
		return "OPTIONS(" + strings.Join(texts, ", ") + ")"
	}
	return "OPTIONS(" + between + strings.Join(texts, ","+between) + "\n)"
}

func (d described) schemaDDL(name string, v metadata.Value) string {
	ddl := "CREATE SCHEMA " + d.path(name)
	if list := optionList(shownOptions(v, "default_partition_expiration_days"), "\n  "); list != "" {
		ddl += "\n" + list
	}
	return ddl + ";"
}

// ddl is the statement that makes a table or a view again.
func (d described) ddl(ctx context.Context, r relation, c constraints) string {
	options := optionList(shownOptions(r.kept, "partition_expiration_days"), "\n  ")
	clauses := ""
	if p := r.kept.Partitioning; p != nil {
		clauses += "\nPARTITION BY " + p.By
	}
	if len(r.kept.Clustering) > 0 {
		clauses += "\nCLUSTER BY " + strings.Join(r.kept.Clustering, ", ")
	}
	if options != "" {
		clauses += "\n" + options
	}
	switch {
	case r.objects:
		return strings.TrimSuffix(r.sql, ";") + ";"
	case r.view:
		return "CREATE " + r.kind() + " " + d.path(r.schema, r.name) + clauses + "\nAS " + r.query() + ";"
	case r.kept.SnapshotOf != "":
		return "CREATE SNAPSHOT TABLE " + d.path(r.schema, r.name) + "\nCLONE " + "`" + r.kept.SnapshotOf + "`" + clauses + ";"
	}
	return "CREATE TABLE " + d.path(r.schema, r.name) + "\n(\n  " + strings.Join(d.columnsDDL(ctx, r, c), ",\n  ") + "\n)" + clauses + ";"
}

func (d described) columnsDDL(ctx context.Context, r relation, c constraints) []string {
	names, types, fields := d.typed(ctx, r)
	var columns []string
	for i, name := range names {
		if name == writer.PartitionTime {
			continue
		}
		key := strings.ToLower(r.schema + "." + r.name + "." + name)
		written := types[i]
		if fields[i].Kind == googlesql.Struct || fields[i].Kind == googlesql.Array {
			written = r.typeDDL(name, fields[i])
		}
		text := googlesql.QuoteName(name) + " " + written
		if simple(name) {
			text = name + " " + written
		}
		if s := c.defaults[key]; s != "" {
			text += " DEFAULT " + cmp.Or(r.columns[strings.ToLower(name)].Default, s)
		}
		if c.required[key] {
			text += " NOT NULL"
		}
		if list := optionList(shownOptions(r.columns[strings.ToLower(name)], ""), ""); list != "" {
			text += " " + list
		}
		columns = append(columns, text)
	}
	return columns
}

// typeDDL writes a type with the options of its fields.
func (r relation) typeDDL(path string, t googlesql.Type) string {
	switch t.Kind {
	case googlesql.Array:
		return "ARRAY<" + r.typeDDL(path, *t.Elem) + ">"
	case googlesql.Struct:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f.Name + " " + r.typeDDL(path+"."+f.Name, f.Type)
			if r.columns[strings.ToLower(path+"."+f.Name)].Required {
				fields[i] += " NOT NULL"
			}
			if list := optionList(shownOptions(r.columns[strings.ToLower(path+"."+f.Name)], ""), ""); list != "" {
				fields[i] += " " + list
			}
		}
		return "STRUCT<" + strings.Join(fields, ", ") + ">"
	}
	return r.written(path, t)
}

// simple reports whether a name needs no quotes.
func simple(name string) bool {
	for i, c := range name {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// partitions counts the rows of each partition: DuckDB has none, so a query tells.
func partitions(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.relations(ctx, dataset)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.view {
			continue
		}
		at := []string{d.project(), quote.Text(r.schema), quote.Text(r.name)}
		p := r.kept.Partitioning
		if p == nil {
			count, bytes, err := d.logical(ctx, r, "")
			if err != nil {
				return err
			}
			add(append(at, "NULL", count, bytes, bytes, momentText(r.kept.Modified), "'ACTIVE'")...)
			continue
		}
		rows, err := d.Catalog.Rows(ctx, "SELECT DISTINCT "+partitionOf(p)+" AS id FROM "+quote.Path(d.Catalog.Database, r.schema, r.name)+
			" ORDER BY ALL")
		if err != nil {
			return fmt.Errorf("the partitions of %s: %w", r.name, err)
		}
		for _, x := range rows {
			id := quote.Text(fmt.Sprint(x[0]))
			count, bytes, err := d.logical(ctx, r, "("+partitionOf(p)+") = "+id)
			if err != nil {
				return err
			}
			add(append(at[:3:3], id, count, bytes, bytes, momentText(r.kept.Modified), "'ACTIVE'")...)
		}
	}
	return nil
}

// partitionOf writes the name of the partition of a row
// (https://docs.cloud.google.com/bigquery/docs/managing-partitioned-tables#partition_ids).
func partitionOf(p *metadata.Partitioning) string {
	if p.Column == "" {
		p = &metadata.Partitioning{Column: writer.PartitionTime, Unit: p.Unit}
	}
	column := quote.Name(p.Column)
	if len(p.Range) == 3 {
		return fmt.Sprintf("CASE WHEN %[1]s IS NULL THEN '__NULL__' WHEN %[1]s < %[2]d OR %[1]s >= %[3]d THEN '__UNPARTITIONED__' "+
			"ELSE ((%[1]s - (%[2]d)) // %[4]d * %[4]d + (%[2]d))::VARCHAR END", column, p.Range[0], p.Range[1], p.Range[2])
	}
	form := map[string]string{"HOUR": "%Y%m%d%H", "MONTH": "%Y%m", "YEAR": "%Y"}[p.Unit]
	if form == "" {
		form = "%Y%m%d"
	}
	return "coalesce(strftime(CASE WHEN typeof(" + column + ") = 'TIMESTAMP WITH TIME ZONE' THEN timezone('UTC', " + column +
		"::TIMESTAMPTZ) ELSE " + column +
		"::TIMESTAMP END, '" + form + "'), '__NULL__')"
}

// Definition implements [translator.Database].
func (d described) Definition(ctx context.Context, path []string) (string, error) {
	database, k, err := d.locate(ctx, metadata.Table, path)
	if err != nil {
		return "", err
	}
	where := "database_name = " + quote.Text(database) + " AND lower(schema_name) = lower(" + quote.Text(k.Dataset) + ")"
	if len(splitPath(path)) == 1 { // a temporary table stands before another one
		where = "(temporary OR " + where + ")"
	}
	rows, err := d.Catalog.Rows(ctx, "SELECT sql FROM duckdb_tables() WHERE lower(table_name) = lower("+quote.Text(k.Name)+") AND "+where+
		" ORDER BY temporary DESC LIMIT 1")
	if err != nil || len(rows) == 0 || strings.Contains(k.Dataset+k.Name, "(") {
		return "", err
	}
	text := fmt.Sprint(rows[0][0])
	from, to := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if from < 0 || to < from {
		return "", nil
	}
	return text[from : to+1], nil
}
