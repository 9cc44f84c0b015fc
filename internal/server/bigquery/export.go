package bigquery

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/quote"
)

// export is an object that EXPORT DATA writes: to a file first, which is put into the bucket when it is whole.
type export struct {
	uri  string
	file string
}

// exports puts files in the place of the uris of EXPORT DATA that are those of the server's buckets.
func (s *Service) exports(text string) (string, []export, error) {
	all := lexemes(text)
	var b strings.Builder
	var found []export
	done := 0
	inside := false
	for i, l := range all {
		if l.is("EXPORT") && i+1 < len(all) && all[i+1].is("DATA") {
			inside = true
		}
		if l.is(";") || l.is("SELECT") {
			inside = false
		}
		if !inside || l.text != "'" || i < 2 || !all[i-1].is("=") || !all[i-2].is("uri") {
			continue
		}
		uri := strings.Trim(text[l.at.Pos:l.at.End], `'"`)
		if !strings.HasPrefix(uri, "gs://") {
			continue
		}
		to, err := s.object(uri) // whether it may be written is told before anything runs
		if err != nil {
			return "", found, err
		}
		if err := to.Abort(); err != nil {
			return "", found, err
		}
		f, err := s.tempFile()
		if err != nil {
			return "", found, err
		}
		found = append(found, export{uri, f.Name()})
		if err := f.Close(); err != nil {
			return "", found, err
		}
		b.WriteString(text[done:l.at.Pos] + quote.Text(f.Name()))
		done = l.at.End
	}
	return b.String() + text[done:], found, nil
}

// drop removes the file.
func (x export) drop() { _ = os.Remove(x.file) } // the folder goes with the server

// put puts the file into the bucket.
func (x export) put(ctx context.Context, s *Service) (err error) {
	from, err := os.Open(x.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := s.object(x.uri)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(err, to.Abort())
	}
	_, err = to.Commit(ctx)
	return err
}

// exported puts what a statement has written into its bucket.
func (r *queryRun) exported(ctx context.Context, j *job, text string, rows int64) error {
	for _, x := range r.exports {
		if !strings.Contains(text, x.file) {
			continue
		}
		if err := x.put(ctx, r.s); err != nil {
			return err
		}
	}
	j.change(func() {
		j.statistics.Query.ExportDataStatistics = &api.ExportDataStatistics{FileCount: 1, RowCount: rows}
	})
	return nil
}
