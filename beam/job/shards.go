package job

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
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
func (s *Spec) Cut(ctx context.Context, patterns []string, c Cutting) (shards []Shard, err error) {
	scratch, err := os.MkdirTemp("", "mallard-beam-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	config, err := s.config(scratch)
	if err != nil {
		return nil, err
	}
	in := newInputs(config, scratch)
	defer func() { err = errors.Join(err, in.Close()) }()
	files, err := in.glob(ctx, patterns)
	if err != nil {
		return nil, err
	}
	if s.Format, err = formatOf(files, c.Format); err != nil {
		return nil, err
	}
	connector, err := mallard.NewConnector("", mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	for i, whole := range files {
		cut, err := s.cut(ctx, in, db, whole, c, i == 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", whole.Path, err)
		}
		shards = append(shards, cut...)
	}
	digest := sha256.New()
	for i := range shards {
		shards[i].Index = i
		fmt.Fprintf(digest, "%s\x00%d %d %d %d\n", shards[i].Path, shards[i].Size, shards[i].Stamp, shards[i].Begin, shards[i].End)
	}
	s.Shards, s.Inputs = len(shards), hex.EncodeToString(digest.Sum(nil))
	return shards, nil
}

// formatOf tells the format of files, which they share, unless it is given.
func formatOf(files []Shard, given Format) (Format, error) {
	if given != "" {
		return given, nil
	}
	first, err := FormatOf(files[0].Path)
	for _, f := range files {
		if of, e := FormatOf(f.Path); e != nil {
			return "", e
		} else if of != first {
			return "", fmt.Errorf("%s is %s and %s is %s: the files of an input have one format; give -input-format",
				files[0].Path, first, f.Path, of)
		}
	}
	return first, err
}

// cut cuts a file into parts where it is large, and finds the columns of the first.
func (s *Spec) cut(ctx context.Context, in inputs, q querier, whole Shard, c Cutting, first bool) (parts []Shard, err error) {
	large := c.Size > 0 && whole.Size > c.Size
	if first || large && s.Format == Parquet {
		file, done, err := in.sample(ctx, s.Format, whole)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, done()) }()
		if first {
			if s.Columns, err = columnsOf(ctx, q, reader(s.Format, file, nil)); err != nil {
				return nil, err
			}
		}
		if large && s.Format == Parquet {
			return rowGroups(ctx, q, whole, file, c.Size)
		}
	}
	if !large || packed(whole.Path) || s.Format == Parquet || s.Format == CSV && !c.CSVLines {
		return []Shard{whole}, nil
	}
	for at := int64(0); at < whole.Size; at += c.Size {
		part := whole
		part.Begin, part.End = at, min(at+c.Size, whole.Size)
		parts = append(parts, part)
	}
	return parts, nil
}

// rowGroups gathers the row groups of a file into parts of about size bytes. file is the file, or what in.sample gives for it.
func rowGroups(ctx context.Context, q querier, whole Shard, file string, size int64) (parts []Shard, err error) {
	groups, err := groupsOf(ctx, q, file)
	if err != nil {
		return nil, err
	}
	part := whole
	var held int64
	for _, g := range groups {
		if held > 0 && held+g.size > size {
			part.End = g.row
			parts = append(parts, part)
			part.Begin, held = g.row, 0
		}
		part.End, held = g.row+g.rows, held+g.size
	}
	if part.Begin == 0 {
		part.End = 0 // one part is the whole file
	}
	return append(parts, part), nil
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
