package bigquery

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
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
	e := extraction(j.config.Extract)
	switch {
	case e.SourceTable == nil:
		return invalid("Required parameter is missing: configuration.extract.sourceTable")
	case len(e.DestinationUris) == 0:
		return invalid("Required parameter is missing: destinationUris")
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

// extraction fills in what a description leaves out. The job shows what its client said.
func extraction(given *api.JobConfigurationExtract) *api.JobConfigurationExtract {
	e := *given
	if e.DestinationUri != "" && len(e.DestinationUris) == 0 {
		e.DestinationUris = []string{e.DestinationUri}
	}
	e.DestinationFormat, e.Compression = strings.ToUpper(cmp.Or(e.DestinationFormat, "CSV")), strings.ToUpper(cmp.Or(e.Compression, "NONE"))
	return &e
}

// runExtract writes a table to objects of a bucket, as it is at one moment; nobody sees an object before it is whole.
func (s *Service) runExtract(ctx context.Context, j *job) (err error) {
	e := extraction(j.config.Extract)
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
	var counts []int64
	err = s.try(ctx, func(x *change) error {
		var t api.Table
		if err := x.count(r, columns, &t); err != nil {
			return err
		}
		files, each, err := shards(e.DestinationUris, int64(t.NumRows), t.NumBytes, s.Limits.ExtractFile)
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := s.extract(x, r, columns, e, f); err != nil {
				return err
			}
		}
		counts = each
		return nil
	})
	if err != nil {
		return err
	}
	j.change(func() { j.statistics.Extract.DestinationUriFileCounts = counts })
	return nil
}

// shard is a file of an extract: rows by their places.
type shard struct {
	uri      string
	from, to int64
}

// shards divides rows among uris, and those of a uri with a star among files of so many bytes at most
// (https://docs.cloud.google.com/bigquery/docs/exporting-data#exporting_data_into_one_or_more_files).
func shards(uris []string, rows, bytes, most int64) (all []shard, counts []int64, err error) {
	each := int64(len(uris))
	for i, uri := range uris {
		n := int64(1)
		switch star := strings.Count(uri, "*"); {
		case star > 1:
			return nil, nil, invalid("A destination URI has one * at most: %.200s", uri)
		case star == 1:
			n = max(1, min((bytes/each+most-1)/most, rows/each))
		case bytes/each > most:
			return nil, nil, invalid("Table too large to be exported to a single file. Specify a uri including a * to shard export. See " +
				"'Exporting data into one or more files' in https://cloud.google.com/bigquery/docs/exporting-data.")
		}
		from, to := rows*int64(i)/each, rows*int64(i+1)/each
		for k := range n {
			name := strings.Replace(uri, "*", fmt.Sprintf("%012d", k), 1)
			all = append(all, shard{name, from + (to-from)*k/n, from + (to-from)*(k+1)/n})
		}
		counts = append(counts, n)
	}
	return all, counts, nil
}

// extract writes rows to an object.
func (s *Service) extract(x *change, r relation, columns []googlesql.Field, e *api.JobConfigurationExtract, f shard) (err error) {
	to, err := s.object(f.uri)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, to.Abort())
		}
	}()
	query := fmt.Sprintf("SELECT %s FROM %s LIMIT %d OFFSET %d", list(columns), r.from(), f.to-f.from, f.from)
	if e.DestinationFormat == "PARQUET" {
		err = s.parquet(x, query, e, to)
	} else {
		err = s.text(x, query, columns, e, to)
	}
	if err != nil {
		return err
	}
	_, err = to.Commit(x.ctx)
	return err
}

// object begins an object of a bucket.
func (s *Service) object(uri string) (*localfs.Upload, error) {
	rest, ok := strings.CutPrefix(uri, "gs://")
	bucket, _, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		return nil, invalid("Destination URI must be a Google Cloud Storage location: %.200s", uri)
	case s.Buckets == nil || !s.Buckets.Has(bucket):
		return nil, notFound("Not found: Bucket %.200s is none of this server's; -bucket %.200s=FOLDER serves one", bucket, bucket)
	}
	to, err := s.Buckets.Create(uri)
	if err != nil {
		return nil, invalid("Cannot write %.500s: %v", uri, err)
	}
	return to, nil
}

// parquet lets DuckDB write a file, and takes its bytes.
func (s *Service) parquet(x *change, query string, e *api.JobConfigurationExtract, to io.Writer) (err error) {
	f, err := s.tempFile()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	packed := map[string]string{"NONE": "uncompressed", "SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd"}[e.Compression]
	copyTo := "COPY (" + query + ") TO " + quote.Text(f.Name())
	if err := x.duck(copyTo + " (FORMAT parquet, COMPRESSION " + packed + ")"); err != nil {
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
func (s *Service) text(x *change, query string, columns []googlesql.Field, e *api.JobConfigurationExtract,
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
	var wrong error
	var row []byte
	err = raw(x.c, func(n chunked) error {
		return eachRow(x.ctx, n.Raw(), query, func(values []any) bool {
			if row, wrong = line(row[:0], values); wrong != nil {
				return false
			}
			_, wrong = b.Write(append(row, '\n'))
			return wrong == nil
		})
	})
	return errors.Join(err, wrong)
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
