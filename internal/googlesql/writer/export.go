package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// exportOptions are the options of EXPORT DATA to Cloud Storage, with the types of their values
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/export-statements#gcs_s3_export_option).
var exportOptions = map[string]googlesql.Kind{
	"uri": googlesql.String, "format": googlesql.String, "compression": googlesql.String, "field_delimiter": googlesql.String,
	"header": googlesql.Bool, "overwrite": googlesql.Bool, "use_avro_logical_types": googlesql.Bool,
}

// compressions are those of BigQuery's that DuckDB writes, by formats.
var compressions = map[string]string{"CSV": "GZIP", "JSON": "GZIP", "PARQUET": "GZIP SNAPPY ZSTD"}

// exportData writes EXPORT DATA as COPY. BigQuery's uri has one star, for the number of the file; there is one file here.
func (w *writer) exportData(s *resolved.ResolvedExportDataStmtProto) string {
	at := location(s.GetParent().GetParent())
	if s.GetConnection() != nil || s.GetIsValueTable() {
		refuse(at, "EXPORT DATA with a connection, or of values,")
	}
	given := w.exportOptions(s.GetOptionList())
	text := func(name string) string { s, _ := given[name].(string); return s }
	uri, format := text("uri"), strings.ToUpper(text("format"))
	options := ""
	switch format {
	case "CSV":
		options = fmt.Sprintf("FORMAT csv, HEADER %t", given["header"] == true)
		if d := text("field_delimiter"); strings.EqualFold(d, "tab") || d == `\t` {
			options += ", DELIMITER '\t'"
		} else if d != "" {
			options += ", DELIMITER " + quote.Text(d)
		}
	case "JSON":
		options = "FORMAT json"
	case "PARQUET":
		options = "FORMAT parquet"
	case "AVRO":
		refuse(at, "EXPORT DATA in the format AVRO, for which DuckDB has no writer,")
	case "":
		w.wrong(at, "EXPORT DATA needs the option format")
	default:
		w.wrong(at, "Invalid value for the option format: "+format)
	}
	if c := strings.ToUpper(text("compression")); c != "" && c != "NONE" {
		if !strings.Contains(" "+compressions[format]+" ", " "+c+" ") {
			refuse(at, "the compression %s of EXPORT DATA in the format %s", c, format)
		}
		options += ", COMPRESSION " + quote.Text(strings.ToLower(c))
	}
	if uri == "" {
		w.wrong(at, "EXPORT DATA needs the option uri")
	}
	if strings.Count(uri, "*") > 1 {
		w.wrong(at, "the option uri of EXPORT DATA has one * at most")
	}
	file := strings.Replace(uri, "*", "000000000000", 1)
	if w.names.Export != nil {
		var err error
		if file, err = w.names.Export(uri, given["overwrite"] == true); err != nil {
			panic(failed{err})
		}
	}
	return "COPY (" + w.exported(at, s, format) + ") TO " + quote.Text(file) + " (" + options + ")"
}

// exportOptions computes the values of a list of options.
func (w *writer) exportOptions(list []*resolved.ResolvedOptionProto) map[string]any {
	given := map[string]any{}
	for _, o := range list {
		name, at := strings.ToLower(o.GetName()), location(o.GetParent().GetParent())
		want, known := exportOptions[name]
		if !known {
			refuse(at, "the option %s of EXPORT DATA", o.GetName())
		}
		if t := typeOf(o.GetValue()); t.Kind != want {
			w.wrong(at, fmt.Sprintf("The option %s of EXPORT DATA takes %s, and not %s", o.GetName(), googlesql.Type{Kind: want}, t))
		}
		if w.names.Value == nil {
			refuse(at, "EXPORT DATA")
		}
		v, err := w.names.Value(w.expr(o.GetValue()))
		if err != nil {
			panic(failed{err})
		}
		given[name] = v
	}
	return given
}

// exported writes the query of an export: Parquet has types of its own, CSV and JSON have texts in BigQuery's form
// (https://docs.cloud.google.com/bigquery/docs/exporting-data#limitations).
func (w *writer) exported(at *resolved.ParseLocationRangeProto, s *resolved.ResolvedExportDataStmtProto, format string) string {
	if format == "PARQUET" {
		return w.query(s.GetQuery(), s.GetOutputColumnList())
	}
	from := w.scan(s.GetQuery())
	names := outputNames(s.GetOutputColumnList())
	items := make([]string, len(names))
	for i, c := range s.GetOutputColumnList() {
		t := analyzer.TypeOf(c.GetColumn().GetType())
		if format == "CSV" && (t.Kind == googlesql.Array || t.Kind == googlesql.Struct) {
			w.wrong(at, "Operation cannot be performed on a nested schema. Field: "+names[i])
		}
		items[i] = w.exportedValue(at, w.leaving(c.GetColumn()), t, format) + " AS " + quote.Name(names[i])
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM (" + from + ")"
}

func (w *writer) exportedValue(at *resolved.ParseLocationRangeProto, x string, t googlesql.Type, format string) string {
	text := func() string { return w.cast(at, x, t, googlesql.Type{Kind: googlesql.String}) }
	switch t.Kind {
	case googlesql.Bytes:
		return "to_base64(" + x + ")"
	case googlesql.Timestamp:
		return "replace(" + text() + ", '+00', ' UTC')"
	case googlesql.DateTime:
		return "replace(" + text() + ", ' ', 'T')"
	case googlesql.Int64, googlesql.Numeric, googlesql.BigNumeric, googlesql.Interval, googlesql.Date, googlesql.Time:
		return text()
	case googlesql.Float64:
		if format == "CSV" {
			return text()
		}
	case googlesql.Array:
		e := w.bind()
		return "list_transform(coalesce(" + x + ", []), lambda " + e + ": " + w.exportedValue(at, e, *t.Elem, format) + ")"
	case googlesql.Struct:
		fields := make([]string, len(t.Fields))
		for i, name := range fieldNames(t) {
			fields[i] = quote.Name(name) + " := " + w.exportedValue(at, "struct_extract("+x+", "+quote.Text(name)+")", t.Fields[i].Type, format)
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN struct_pack(" + strings.Join(fields, ", ") + ") END"
	}
	return x
}
