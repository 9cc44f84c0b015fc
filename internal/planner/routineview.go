package planner

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// routine is a function or procedure of a dataset.
type routine struct {
	*writer.Routine
	schema, name string
	kept         metadata.Value
}

// routines lists those of a dataset, or with "" of all datasets of the current database.
func (d described) routines(ctx context.Context, dataset string) ([]routine, error) {
	rows, err := d.Catalog.Rows(ctx, "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = current_database() AND "+
		"NOT temporary AND contains(sql, "+quote.Text(writer.RoutineFormat)+") ORDER BY 1, 2")
	if err != nil {
		return nil, err
	}
	var all []routine
	for _, r := range rows {
		x := routine{schema: fmt.Sprint(r[0]), name: strings.TrimSuffix(fmt.Sprint(r[1]), writer.RoutineName(""))}
		if dataset != "" && !strings.EqualFold(x.schema, dataset) {
			continue
		}
		if x.Routine, err = d.Routine(ctx, []string{x.schema, x.name}); err != nil {
			return nil, err
		}
		x.kept, err = d.Metadata(d.Catalog.Database).Get(ctx, metadata.Key{Kind: metadata.Routine, Dataset: x.schema, Name: x.name})
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return all, nil
}

// result is the type that a function gives, where it declares it.
func (r routine) result() googlesql.Type {
	if all := r.Function.GetSignature(); r.Kind != writer.Procedure && len(all) > 0 {
		return analyzer.TypeOf(all[0].GetReturnType().GetType())
	}
	return googlesql.Type{}
}

// routineTypeText is a type of an argument; one that may be any has none.
func routineTypeText(t googlesql.Type) string {
	if t.Kind == 0 {
		return "ANY TYPE"
	}
	return t.String()
}

// ddl is the statement that makes the routine again.
func (r routine) ddl(d described) string {
	args := make([]string, 0, len(r.Arguments()))
	for _, a := range r.Arguments() {
		name := a.Name
		if !simple(name) {
			name = googlesql.QuoteName(name)
		}
		if a.Mode == "OUT" || a.Mode == "INOUT" {
			name = a.Mode + " " + name
		}
		args = append(args, name+" "+routineTypeText(a.Type))
	}
	text := "CREATE " + r.Kind + " " + d.path(r.schema, r.name) + "(" + strings.Join(args, ", ") + ")"
	if t := r.result(); t.Kind != 0 {
		text += " RETURNS " + t.String()
	}
	if list := optionList(shownOptions(r.kept, ""), "\n  "); list != "" {
		text += "\n" + list
	}
	switch r.Kind {
	case writer.Procedure:
		return text + "\n" + r.Body() + ";"
	case "TABLE FUNCTION":
		return text + " AS (\n" + r.Body() + "\n);"
	}
	return text + " AS (" + r.Body() + ");"
}

// routinesView is https://docs.cloud.google.com/bigquery/docs/information-schema-routines.
func routinesView(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.routines(ctx, dataset)
	for _, r := range all {
		at := []string{d.project(), quote.Text(r.schema), quote.Text(r.name)}
		kind, result := r.Kind, "NULL"
		if kind == "AGGREGATE FUNCTION" {
			kind = "FUNCTION"
		}
		if t := r.result(); t.Kind != 0 {
			result = quote.Text(t.String())
		}
		add(append(append(at, at...), quote.Text(kind), result, "'SQL'", quote.Text(r.Body()), "NULL", "NULL", "NULL",
			momentText(r.kept.Created), momentText(r.kept.Modified), quote.Text(r.ddl(d)))...)
	}
	return err
}

// parametersView is https://docs.cloud.google.com/bigquery/docs/information-schema-parameters.
func parametersView(ctx context.Context, d described, dataset string, add func(...string)) error {
	all, err := d.routines(ctx, dataset)
	for _, r := range all {
		at := []string{d.project(), quote.Text(r.schema), quote.Text(r.name)}
		if t := r.result(); t.Kind != 0 {
			add(append(at, "0", "NULL", "'YES'", "NULL", quote.Text(t.String()))...)
		}
		for i, a := range r.Arguments() {
			add(append(at, strconv.Itoa(i+1), textOrNull(a.Mode), "'NO'", quote.Text(a.Name), quote.Text(routineTypeText(a.Type)))...)
		}
	}
	return err
}
