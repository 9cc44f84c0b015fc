package bigquery

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/connectors/localfs"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// prepareExtract checks the description of an extract job, and says how it is run.
func (s *Service) prepareExtract(j *job) error {
	e := j.config.Extract
	if e.DestinationUri != "" && len(e.DestinationUris) == 0 {
		e.DestinationUris = []string{e.DestinationUri}
	}
	e.DestinationFormat = strings.ToUpper(cmp.Or(e.DestinationFormat, "CSV"))
	e.Compression = strings.ToUpper(cmp.Or(e.Compression, "NONE"))
	switch {
	case e.SourceTable == nil:
		return invalid("Required parameter is missing: configuration.extract.sourceTable")
	case len(e.DestinationUris) == 0:
		return invalid("Required parameter is missing: destinationUris")
	case len(e.DestinationUris) > 1:
		return unsupported("Only one destination URI is written")
	}
	packings := map[string]string{"CSV": "NONE GZIP", "NEWLINE_DELIMITED_JSON": "NONE GZIP", "PARQUET": "NONE SNAPPY GZIP ZSTD"}
	allowed, ok := packings[e.DestinationFormat]
	switch {
	case e.DestinationFormat == "AVRO":
		return unsupported("destinationFormat AVRO is not written; use CSV, NEWLINE_DELIMITED_JSON or PARQUET")
	case !ok:
		return invalid("Invalid value for destinationFormat: %.50s is not a valid value", e.DestinationFormat)
	case !strings.Contains(allowed+" ", e.Compression+" "):
		return invalid("Compression %.50s is not supported for %s", e.Compression, e.DestinationFormat)
	}
	j.statistics = &api.JobStatistics{Extract: &api.JobStatistics4{}}
	j.run = s.runExtract
	return nil
}

// runExtract writes a table to an object of a bucket; nobody sees the object before it is whole.
func (s *Service) runExtract(ctx context.Context, j *job) (err error) {
	e := j.config.Extract
	r, err := s.relation(ctx, cmp.Or(e.SourceTable.ProjectId, j.project), e.SourceTable.DatasetId, e.SourceTable.TableId)
	if err != nil {
		return err
	}
	if r.kind != "TABLE" {
		return invalid("%s is not allowed for this operation because it is currently a %s.", r, r.kind)
	}
	columns, err := s.columns(ctx, r)
	if err != nil {
		return err
	}
	if e.DestinationFormat == "CSV" {
		for _, c := range columns {
			if c.Type.Kind == googlesql.Array || c.Type.Kind == googlesql.Struct {
				return invalid("Operation cannot be performed on a nested schema. Field: %s", c.Name)
			}
		}
	}
	to, err := s.object(e.DestinationUris[0])
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, to.Abort())
		}
	}()
	if e.DestinationFormat == "PARQUET" {
		err = s.parquet(ctx, r, columns, e, to)
	} else {
		err = s.text(ctx, r, columns, e, to)
	}
	if err != nil {
		return err
	}
	if _, err := to.Commit(ctx); err != nil {
		return err
	}
	j.change(func() { j.statistics.Extract.DestinationUriFileCounts = []int64{1} })
	return nil
}

// object begins an object of a bucket. The star of a uri is the number of the file, and there is one file.
func (s *Service) object(uri string) (*localfs.Upload, error) {
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, _, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		return nil, invalid("Destination URI must be a Google Cloud Storage location: %.200s", uri)
	case s.Buckets == nil || !s.Buckets.Has(bucket):
		return nil, notFound("Not found: Bucket %.200s is none of this server's; -bucket %.200s=FOLDER serves one", bucket, bucket)
	case strings.Count(uri, "*") > 1:
		return nil, invalid("A destination URI has one * at most: %.200s", uri)
	}
	to, err := s.Buckets.Create(strings.Replace(uri, "*", "000000000000", 1))
	if err != nil {
		return nil, invalid("Cannot write %.500s: %v", uri, err)
	}
	return to, nil
}

// parquet lets DuckDB write a file, and takes its bytes.
func (s *Service) parquet(ctx context.Context, r relation, columns []googlesql.Field, e *api.JobConfigurationExtract,
	to io.Writer) (err error) {
	f, err := s.tempFile()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	packed := map[string]string{"NONE": "uncompressed", "SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd"}[e.Compression]
	copyTo := "COPY (SELECT " + list(columns) + " FROM " + r.from() + ") TO " + quote.Text(f.Name())
	if err := s.exec(ctx, copyTo+" (FORMAT parquet, COMPRESSION "+packed+")"); err != nil {
		return err
	}
	again, err := os.Open(f.Name()) // DuckDB may have put another file in its place
	if err != nil {
		return err
	}
	_, err = io.Copy(to, again)
	return errors.Join(err, again.Close())
}

// text writes rows as CSV or as JSON lines.
func (s *Service) text(ctx context.Context, r relation, columns []googlesql.Field, e *api.JobConfigurationExtract,
	to io.Writer) (err error) {
	if e.Compression == "GZIP" {
		z := gzip.NewWriter(to)
		defer func() { err = errors.Join(err, z.Close()) }()
		to = z
	}
	b := bufio.NewWriterSize(to, 1<<16)
	defer func() { err = errors.Join(err, b.Flush()) }()
	line, err := s.lineOf(columns, e, b)
	if err != nil {
		return err
	}
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	var wrong error
	var row []byte
	err = raw(c, func(n chunked) error {
		return eachRow(ctx, n.Raw(), "SELECT "+list(columns)+" FROM "+r.from(), func(values []any) bool {
			if row, wrong = line(row[:0], values); wrong != nil {
				return false
			}
			_, wrong = b.Write(append(row, '\n'))
			return wrong == nil
		})
	})
	return errors.Join(err, wrong, c.Close())
}

// lineOf gives what writes a row, and writes the header.
func (s *Service) lineOf(columns []googlesql.Field, e *api.JobConfigurationExtract,
	b *bufio.Writer) (func([]byte, []any) ([]byte, error), error) {
	plain := wire.Encoder{Columns: columns}
	if e.DestinationFormat != "CSV" {
		return plain.AppendObject, nil
	}
	delimiter := cmp.Or(e.FieldDelimiter, ",")
	if strings.EqualFold(delimiter, "tab") || delimiter == `\t` {
		delimiter = "\t"
	}
	if len(delimiter) != 1 {
		return nil, invalid("Invalid value for fieldDelimiter: %.20q is more than one character", delimiter)
	}
	if e.PrintHeader == nil || *e.PrintHeader {
		var header []byte
		for i, c := range columns {
			if i > 0 {
				header = append(header, delimiter...)
			}
			header = wire.AppendCSV(header, c.Name, delimiter[0])
		}
		if _, err := b.Write(append(header, '\n')); err != nil {
			return nil, err
		}
	}
	return func(dst []byte, values []any) ([]byte, error) { return plain.AppendCSVRow(dst, values, delimiter[0]) }, nil
}
