package bigquery

import (
	"context"
	"database/sql"
	"slices"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/logicalbytes"
)

// unknown is the accuracy of an estimate that may be too low or too high.
const unknown = "UNKNOWN"

// scanned adds the bytes of the columns that a statement reads, as BigQuery counts them
// (https://docs.cloud.google.com/bigquery/docs/best-practices-costs#estimate-query-costs).
func (s *Service) scanned(ctx context.Context, scans []extension.Scan, whole bool, stats *api.JobStatistics2) error {
	if !whole {
		stats.TotalBytesProcessedAccuracy = "LOWER_BOUND"
	}
	for _, scan := range scans {
		if len(scan.Table) != 3 || scan.Table[0] == "temp" { // another connection's
			stats.TotalBytesProcessedAccuracy = "LOWER_BOUND"
			continue
		}
		r := relation{schema: schema{database: scan.Table[0], name: scan.Table[1]}, table: scan.Table[2], kind: "TABLE"}
		columns, err := s.columns(ctx, r)
		if err != nil {
			return err
		}
		if columns = logicalbytes.Of(columns, scan.Columns); len(columns) == 0 {
			continue
		}
		var t api.Table
		if err := s.duck(ctx, func(c *sql.Conn) error { return r.count(ctx, c, columns, &t) }); err != nil {
			return err
		}
		if t.NumRows > logicalbytes.Exact {
			stats.TotalBytesProcessedAccuracy = unknown
		}
		stats.TotalBytesProcessed += t.NumBytes
	}
	return nil
}

// Bytes are billed by the MiB, and as 10 of them at least, for each table that is read and for each query
// (https://cloud.google.com/bigquery/pricing#overview_of_on-demand_compute_pricing).
const (
	billedUnit  = 1 << 20
	billedLeast = 10 << 20
)

// reads notes what a statement of a job will read, and ends a job that may not read so much.
func (r *queryRun) reads(ctx context.Context, scans []extension.Scan, whole bool) error {
	var found api.JobStatistics2
	if err := r.s.scanned(ctx, scans, whole, &found); err != nil {
		return nil // a table of a transaction that others do not see: what is known stays
	}
	var billed int64
	if found.TotalBytesProcessed > 0 {
		billed = max(billedLeast*int64(len(scans)), (found.TotalBytesProcessed+billedUnit-1)/billedUnit*billedUnit)
	}
	if most := r.j.config.Query.MaximumBytesBilled; most > 0 && billed > most && found.TotalBytesProcessed > most {
		return fault(403, "bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or higher required.", most, billed)
	}
	for _, j := range slices.Compact([]*job{r.j, r.current}) { // the script's and the statement's, which may be one
		j.change(func() {
			q := j.statistics.Query
			q.TotalBytesProcessed, q.TotalBytesBilled = q.TotalBytesProcessed+found.TotalBytesProcessed, q.TotalBytesBilled+billed
		})
	}
	return nil
}
