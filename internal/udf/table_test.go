package udf

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// series is series(n): its columns are i BIGINT, t VARCHAR and l BIGINT[].
type series struct {
	n    int64
	fail string
	seen *scans
}

// scans counts what becomes of scans.
type scans struct {
	begun, closed, fills atomic.Int64
	columns              atomic.Pointer[[]int] // of the last
}

func (s *series) Columns() []Field {
	return []Field{{"i", Of(mapping.TypeBigInt)}, {"t", Of(mapping.TypeVarchar)}, {"l", ListOf(Of(mapping.TypeBigInt))}}
}

func (s *series) Scan(columns []int) (Scan, error) {
	switch s.fail {
	case "scan":
		return nil, errors.New("told to fail in Scan")
	case "scan panics":
		panic("boom")
	case "scan forgets":
		return nil, nil
	}
	s.seen.begun.Add(1)
	c := slices.Clone(columns)
	s.seen.columns.Store(&c)
	return &seriesScan{series: s, columns: c}, nil
}

type seriesScan struct {
	*series
	columns []int
	next    int64
}

func (s *seriesScan) Fill(chunk mapping.DataChunk) error {
	s.seen.fills.Add(1)
	if s.next > 0 {
		switch s.fail {
		case "fill":
			return errors.New("told to fail in Fill")
		case "fill panics":
			panic("boom")
		}
	}
	n := int(min(s.n-s.next, int64(mapping.VectorSize())))
	for k, c := range s.columns {
		if c < 0 {
			continue
		}
		v := mapping.DataChunkGetVector(chunk, mapping.IdxT(k))
		for row := range n {
			i := s.next + int64(row)
			switch c {
			case 0:
				*At[int64](mapping.VectorGetData(v), row) = i
			case 1:
				if i%10 == 0 {
					SetNull(v, row)
				} else if err := SetText(v, row, fmt.Sprintf("row %d", i)); err != nil {
					return err
				}
			case 2:
				first, err := SetList(v, row, 2)
				if err != nil {
					return err
				}
				data := mapping.VectorGetData(mapping.ListVectorGetChild(v))
				*At[int64](data, first), *At[int64](data, first+1) = i, -i
			}
		}
	}
	s.next += int64(n)
	mapping.DataChunkSetSize(chunk, mapping.IdxT(n))
	return nil
}

func (s *seriesScan) Close() {
	s.seen.closed.Add(1)
	if s.fail == "close panics" {
		panic("boom")
	}
}

func newSeries(seen *scans) *Table {
	text := Of(mapping.TypeVarchar)
	return &Table{Name: "series", Params: []Type{text, text}, Bind: func(b *TableBinding) (Relation, error) {
		if b.Conn == 0 {
			return nil, errors.New("no connection")
		}
		text, ok := b.Text(0)
		if !ok {
			return nil, errors.New("the number of rows is NULL")
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, err
		}
		fail, _ := b.Text(1)
		switch fail {
		case "bind panics":
			panic("boom")
		case "bind forgets":
			return nil, nil
		}
		b.Estimate(uint64(n))
		return &series{n, fail, seen}, nil
	}}
}

func TestTable(t *testing.T) {
	var seen scans
	b := newBed(t, newSeries(&seen))
	columns := func(want ...int) {
		t.Helper()
		if got := *seen.columns.Load(); !slices.Equal(got, want) {
			t.Errorf("columns %v were scanned, want %v", got, want)
		}
	}
	b.want("0|NULL|[0 0]\n1|row 1|[1 -1]", `SELECT * FROM series('2', '')`)
	columns(0, 1, 2)
	b.want("5000|4500|12497500|0", `SELECT count(*), count(t), sum(i), count(*) FILTER (t <> 'row ' || i OR l <> [i, -i]) FROM series('5000', NULL)`)
	b.want("row 4999", `SELECT t FROM series('5000', '') ORDER BY l[1] DESC LIMIT 1`)
	b.want("5000", `SELECT count(*) FROM series('5000', '')`)
	columns(0)
	b.want("row 9999", `SELECT max(t) FROM series(?, '')`, "10000")
	columns(1)
	b.want("0", `SELECT count(i) FROM series('0', '')`)
	b.want("10|45", `SELECT count(*), sum(y.i) FROM series('5000', '') x JOIN series('10', '') y ON x.i = y.i * 100`)
	seen.fills.Store(0)
	b.want("row 1", `SELECT t FROM series('1000000000', '') WHERE t IS NOT NULL LIMIT 1`)
	if n := seen.fills.Load(); n > 100 {
		t.Errorf("LIMIT 1 filled %d chunks", n)
	}
	for _, tt := range []struct{ fail, want string }{
		{"scan", "told to fail in Scan"}, {"scan panics", ErrPanic.Error() + ": boom"}, {"scan forgets", "the scan is nothing"},
		{"fill", "told to fail in Fill"}, {"fill panics", ErrPanic.Error() + ": boom"},
		{"bind panics", "Binder Error: " + ErrPanic.Error() + ": boom"}, {"bind forgets", ErrPanic.Error()},
	} {
		b.wantError(tt.want, `SELECT count(i) FROM series('5000', '`+tt.fail+`')`)
	}
	b.wantError("Binder Error: the number of rows is NULL", `SELECT * FROM series(NULL, '')`)
	b.want("3", `SELECT count(i) FROM series('3', 'close panics')`)
	stmt, err := b.Prepare(`SELECT count(i) FROM series(?, '')`)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"3", "5000", "0"} {
		var got string
		if err := stmt.QueryRow(n).Scan(&got); err != nil || got != n {
			t.Errorf("prepared: got %s, %v, want %s", got, err, n)
		}
	}
	if err := stmt.Close(); err != nil {
		t.Fatal(err)
	}
	if begun, closed := seen.begun.Load(), seen.closed.Load(); begun != closed || begun == 0 {
		t.Errorf("%d scans were begun and %d closed", begun, closed)
	}
}

func TestEstimate(t *testing.T) {
	var seen scans
	b := newBed(t, newSeries(&seen))
	var kind, plan string
	if err := b.QueryRow(`EXPLAIN SELECT i FROM series('123456', '')`).Scan(&kind, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "123,456 rows") {
		t.Errorf("the planner does not expect 123,456 rows:\n%s", plan)
	}
}
