package job

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/quote"
)

// Cutting says how files are cut into shards.
type Cutting struct {
	Format   Format // "" is told by the files' names
	Size     int64  // bytes from which a file is cut, and of a part; 0 never cuts
	CSVLines bool   // no value of the CSV files holds a newline, so that they may be cut, too
}

// Cut lists the files of patterns, cuts large ones and finds the columns of the first. Parquet is cut between row groups, JSON lines
// between lines. Only the files that are cut are opened, so that a list of 100,000 takes no longer than their directory.
func (s *Spec) Cut(ctx context.Context, patterns []string, c Cutting) ([]Shard, error) {
	files, err := glob(patterns)
	if err != nil {
		return nil, err
	}
	if s.Format = c.Format; s.Format == "" {
		if s.Format, err = FormatOf(files[0]); err != nil {
			return nil, err
		}
		for _, f := range files {
			if of, err := FormatOf(f); err != nil {
				return nil, err
			} else if of != s.Format {
				return nil, fmt.Errorf("%s is %s and %s is %s: the files of an input have one format; give -input-format", files[0], s.Format, f, of)
			}
		}
	}
	connector, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if s.Columns, err = columnsOf(ctx, db, reader(s.Format, files[0], nil)); err != nil {
		return nil, fmt.Errorf("%s: %w", files[0], err)
	}
	var shards []Shard
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return nil, err
		}
		whole := Shard{Path: f, Size: info.Size(), Stamp: info.ModTime().UnixNano()}
		parts := []Shard{whole}
		packed := strings.HasSuffix(f, ".gz") || strings.HasSuffix(f, ".zst")
		switch {
		case c.Size <= 0 || info.Size() <= c.Size:
		case s.Format == Parquet:
			if parts, err = rowGroups(ctx, db, whole, c.Size); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		case !packed && (s.Format == JSON || c.CSVLines):
			parts = nil
			for at := int64(0); at < whole.Size; at += c.Size {
				part := whole
				part.Begin, part.End = at, min(at+c.Size, whole.Size)
				parts = append(parts, part)
			}
		}
		shards = append(shards, parts...)
	}
	digest := sha256.New()
	for i := range shards {
		shards[i].Index = i
		fmt.Fprintf(digest, "%s\x00%d %d %d %d\n", shards[i].Path, shards[i].Size, shards[i].Stamp, shards[i].Begin, shards[i].End)
	}
	s.Shards, s.Inputs = len(shards), hex.EncodeToString(digest.Sum(nil))
	return shards, nil
}

// rowGroups gathers the row groups of a file into parts of about size bytes.
func rowGroups(ctx context.Context, db *sql.DB, whole Shard, size int64) (parts []Shard, err error) {
	rows, err := db.QueryContext(ctx, `SELECT any_value(row_group_num_rows), sum(total_compressed_size)::BIGINT
		FROM parquet_metadata(`+quote.Text(whole.Path)+`) GROUP BY row_group_id ORDER BY row_group_id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	part := whole
	var at, held int64
	for rows.Next() {
		var n, bytes int64
		if err := rows.Scan(&n, &bytes); err != nil {
			return nil, err
		}
		if held > 0 && held+bytes > size {
			part.End = at
			parts = append(parts, part)
			part.Begin, held = at, 0
		}
		at, held = at+n, held+bytes
	}
	part.End = at
	if part.Begin == 0 {
		part.End = 0 // one part is the whole file
	}
	return append(parts, part), rows.Err()
}

// querier is a connection or a database.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// columnsOf describes a relation.
func columnsOf(ctx context.Context, q querier, relation string) (all []Column, err error) {
	rows, err := q.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE FROM "+relation+")")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Column
		if err := rows.Scan(&c.Name, &c.Type); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// reader is the relation of a file's rows. columns, where they are known, are what text is read as.
func reader(f Format, file string, columns []Column) string {
	types := make([]string, len(columns))
	for i, c := range columns {
		types[i] = quote.Text(c.Name) + ": " + quote.Text(c.Type)
	}
	with := strings.Join(types, ", ")
	switch {
	case f == Parquet:
		return "read_parquet(" + quote.Text(file) + ", file_row_number = false)"
	case f == CSV && with == "":
		return "read_csv(" + quote.Text(file) + ", header = true)"
	case f == CSV:
		return "read_csv(" + quote.Text(file) + ", header = true, types = {" + with + "})"
	case with == "":
		return "read_json(" + quote.Text(file) + ", format = 'newline_delimited')"
	}
	return "read_json(" + quote.Text(file) + ", format = 'newline_delimited', columns = {" + with + "})"
}

// source is the relation of a shard's rows, without a check of its columns.
func (s *Spec) source(sh Shard, file string) string {
	if s.Format == Parquet && sh.End > 0 {
		return fmt.Sprintf("(SELECT * EXCLUDE (file_row_number) FROM read_parquet(%s, file_row_number = true) WHERE file_row_number >= %d AND "+
			"file_row_number < %d)", quote.Text(file), sh.Begin, sh.End)
	}
	return reader(s.Format, file, s.Columns)
}

// lines copies a shard's lines out of its file: those that begin within, and of a CSV file the first line, too.
func (s *Spec) lines(sh Shard, out io.Writer) error {
	f, err := os.Open(sh.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if s.Format == CSV && sh.Begin > 0 {
		if err := copyLine(out, f); err != nil {
			return err
		}
	}
	begin, err := lineFrom(f, sh.Begin)
	if err != nil {
		return err
	}
	end, err := lineFrom(f, sh.End)
	if err != nil {
		return err
	}
	if _, err := f.Seek(begin, io.SeekStart); err != nil {
		return err
	}
	_, err = io.CopyN(out, f, max(0, end-begin))
	return err
}

// lineFrom gives the place at or after a byte where a line begins.
func lineFrom(f *os.File, at int64) (int64, error) {
	if at == 0 {
		return 0, nil
	}
	at-- // a line begins here when the byte before ends one
	buf := make([]byte, 64<<10)
	for {
		n, err := f.ReadAt(buf, at)
		if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return at, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// copyLine copies a file's first line.
func copyLine(out io.Writer, f *os.File) error {
	end, err := lineFrom(f, 1)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(f, 0, end))
	return err
}

// differs tells how the columns of a shard differ from those of the job; "" when they do not. Their order does not count.
func differs(want, got []Column) string {
	have := map[string]string{}
	for _, c := range got {
		have[c.Name] = c.Type
	}
	for _, c := range want {
		t, ok := have[c.Name]
		switch {
		case !ok:
			return fmt.Sprintf("it has no column `%s` (%s), which the first file has", c.Name, c.Type)
		case t != c.Type:
			return fmt.Sprintf("its column `%s` is %s, and %s in the first file", c.Name, t, c.Type)
		}
		delete(have, c.Name)
	}
	for _, c := range got {
		if _, more := have[c.Name]; more {
			return fmt.Sprintf("it has a column `%s` (%s), which the first file does not have", c.Name, c.Type)
		}
	}
	return ""
}
