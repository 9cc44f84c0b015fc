package bigquery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// loading is a load job as it runs.
type loading struct {
	s      *Service
	j      *job
	l      *api.JobConfigurationLoad
	to     *destination
	fields []*api.TableFieldSchema // of the job, or of the table; nil where the file tells
	files  []string
	stage  string // the table in which rows come together, as SQL calls it
	bad    int64
}

// wording puts an error of DuckDB's about a file into BigQuery's words.
func (r *loading) wording(ctx context.Context, err error) error {
	var f *Fault
	if errors.As(err, &f) || ctx.Err() != nil {
		return err
	}
	message := err.Error()
	for i, file := range r.files { // a path of the server's is nothing to the client
		message = strings.ReplaceAll(message, file, fmt.Sprintf("file-%08d", i))
	}
	if i := strings.Index(message, "\n\n"); i > 0 {
		message = message[:i]
	}
	wrong := invalid("Error while reading data, error message: %s", message)
	wrong.Cause = err
	return wrong
}

// schema decides who tells the columns.
func (r *loading) schema(ctx context.Context) error {
	switch {
	case r.l.Schema != nil && len(r.l.Schema.Fields) > 0:
		r.fields = r.l.Schema.Fields
	case r.to.there && (r.to.write == writeAppend || !r.l.Autodetect) && r.l.SourceFormat != "PARQUET" && r.l.SourceFormat != "AVRO":
		columns, err := r.s.columns(ctx, r.to.relation)
		if err != nil {
			return err
		}
		r.fields = wire.Schema(columns).Fields
	case !r.l.Autodetect && (r.l.SourceFormat == "CSV" || r.l.SourceFormat == "NEWLINE_DELIMITED_JSON"):
		return invalid("No schema specified on job or table.")
	}
	return nil
}

// find gives the files: the upload, or those of the uris.
func (r *loading) find(ctx context.Context) error {
	if r.j.upload != nil {
		r.files = []string{r.j.upload.path}
	}
	if err := r.add(ctx, r.l.SourceUris); err != nil {
		return err
	}
	if len(r.files) == 0 {
		return invalid("Required parameter is missing: sourceUris")
	}
	var bytes int64
	for _, file := range r.files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		bytes += info.Size()
	}
	r.j.change(func() {
		r.j.statistics.Load.InputFiles, r.j.statistics.Load.InputFileBytes = int64(len(r.files)), bytes
	})
	return nil
}

// add adds the files of uris.
func (r *loading) add(ctx context.Context, uris []string) error {
	for _, uri := range uris {
		files, err := r.s.filesOf(ctx, uri)
		if err != nil {
			return err
		}
		r.files = append(r.files, files...)
	}
	return nil
}

// filesOf gives the files of gs://bucket/object, for buckets that are folders.
func (s *Service) filesOf(ctx context.Context, uri string) ([]string, error) {
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, _, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		return nil, invalid("Source URI must be a Google Cloud Storage location: %.200s", uri)
	case s.Buckets == nil || !s.Buckets.Has(bucket):
		return nil, notFound("Not found: Bucket %.200s is none of this server's; -bucket %.200s=FOLDER serves one", bucket, bucket)
	}
	files, err := s.Buckets.Glob(ctx, uri)
	if err != nil {
		return nil, notFound("Not found: URI %.500s: %v", uri, err)
	}
	return files, nil
}

// table reads a source of DuckDB's whose columns have types, and takes those that the job wants.
func (r *loading) table(ctx context.Context, source string) error {
	if r.fields != nil {
		parts := make([]string, len(r.fields))
		for i, f := range r.fields {
			t, err := wire.TypeOf(f)
			if err != nil {
				return err
			}
			parts[i] = "CAST(" + quote.Name(f.Name) + " AS " + t.DuckDB() + ") AS " + quote.Name(f.Name)
		}
		return r.s.exec(ctx, "CREATE TABLE "+r.stage+" AS SELECT "+strings.Join(parts, ", ")+" FROM "+source)
	}
	if err := r.s.exec(ctx, "CREATE TABLE "+r.stage+" AS SELECT * FROM "+source); err != nil {
		return err
	}
	return r.s.duck(ctx, func(c *sql.Conn) error { return r.plainTypes(ctx, c) })
}

// plainTypes turns what GoogleSQL has no type for into what it has: the nanoseconds of a TIMESTAMP_NS go.
func (r *loading) plainTypes(ctx context.Context, c *sql.Conn) error {
	columns, err := pairs(ctx, c, "SELECT column_name, column_type FROM (DESCRIBE "+r.stage+")")
	if err != nil {
		return err
	}
	for _, p := range columns {
		t, err := parquetType(p)
		if err != nil {
			return err
		}
		if t.DuckDB() == p[1] {
			continue
		}
		if _, err := c.ExecContext(ctx, "ALTER TABLE "+r.stage+" ALTER "+quote.Name(p[0])+" TYPE "+t.DuckDB()); err != nil {
			return err
		}
	}
	return nil
}

// found gives the columns that DuckDB finds in a source, and their types.
func (s *Service) found(ctx context.Context, source string) (columns [][2]string, err error) {
	err = s.duck(ctx, func(c *sql.Conn) (err error) {
		columns, err = pairs(ctx, c, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+source+")")
		return err
	})
	return columns, err
}

// avro reads Avro where the extension is installed.
func (r *loading) avro(ctx context.Context) error {
	err := r.s.exec(ctx, "SET autoinstall_known_extensions = false; LOAD avro")
	if err != nil {
		return unsupported("sourceFormat AVRO is not read: DuckDB's extension avro is not installed; use CSV, NEWLINE_DELIMITED_JSON or PARQUET")
	}
	return r.table(ctx, "read_avro("+quote.Files(r.files)+")")
}

// finish puts the rows that came together into the table.
func (r *loading) finish(ctx context.Context) error {
	columns, err := r.s.columns(ctx, relation{schema: schema{database: Anonymous, name: "main"},
		table: strings.Trim(r.stage[strings.LastIndex(r.stage, ".")+1:], `"`), kind: "TABLE"})
	if err != nil {
		return err
	}
	before := int64(0)
	if r.to.there && !r.to.replaces() {
		var t api.Table
		if err := r.s.count(ctx, r.to.relation, nil, &t); err != nil {
			return err
		}
		before = int64(t.NumRows)
	}
	if r.l.Schema != nil && len(r.l.Schema.Fields) > 0 {
		r.to.fields = r.fields
	}
	if r.to.write == writeTruncateData {
		before = 0
	}
	done, err := r.s.insertFrom(ctx, r.to, r.stage, columns)
	if err != nil {
		return r.wording(ctx, err)
	}
	r.j.change(func() {
		st := r.j.statistics.Load
		st.OutputRows, st.BadRecords = done.rows-before, r.bad
		st.OutputBytes = st.InputFileBytes
		if shown := r.j.config.Load; shown.Schema == nil {
			shown.Schema = wire.Schema(columns)
		}
	})
	return nil
}

// settings is what the job says of the table that it makes.
func (r *loading) settings(fields []*api.TableFieldSchema) (v metadata.Value, err error) {
	if v, err = settingsOf(r.l.TimePartitioning, r.l.RangePartitioning, r.l.Clustering, r.l.DestinationEncryptionConfiguration,
		fields); err != nil {
		return v, err
	}
	if p := r.l.DestinationTableProperties; p != nil {
		v.Description, v.FriendlyName, v.Labels = p.Description, p.FriendlyName, p.Labels
		if v.Expires, err = expiration(p.ExpirationTime); err != nil {
			return v, err
		}
		err = checkLabels(p.Labels)
	}
	return v, err
}

// parquetType is the type of a column, which DuckDB has found: the nanoseconds of a TIMESTAMP_NS go.
func parquetType(column [2]string) (googlesql.Type, error) {
	f, err := wire.Declared(column[0], strings.ReplaceAll(column[1], "TIMESTAMP_NS", "TIMESTAMP"))
	if err != nil {
		return googlesql.Type{}, err
	}
	return wire.TypeOf(f)
}
