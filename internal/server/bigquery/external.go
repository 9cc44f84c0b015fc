package bigquery

import (
	"context"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/catalog"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// external gives the query, in DuckDB's SQL, that reads the files of an external table: those that its uris name now. A row that cannot be
// read is an error of the query, beyond maxBadRecords
// (https://docs.cloud.google.com/bigquery/docs/reference/rest/v2/tables#ExternalDataConfiguration).
func (s *Service) external(ctx context.Context, e *api.ExternalDataConfiguration, schema *api.TableSchema) (string, error) {
	r := &loading{s: s, l: &api.JobConfigurationLoad{SourceFormat: strings.ToUpper(e.SourceFormat), Autodetect: e.Autodetect,
		IgnoreUnknownValues: e.IgnoreUnknownValues, MaxBadRecords: e.MaxBadRecords}}
	if e.Schema != nil {
		schema = e.Schema
	}
	if schema != nil {
		if err := checkSchema(schema); err != nil {
			return "", err
		}
		r.fields = schema.Fields
	}
	if c := e.CsvOptions; c != nil {
		r.l.AllowJaggedRows, r.l.Encoding, r.l.FieldDelimiter, r.l.Quote = c.AllowJaggedRows, c.Encoding, c.FieldDelimiter, c.Quote
		r.l.NullMarker, r.l.NullMarkers, r.l.SkipLeadingRows = c.NullMarker, c.NullMarkers, c.SkipLeadingRows
	}
	if err := r.add(ctx, e.SourceUris); err != nil {
		return "", err
	}
	if len(r.files) == 0 {
		return "", invalid("Required parameter is missing: externalDataConfiguration.sourceUris")
	}
	query, err := r.query(ctx, e.HivePartitioningOptions)
	if err != nil {
		return "", r.wording(ctx, err)
	}
	return catalog.ExternalTable(query), nil
}

// query gives the query for the rows of files.
func (r *loading) query(ctx context.Context, hive *api.HivePartitioningOptions) (string, error) {
	if hive != nil && r.l.SourceFormat != "PARQUET" {
		return "", unsupported("hivePartitioningOptions are served for PARQUET, not for %.50s", r.l.SourceFormat)
	}
	switch r.l.SourceFormat {
	case "CSV":
		return r.csvQuery(ctx)
	case "NEWLINE_DELIMITED_JSON":
		return r.jsonQuery(ctx)
	case "PARQUET":
		return r.parquetQuery(ctx, hive)
	case "":
		return "", invalid("Required parameter is missing: externalDataConfiguration.sourceFormat")
	}
	return "", unsupported("sourceFormat %.50s of an external table is not read; use CSV, NEWLINE_DELIMITED_JSON or PARQUET", r.l.SourceFormat)
}

func (r *loading) csvQuery(ctx context.Context) (string, error) {
	options, err := r.csvOptions()
	if err != nil {
		return "", err
	}
	if r.fields == nil {
		return r.csvDetected(ctx, options)
	}
	columns, source, err := r.csvTexts(options)
	if err != nil {
		return "", err
	}
	items, fault := writer.TextItems(columns)
	return writer.CheckedRows(items, source, fault, r.l.MaxBadRecords), nil
}

func (r *loading) jsonQuery(ctx context.Context) (string, error) {
	options, err := r.jsonOptions()
	if err != nil {
		return "", err
	}
	if r.fields == nil {
		if err := r.detectJSON(ctx, options); err != nil {
			return "", err
		}
	}
	columns, err := r.columns()
	if err != nil {
		return "", err
	}
	items, fault := writer.JSONItems(columns)
	if !r.l.IgnoreUnknownValues {
		fault = writer.UnknownFault(columns, fault)
	}
	return writer.CheckedRows(items, "read_json_objects("+options+")", fault, r.l.MaxBadRecords), nil
}

func (r *loading) parquetQuery(ctx context.Context, hive *api.HivePartitioningOptions) (string, error) {
	options := "hive_partitioning = false"
	if hive != nil {
		switch strings.ToUpper(hive.Mode) {
		case "AUTO":
			options = "hive_partitioning = true"
		case "STRINGS":
			options = "hive_partitioning = true, hive_types_autocast = false"
		default:
			return "", unsupported("hivePartitioningOptions.mode %.50q is not served, AUTO and STRINGS are", hive.Mode)
		}
	}
	source := "read_parquet(" + quote.Files(r.files) + ", " + options + ")"
	columns, err := r.s.found(ctx, source)
	if err != nil {
		return "", err
	}
	var items []string
	for _, p := range columns {
		t, err := parquetType(p)
		if f := fieldNamed(r.fields, []string{p[0]}); f != nil {
			t, err = wire.TypeOf(f)
		} else if r.fields != nil && hive == nil {
			continue // the schema leaves it out
		}
		if err != nil {
			return "", err
		}
		items = append(items, "CAST("+quote.Name(p[0])+" AS "+t.DuckDB()+") AS "+quote.Name(p[0]))
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + source, nil
}

// define makes the tables of a query's tableDefinitions, which its session alone knows.
func (n *session) define(ctx context.Context, s *Service, tables map[string]api.ExternalDataConfiguration) error {
	for name, e := range tables {
		if err := tableID(name); err != nil {
			return err
		}
		query, err := s.external(ctx, &e, nil)
		if err != nil {
			return err
		}
		if err := s.exec(ctx, "CREATE OR REPLACE VIEW "+quote.Path(n.database, "main", name)+" AS "+query); err != nil {
			return err
		}
	}
	return nil
}
