package bigquery

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// partitionsSummary ends the name of the table of a table's partitions, which clients list to know them
// (https://docs.cloud.google.com/bigquery/docs/managing-partitioned-tables#get_partition_metadata_using_meta-tables).
const partitionsSummary = "$__PARTITIONS_SUMMARY__"

var (
	summaryText = googlesql.Type{Kind: googlesql.String}
	summaryTime = googlesql.Type{Kind: googlesql.Int64} // in milliseconds
)

var summaryColumns = []googlesql.Field{
	{Name: "project_id", Type: summaryText}, {Name: "dataset_id", Type: summaryText},
	{Name: "table_id", Type: summaryText}, {Name: "partition_id", Type: summaryText},
	{Name: "creation_time", Type: summaryTime}, {Name: "last_modified_time", Type: summaryTime},
}

// summary gives the table of the partitions that a table has: its resource, and its rows in parentheses; ok is false for another name.
func (s *Service) summary(c *call) (t *api.Table, rows string, ok bool, err error) {
	name, ok := strings.CutSuffix(c.path("tableId"), partitionsSummary)
	if !ok {
		return nil, "", false, nil
	}
	r, err := s.relation(c.ctx(), c.project(), c.path("datasetId"), name)
	if err != nil {
		return nil, "", true, err
	}
	v, err := s.kept(c.ctx(), r.database, r.key())
	if err != nil {
		return nil, "", true, err
	}
	if v.Partitioning == nil || r.kind != "TABLE" {
		return nil, "", true, invalid("Table %s is not partitioned, and has no table of partitions", r)
	}
	ids, err := s.partitionIDs(c.ctx(), r)
	if err != nil {
		return nil, "", true, err
	}
	all := []string{"(NULL, NULL, NULL, NULL, NULL::BIGINT, NULL::BIGINT)"}
	for _, id := range ids {
		all = append(all, fmt.Sprintf("(%s, %s, %s, %s, %d, %d)", quote.Text(r.project), quote.Text(r.dataset), quote.Text(r.table),
			quote.Text(id), millis(v.Created), max(millis(v.Modified), millis(v.Created))))
	}
	names := make([]string, len(summaryColumns))
	for i, f := range summaryColumns {
		names[i] = f.Name
	}
	rows = "(SELECT * FROM (VALUES " + strings.Join(all, ", ") + ") AS t(" + strings.Join(names, ", ") + ") WHERE table_id IS NOT NULL)"
	r.table += partitionsSummary
	return &api.Table{
		Kind: "bigquery#table", Id: r.String(), TableReference: r.reference(), Type: "TABLE", Schema: wire.Schema(summaryColumns),
		Location: s.Location, CreationTime: millis(v.Created), NumRows: uint64(len(ids)), ForceSendFields: []string{"NumRows", "NumBytes"},
	}, rows, true, nil
}

// partitionIDs are the partitions that a table has rows of.
func (s *Service) partitionIDs(ctx context.Context, r relation) (ids []string, err error) {
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	query := "SELECT partition_id FROM " + googlesql.QuoteName(r.project) + "." + googlesql.QuoteName(r.dataset) +
		".INFORMATION_SCHEMA.PARTITIONS WHERE table_name = @name AND partition_id IS NOT NULL ORDER BY 1"
	rows, err := c.QueryContext(ctx, query, sql.Named("name", r.table))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err tells
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
