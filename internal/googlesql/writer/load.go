package writer

import (
	"fmt"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/analyzer"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// LoadColumn is a column to be read.
type LoadColumn struct {
	Name       string
	Type       googlesql.Type
	Definition string // in CREATE TABLE
	Required   bool
}

// loadData writes LOAD DATA as far as it is no question of the files.
func (w *writer) loadData(s *resolved.ResolvedAuxLoadDataStmtProto) *Load {
	at := location(s.GetParent().GetParent())
	switch {
	case s.GetConnection() != nil:
		refuse(at, "LOAD DATA … WITH CONNECTION")
	case s.GetPartitionFilter() != nil:
		refuse(at, "LOAD DATA … PARTITIONS")
	case s.GetWithPartitionColumns() != nil:
		refuse(at, "LOAD DATA … WITH PARTITION COLUMNS")
	}
	l := &Load{Temporary: s.GetIsTempTable(), Pos: int(at.GetStart()), End: int(at.GetEnd())}
	l.Replaces = s.GetInsertionMode() == resolved.ResolvedAuxLoadDataStmtEnums_OVERWRITE
	if l.Temporary {
		l.Target = quote.Path("temp", "main", s.GetNamePath()[len(s.GetNamePath())-1])
	} else {
		l.Target = w.place(s.GetNamePath())
	}
	for _, c := range s.GetColumnDefinitionList() {
		l.Columns = append(l.Columns, LoadColumn{c.GetName(), analyzer.TypeOf(c.GetType()), w.columnDefinition(at, c),
			c.GetAnnotations().GetNotNull()})
	}
	for _, o := range s.GetFromFilesOptionList() {
		l.Options = append(l.Options, Option{Name: strings.ToLower(o.GetName()), SQL: w.expr(o.GetValue())})
	}
	if there := w.tableAt(s.GetNamePath()); there != nil && !there.Missing && !l.Replaces {
		if there.Snapshot {
			w.wrong(at, "The table "+strings.Join(there.Path, ".")+" is a snapshot and cannot be changed")
		}
		if l.There = there; l.Columns == nil {
			for i, name := range there.Names {
				l.Columns = append(l.Columns, LoadColumn{Name: name, Type: there.Types[i]})
			}
		}
		w.writes = append(w.writes, there.Path)
		return l
	}
	kept := &Change{Action: Make, Kind: metadata.Table, Path: s.GetNamePath(), Options: w.options(s.GetOptionList())}
	if !l.Temporary {
		kept = w.change(*kept)
	}
	kept.Value.Partitioning, kept.Value.Clustering = w.partitioning(s.GetPartitionByList()), w.clustering(s.GetClusterByList())
	if kept.Value.Partitioning != nil && kept.Value.Partitioning.Column == "" {
		l.More = append(l.More, ingestion(kept.Value.Partitioning))
	}
	w.makeColumns(kept, s.GetColumnDefinitionList())
	return l
}

// createExternal writes CREATE EXTERNAL TABLE over files
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_external_table_statement).
func (w *writer) createExternal(s *resolved.ResolvedCreateExternalTableStmtProto) *Load {
	of := s.GetParent()
	at := location(of.GetParent().GetParent().GetParent())
	switch {
	case of.GetConnection() != nil:
		refuse(at, "CREATE EXTERNAL TABLE … WITH CONNECTION over files")
	case s.GetWithPartitionColumns() != nil:
		refuse(at, "CREATE EXTERNAL TABLE … WITH PARTITION COLUMNS")
	case of.GetLikeTable().GetFullName() != "":
		refuse(at, "CREATE EXTERNAL TABLE … LIKE")
	case of.GetParent().GetCreateScope() == resolved.ResolvedCreateStatementEnums_CREATE_TEMP:
		refuse(at, "CREATE TEMP EXTERNAL TABLE")
	}
	l := &Load{Pos: int(at.GetStart()), End: int(at.GetEnd())}
	l.External, l.Target = w.create(of.GetParent(), "VIEW", of.GetParent().GetNamePath())
	for _, c := range of.GetColumnDefinitionList() {
		l.Columns = append(l.Columns, LoadColumn{c.GetName(), analyzer.TypeOf(c.GetType()), "", c.GetAnnotations().GetNotNull()})
	}
	var kept []*resolved.ResolvedOptionProto
	for _, o := range of.GetOptionList() {
		if name := strings.ToLower(o.GetName()); optionTypes[name] != 0 {
			kept = append(kept, o)
		} else {
			l.Options = append(l.Options, Option{Name: name, SQL: w.expr(o.GetValue())})
		}
	}
	w.makeColumns(w.make(of.GetParent(), metadata.Table, kept), of.GetColumnDefinitionList())
	return l
}

// ingestion defines the column of a table that is partitioned by the time of ingestion.
func ingestion(p *metadata.Partitioning) string {
	return quote.Name(PartitionTime) + " TIMESTAMPTZ DEFAULT (date_trunc('" + strings.ToLower(p.Unit) + "', now()))"
}

// tableAt is the table of the catalog with a path; nil for none.
func (w *writer) tableAt(path []string) *Table {
	for i, t := range w.names.Tables {
		if strings.EqualFold(strings.Join(t.Path, "\x00"), strings.Join(path, "\x00")) {
			return &w.names.Tables[i]
		}
	}
	return nil
}

// textField is a column that is read from texts, as CSV and the scalars of JSON have them.
type textField struct {
	Name     string
	Type     googlesql.Type
	Text     string // in DuckDB
	Required bool
}

// fromText writes the value of a scalar type that a text of a file stands for: NULL where it stands for none
// (https://docs.cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types).
func fromText(t googlesql.Type, x string) string {
	switch t.Kind {
	case googlesql.String:
		return x
	case googlesql.Bytes:
		return "TRY(from_base64(" + x + "))"
	case googlesql.JSON:
		return "CASE WHEN json_valid(" + x + ") THEN " + x + "::JSON END"
	case googlesql.Timestamp:
		return "TRY_CAST(regexp_replace(trim(" + x + "), ' UTC$', '+00') AS TIMESTAMPTZ)"
	case googlesql.Bool:
		return "CASE lower(trim(" + x + ")) WHEN 'true' THEN true WHEN 't' THEN true WHEN 'yes' THEN true WHEN 'y' THEN true " +
			"WHEN '1' THEN true WHEN 'false' THEN false WHEN 'f' THEN false WHEN 'no' THEN false WHEN 'n' THEN false WHEN '0' THEN false END"
	}
	return "TRY_CAST(trim(" + x + ") AS " + t.DuckDB() + ")"
}

// couldNotParse is BigQuery's word on a text that stands for no value of a type, in DuckDB.
func couldNotParse(t googlesql.Type, x, name string) string {
	return quote.Text("Could not parse '") + " || " + x + " || " + quote.Text("' as "+t.Kind.String()+" for field "+name)
}

// textFault writes what is wrong with a row of texts: NULL where nothing is.
func textFault(fields []textField) string {
	var wrong []string
	for _, f := range fields {
		if f.Type.Kind != googlesql.String {
			wrong = append(wrong, "WHEN "+f.Text+" IS NOT NULL AND ("+fromText(f.Type, f.Text)+") IS NULL THEN "+
				couldNotParse(f.Type, f.Text, f.Name))
		}
		if f.Required {
			wrong = append(wrong, "WHEN "+f.Text+" IS NULL THEN "+
				quote.Text("Only optional fields can be set to NULL. Field: "+f.Name+"; Value: NULL"))
		}
	}
	if len(wrong) == 0 {
		return "NULL::VARCHAR"
	}
	return "CASE " + strings.Join(wrong, " ") + " END"
}

// fromJSON writes the value of any type that a value of JSON stands for; what stands for none is an error of the statement.
func fromJSON(t googlesql.Type, x, name string) string {
	null := "CASE WHEN " + x + " IS NULL OR json_type(" + x + ") = 'NULL' THEN NULL ELSE "
	switch t.Kind {
	case googlesql.Array:
		return "coalesce(" + null + "list_transform(CAST(" + x + " AS JSON[]), lambda e" + depth(x) + ": " +
			fromJSON(*t.Elem, "e"+depth(x), name) + ") END, [])"
	case googlesql.Struct:
		fields := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = quote.Name(fieldNames(t)[i]) + " := " + fromJSON(f.Type, "json_extract("+x+", "+memberPath(f.Name)+")", name+"."+f.Name)
		}
		return null + "struct_pack(" + strings.Join(fields, ", ") + ") END"
	case googlesql.JSON:
		return x
	case googlesql.String:
		return "(" + x + " ->> '$')"
	}
	s := "(" + x + " ->> '$')"
	return "CASE WHEN " + s + " IS NOT NULL AND (" + fromText(t, s) + ") IS NULL THEN CAST(error(" + couldNotParse(t, s, name) + ") AS " +
		t.DuckDB() + ") ELSE " + fromText(t, s) + " END"
}

// depth tells the parameters of lambdas inside each other apart.
func depth(x string) string { return strings.Repeat("_", strings.Count(x, "e_")+1) }

// memberPath is the path of a member, as DuckDB writes it in a text.
func memberPath(name string) string {
	return quote.Text(`$."` + strings.ReplaceAll(name, `"`, `\"`) + `"`)
}

// TextOptions writes the options of read_csv by which the columns of a file are read as they stand there, behind some lines.
func TextOptions(columns []LoadColumn, skip int64) (string, error) {
	as := make([]string, len(columns))
	for i, c := range columns {
		if c.Type.Kind == googlesql.Array || c.Type.Kind == googlesql.Struct {
			return "", fmt.Errorf("Cannot load CSV data with a nested or repeated field. Field: %s", c.Name)
		}
		as[i] = quote.Text(c.Name) + ": 'VARCHAR'"
	}
	return fmt.Sprintf("header = false, auto_detect = false, columns = {%s}, skip = %d", strings.Join(as, ", "), skip), nil
}

// TextItems writes the values of columns that are texts, and the fault of a row, which is NULL where there is none.
func TextItems(columns []LoadColumn) (items []string, fault string) {
	fields := make([]textField, len(columns))
	for i, c := range columns {
		x := quote.Name(c.Name)
		fields[i] = textField{Name: c.Name, Type: c.Type, Text: x, Required: c.Required}
		items = append(items, fromText(c.Type, x)+" AS "+x)
	}
	return items, textFault(fields)
}

// JSONItems writes the values of columns in the objects of a column json, and the fault of a row, which is NULL where there is none.
func JSONItems(columns []LoadColumn) (items []string, fault string) {
	var fields []textField
	for _, c := range columns {
		x := "json_extract(json, " + memberPath(c.Name) + ")"
		switch c.Type.Kind {
		case googlesql.Array, googlesql.Struct, googlesql.JSON:
			items = append(items, fromJSON(c.Type, x, c.Name)+" AS "+quote.Name(c.Name))
		default:
			f := textField{Name: c.Name, Type: c.Type, Text: "(" + x + " ->> '$')", Required: c.Required}
			fields = append(fields, f)
			items = append(items, fromText(f.Type, f.Text)+" AS "+quote.Name(c.Name))
		}
	}
	return items, textFault(fields)
}

// UnknownFault adds to the fault of a row that its object has a field that no column has.
func UnknownFault(columns []LoadColumn, fault string) string {
	known := make([]string, len(columns))
	for i, c := range columns {
		known[i] = quote.Text(strings.ToLower(c.Name))
	}
	more := "list_filter(json_keys(json), lambda k: lower(k) NOT IN (" + strings.Join(known, ", ") + "))"
	return "CASE WHEN len(" + more + ") > 0 THEN 'No such field: ' || " + more + "[1] || '.' ELSE " + fault + " END"
}

// CheckedRows writes a query for the items of a source, without the rows that have a fault. More than most of those are an error.
func CheckedRows(items []string, source, fault string, most int64) string {
	failed := func(fault string) string {
		return "CAST(error('Error while reading data, error message: ' || " + fault + ") AS BOOLEAN)"
	}
	list := strings.Join(items, ", ")
	if most > 0 {
		return fmt.Sprintf("SELECT %s FROM (SELECT *, (%s) AS mallard_fault, count(*) FILTER ((%s) IS NOT NULL) OVER () AS mallard_bad "+
			"FROM %s) WHERE CASE WHEN mallard_bad > %d THEN %s ELSE mallard_fault IS NULL END", list, fault, fault, source, most,
			failed("'too many errors, giving up. Rows with errors: ' || mallard_bad"))
	}
	return "SELECT " + list + " FROM " + source + " WHERE CASE WHEN (" + fault + ") IS NOT NULL THEN " + failed(fault) + " ELSE true END"
}
