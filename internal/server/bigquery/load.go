package bigquery

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/quote"
)

// prepareLoad checks the description of a load job, and says how it is run.
func (s *Service) prepareLoad(j *job) error {
	l := j.config.Load
	if l.DestinationTable == nil {
		return invalid("Required parameter is missing: configuration.load.destinationTable")
	}
	if err := dispositions(l.CreateDisposition, l.WriteDisposition); err != nil {
		return err
	}
	format := sourceFormat(l)
	switch format {
	case "CSV", "NEWLINE_DELIMITED_JSON", "PARQUET", "AVRO":
	case "ORC", "DATASTORE_BACKUP":
		return unsupported("sourceFormat %s is not read: DuckDB has no reader of it; use CSV, NEWLINE_DELIMITED_JSON or PARQUET", format)
	default:
		return invalid("Invalid value for sourceFormat: %.50s is not a valid value", format)
	}
	switch {
	case l.Encoding != "" && !slices.Contains([]string{"UTF-8", "ISO-8859-1", "UTF-16LE"}, strings.ToUpper(l.Encoding)):
		return unsupported("encoding %.50s is not read, UTF-8, ISO-8859-1 and UTF-16LE are", l.Encoding)
	case strings.EqualFold(l.SourceColumnMatch, "NAME") && format == "CSV":
		return unsupported("sourceColumnMatch NAME is not read; leave the schema out, or name the columns in the file's order")
	}
	if err := checkSchema(l.Schema); err != nil {
		return err
	}
	j.statistics = &api.JobStatistics{Load: &api.JobStatistics3{
		ForceSendFields: []string{"InputFiles", "InputFileBytes", "OutputRows", "OutputBytes", "BadRecords"},
	}}
	j.run = s.runLoad
	return nil
}

// sourceFormat is the format of a load's files. The job shows what its client said.
func sourceFormat(l *api.JobConfigurationLoad) string {
	return strings.ToUpper(cmp.Or(l.SourceFormat, "CSV"))
}

// runLoad reads files into a table: all of their rows, or none.
func (s *Service) runLoad(ctx context.Context, j *job) (err error) {
	defer j.upload.remove()
	l := *j.config.Load
	l.SourceFormat = sourceFormat(&l)
	r := &loading{s: s, j: j, l: &l, stage: quote.Path(Anonymous, "main", newID("load"))}
	if r.to, err = s.destination(ctx, j.project, r.l.DestinationTable, r.l.CreateDisposition,
		cmp.Or(r.l.WriteDisposition, writeAppend)); err != nil {
		return err
	}
	r.to.additions, r.to.settings = r.l.SchemaUpdateOptions, r.settings
	if err := r.schema(ctx); err != nil {
		return err
	}
	if err := r.find(ctx); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+r.stage))
	}()
	switch r.l.SourceFormat {
	case "CSV":
		err = r.csv(ctx)
	case "NEWLINE_DELIMITED_JSON":
		err = r.jsonLines(ctx)
	case "PARQUET":
		err = r.table(ctx, "read_parquet("+quote.Files(r.files)+")")
	case "AVRO":
		err = r.avro(ctx)
	}
	if err != nil {
		return r.wording(ctx, err)
	}
	return r.finish(ctx)
}
