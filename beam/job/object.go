package job

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/serving"
	"github.com/mallardml/mallard/objecttable"
)

// inputs reads the files of an input: those of this machine, and objects of Cloud Storage with the account of the connection "default" of
// the configuration. Objects are read in the generation that was listed, so that one that changes during a job fails its shards.
type inputs struct {
	stores  *serving.Stores
	scratch string // a folder for copies
}

func newInputs(config *mallard.Config, scratch string) inputs {
	return inputs{serving.NewStores(config, func(context.Context) error { return nil }), scratch}
}

// Close ends what reads objects.
func (in inputs) Close() error { return in.stores.Close() }

const scheme = "gs"

// isObject says that a path is an object's URI, of Cloud Storage or of what cannot be read.
func isObject(path string) bool { return strings.Contains(path, "://") }

// list gives the objects of a pattern, in which one * stands for any text, slashes too, as in a URI of BigQuery.
func (in inputs) list(ctx context.Context, uri string) (all []Shard, err error) {
	p, err := objecttable.ParsePattern(uri)
	if err != nil {
		return nil, err
	}
	store, err := in.stores.Store(ctx, scheme, "")
	if err != nil {
		return nil, err
	}
	err = store.List(ctx, p.Bucket, p.Prefix, p.Suffix, []string{"uri", "generation", "size"}, func(page []objecttable.Object) error {
		for _, o := range page {
			_, _, name, err := objecttable.SplitURI(o.URI)
			if err != nil {
				return err
			}
			if p.Match(scheme, p.Bucket, name) && !strings.HasSuffix(name, "/") { // a folder's marker ends so
				all = append(all, Shard{Path: o.URI, Size: o.Size, Stamp: o.Generation})
			}
		}
		return nil
	})
	if err == nil && len(all) == 0 {
		err = errors.New("there is no such object")
	}
	return all, err
}

// open reads the file of a shard from a byte on.
func (in inputs) open(ctx context.Context, sh Shard, at int64) (io.ReadCloser, error) {
	if !isObject(sh.Path) {
		f, err := os.Open(sh.Path)
		if err == nil {
			_, err = f.Seek(at, io.SeekStart)
		}
		return f, err
	}
	_, bucket, name, err := objecttable.SplitURI(sh.Path)
	if err != nil {
		return nil, err
	}
	store, err := in.stores.Store(ctx, scheme, "")
	if err != nil {
		return nil, err
	}
	r, _, err := store.Open(ctx, bucket, name, sh.Stamp, at)
	return r, err
}

// file gives a file of this machine with the rows of a shard, and what removes it where it is a copy. A Parquet file keeps its places: of
// an object only the bytes of the shard's row groups are copied, to where they are in the object, and the rest of the copy is a hole.
func (in inputs) file(ctx context.Context, q querier, f Format, sh Shard) (name string, done func() error, err error) {
	done = func() error { return nil }
	if !isObject(sh.Path) {
		info, err := os.Stat(sh.Path)
		if err != nil {
			return "", done, err
		}
		if info.Size() != sh.Size || info.ModTime().UnixNano() != sh.Stamp {
			return "", done, errors.New("the file was changed since the job began")
		}
		if f == Parquet || sh.End == 0 {
			return sh.Path, done, nil
		}
	}
	return in.copied(sh, func(to *os.File) error {
		switch {
		case sh.End == 0:
			return in.copy(ctx, sh, to, 0, sh.Size)
		case f != Parquet:
			return in.lines(ctx, f, sh, to)
		}
		if err := in.footer(ctx, sh, to); err != nil {
			return err
		}
		groups, err := groupsOf(ctx, q, to.Name())
		for _, g := range groups {
			if err == nil && g.row < sh.End && g.row+g.rows > sh.Begin {
				err = in.copy(ctx, sh, to, g.begin, g.end)
			}
		}
		return err
	})
}

// sample gives a file of this machine by which the columns of a file are told, and for Parquet its row groups.
func (in inputs) sample(ctx context.Context, f Format, sh Shard) (name string, done func() error, err error) {
	if !isObject(sh.Path) {
		return sh.Path, func() error { return nil }, nil
	}
	const enough = 32 << 20 // DuckDB looks at 20,480 lines
	return in.copied(sh, func(to *os.File) error {
		switch {
		case f == Parquet:
			return in.footer(ctx, sh, to)
		case packed(sh.Path) || sh.Size <= enough:
			return in.copy(ctx, sh, to, 0, sh.Size)
		}
		head := sh
		head.End = enough
		return in.lines(ctx, f, head, to)
	})
}

// copied makes a copy with the object's ending, by which DuckDB tells how it is packed.
func (in inputs) copied(sh Shard, fill func(*os.File) error) (name string, done func() error, err error) {
	to, err := os.CreateTemp(in.scratch, "*-"+filepath.Base(sh.Path))
	if err != nil {
		return "", nil, err
	}
	done = func() error { return os.Remove(to.Name()) }
	if err := errors.Join(fill(to), to.Close()); err != nil {
		return "", nil, errors.Join(err, done())
	}
	return to.Name(), done, nil
}

// copy copies bytes of a shard's file to the same place of another.
func (in inputs) copy(ctx context.Context, sh Shard, to *os.File, begin, end int64) error {
	r, err := in.open(ctx, sh, begin)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.NewOffsetWriter(to, begin), io.LimitReader(r, end-begin))
	if at, e := to.Seek(0, io.SeekEnd); err == nil && e == nil && at < end {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// footer copies the end of a Parquet file, which says what is where: https://parquet.apache.org/docs/file-format/.
func (in inputs) footer(ctx context.Context, sh Shard, to *os.File) error {
	const likely, trailer = 256 << 10, 8 // the trailer is the footer's length and PAR1
	begin := max(0, sh.Size-likely)
	if err := in.copy(ctx, sh, to, begin, sh.Size); err != nil {
		return err
	}
	tail := make([]byte, trailer)
	if _, err := to.ReadAt(tail, max(0, sh.Size-trailer)); err != nil || string(tail[4:]) != "PAR1" {
		return cmp.Or(err, errors.New("it is no Parquet file: its last bytes are not PAR1"))
	}
	if at := sh.Size - trailer - int64(binary.LittleEndian.Uint32(tail)); at < begin {
		return in.copy(ctx, sh, to, max(0, at), begin)
	}
	return nil
}

// group is a row group of a Parquet file: its rows, and where its bytes are.
type group struct{ row, rows, begin, end, size int64 }

// groupsOf gives the row groups of a file.
func groupsOf(ctx context.Context, q querier, file string) (all []group, err error) {
	rows, err := q.QueryContext(ctx, `SELECT any_value(row_group_num_rows), min(least(data_page_offset, coalesce(dictionary_page_offset,
		data_page_offset))), max(least(data_page_offset, coalesce(dictionary_page_offset, data_page_offset)) + total_compressed_size),
		sum(total_compressed_size)::BIGINT FROM parquet_metadata(`+quote.Text(file)+`) GROUP BY row_group_id ORDER BY row_group_id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var row int64
	for rows.Next() {
		g := group{row: row}
		if err := rows.Scan(&g.rows, &g.begin, &g.end, &g.size); err != nil {
			return nil, err
		}
		row += g.rows
		all = append(all, g)
	}
	return all, rows.Err()
}

// lines copies a shard's lines out of its file: those that begin within, and of a CSV file the first line, too.
func (in inputs) lines(ctx context.Context, f Format, sh Shard, to io.Writer) error {
	if f == CSV && sh.Begin > 0 {
		if err := in.copyLines(ctx, sh, 0, 1, to); err != nil {
			return err
		}
	}
	return in.copyLines(ctx, sh, sh.Begin, sh.End, to)
}

// copyLines copies the lines that begin from one byte on and before another.
func (in inputs) copyLines(ctx context.Context, sh Shard, begin, end int64, to io.Writer) error {
	at := max(0, begin-1) // a line begins at a byte when the one before ends a line
	file, err := in.open(ctx, sh, at)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 64<<10)
	if begin > 0 {
		n, err := copyLine(io.Discard, r)
		if at += n; err != nil || at >= end {
			return eof(err)
		}
	}
	if n, err := io.CopyN(to, r, end-1-at); err != nil || at+n >= sh.Size {
		return eof(err)
	}
	_, err = copyLine(to, r)
	return eof(err)
}

// copyLine copies what is left of a line, of any length.
func copyLine(to io.Writer, r *bufio.Reader) (n int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		n += int64(len(part))
		if _, failed := to.Write(part); failed != nil {
			return n, failed
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// eof takes the end of a file for what it is: the last line may have no newline.
func eof(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// packed says that a file's lines cannot be found without unpacking it.
func packed(path string) bool {
	return strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst")
}
