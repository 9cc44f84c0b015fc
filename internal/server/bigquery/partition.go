package bigquery

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/writer"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// partitionLayouts are the forms of the ids of partitions, by the unit.
var partitionLayouts = map[string]string{"HOUR": "2006010215", "DAY": "20060102", "MONTH": "200601", "YEAR": "2006"}

var partitionDigits = regexp.MustCompile(`^-?[0-9]{1,18}$`)

// partition finds the partition of a table by its id.
func (s *Service) partition(ctx context.Context, r relation, id string) (partition, error) {
	v, err := s.kept(ctx, r.database, r.key())
	if err != nil {
		return partition{}, err
	}
	p := v.Partitioning
	if p == nil || r.kind != "TABLE" {
		return partition{}, invalid("Table %s is not partitioned, and has no partition %.50s", r, id)
	}
	column := p.Column
	if column == "" {
		column = writer.PartitionTime
	}
	if id == "__NULL__" {
		return partition{id: id, rows: quote.Name(column) + " IS NULL"}, nil
	}
	if len(p.Range) == 3 {
		from, err := strconv.ParseInt(id, 10, 64)
		if !partitionDigits.MatchString(id) || err != nil || from < p.Range[0] || from >= p.Range[1] || (from-p.Range[0])%p.Range[2] != 0 {
			return partition{}, invalid("Invalid partition ID %.50q of table %s: they begin at %d, and are %d apart", id, r, p.Range[0],
				p.Range[2])
		}
		rows := fmt.Sprintf("%[1]s >= %[2]d AND %[1]s < %[3]d", quote.Name(column), from, min(from+p.Range[2], p.Range[1]))
		return partition{id: id, rows: rows}, nil
	}
	layout := partitionLayouts[p.Unit]
	from, err := time.Parse(layout, id)
	if err != nil || layout == "" {
		return partition{}, invalid("Invalid partition ID %.50q of table %s, whose partitions are a %s each: it has the form %s", id, r,
			strings.ToLower(p.Unit), layout)
	}
	kind := "TIMESTAMPTZ"
	if p.Column != "" {
		columns, err := s.columns(ctx, r)
		if err != nil {
			return partition{}, err
		}
		for _, c := range columns {
			if strings.EqualFold(c.Name, p.Column) {
				kind = map[googlesql.Kind]string{googlesql.Date: "DATE", googlesql.DateTime: "TIMESTAMP"}[c.Type.Kind]
			}
		}
	}
	out := partition{id: id, rows: quote.Name(column) + " >= " + instantText(from, kind) + " AND " + quote.Name(column) + " < " +
		instantText(next(from, p), kind)}
	if p.Column == "" {
		out.time = instantText(from, kind)
	}
	return out, nil
}

// next is when the partition behind one begins.
func next(from time.Time, p *metadata.Partitioning) time.Time {
	switch p.Unit {
	case "HOUR":
		return from.Add(time.Hour)
	case "MONTH":
		return from.AddDate(0, 1, 0)
	case "YEAR":
		return from.AddDate(1, 0, 0)
	}
	return from.AddDate(0, 0, 1)
}

// instantText writes a time as a constant of DuckDB's; a kind that is "" is a TIMESTAMP.
func instantText(t time.Time, kind string) string {
	switch kind {
	case "DATE":
		return "DATE '" + t.Format(time.DateOnly) + "'"
	case "TIMESTAMP":
		return "TIMESTAMP '" + t.Format(time.DateTime) + "'"
	}
	return "TIMESTAMPTZ '" + t.Format(time.DateTime) + "+00'"
}
