package bigquery

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/dialect"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// prepareQuery checks the description of a query's job, and says how it is run.
func (s *Service) prepareQuery(j *job) error {
	q := j.config.Query
	if strings.TrimSpace(q.Query) == "" {
		return invalid("Required parameter is missing: query")
	}
	if q.UseLegacySql != nil && *q.UseLegacySql && strings.Contains(q.Query, "[") && strings.Contains(q.Query, ":") {
		return unsupported("Legacy SQL is not run: set useLegacySql to false, and write `project.dataset.table` for [project:dataset.table]")
	}
	q.UseLegacySql = new(bool)
	if q.Priority == "" {
		q.Priority = "INTERACTIVE"
	}
	j.statistics = &api.JobStatistics{Query: &api.JobStatistics2{
		ForceSendFields: []string{"TotalBytesProcessed", "TotalBytesBilled", "CacheHit", "BillingTier", "TotalSlotMs"},
	}}
	j.run = s.runQuery
	return nil
}

// runQuery runs the statements of a job.
func (s *Service) runQuery(ctx context.Context, j *job) error {
	q := j.config.Query
	c, err := s.DB.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() {
		// What a statement leaves on its connection, such as temporary tables and the default dataset, is nobody else's.
		_ = c.Raw(func(any) error { return driver.ErrBadConn })
		_ = c.Close()
	}()
	if d := q.DefaultDataset; d != nil {
		if err := s.use(ctx, c, j.project, d); err != nil {
			return err
		}
	}
	statements := dialect.Split(q.Query, mallard.GoogleSQL)
	if len(statements) == 1 && !selects(q.Query, statements[0]) {
		res, err := c.ExecContext(ctx, q.Query)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		j.change(func() { s.changed(j, q.Query[statements[0].Pos:statements[0].End], n) })
		return nil
	}
	name := newID("anon")
	return raw(c, func(n chunked) (err error) {
		chunks, err := n.QueryChunks(mallard.WithStreaming(ctx), q.Query, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, chunks.Close()) }()
		r, err := s.keep(ctx, chunks, name)
		if err != nil {
			return err
		}
		j.change(func() {
			j.result = r
			j.statistics.Query.StatementType = "SELECT"
			if q.DestinationTable == nil {
				q.DestinationTable = &api.TableReference{ProjectId: j.project, DatasetId: Anonymous, TableId: name}
				q.WriteDisposition = "WRITE_TRUNCATE"
			}
		})
		return nil
	})
}

// use makes a dataset the one of names without a dataset.
func (s *Service) use(ctx context.Context, c *sql.Conn, project string, d *api.DatasetReference) error {
	if d.ProjectId != "" {
		project = d.ProjectId
	}
	place, err := s.dataset(ctx, project, d.DatasetId)
	if err != nil {
		return err
	}
	_, err = c.ExecContext(ctx, "USE "+quote.Path(place.database, place.name))
	return err
}

// selects reports whether a statement is a query.
func selects(src string, st dialect.Statement) bool {
	node, err := dialect.Parse(src, st)
	if err != nil {
		return true // running it tells what is wrong
	}
	if _, ok := node.(*dialect.Query); !ok {
		return false
	}
	switch firstWord(src[st.Pos:st.End]) {
	case "SELECT", "WITH", "FROM", "(":
		return true
	}
	return false
}

// firstWord is the first keyword of a statement, upper-case, behind comments.
func firstWord(text string) string {
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		switch {
		case strings.HasPrefix(text, "--"), strings.HasPrefix(text, "#"):
			_, text, _ = strings.Cut(text, "\n")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
		case strings.HasPrefix(text, "("):
			return "("
		default:
			end := strings.IndexFunc(text, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' })
			if end < 0 {
				end = len(text)
			}
			return strings.ToUpper(text[:end])
		}
	}
}

// changed notes what a statement that is no query has done.
func (s *Service) changed(j *job, text string, n int64) {
	st := j.statistics.Query
	switch word := firstWord(text); word {
	case "INSERT", "UPDATE", "DELETE", "MERGE":
		st.StatementType, st.NumDmlAffectedRows = word, n
		st.ForceSendFields = append(st.ForceSendFields, "NumDmlAffectedRows")
	default:
		st.StatementType = word
	}
}

// query is jobs.query.
func (s *Service) query(c *call) (any, error) {
	var in api.QueryRequest
	if err := c.body(&in); err != nil {
		return nil, err
	}
	j, err := s.newJob(c, &api.Job{
		JobReference: &api.JobReference{Location: in.Location},
		Configuration: &api.JobConfiguration{
			DryRun: in.DryRun, Labels: in.Labels, JobTimeoutMs: in.JobTimeoutMs,
			Query: &api.JobConfigurationQuery{
				Query: in.Query, UseLegacySql: in.UseLegacySql, DefaultDataset: in.DefaultDataset, QueryParameters: in.QueryParameters,
				ParameterMode: in.ParameterMode, MaximumBytesBilled: in.MaximumBytesBilled, UseQueryCache: in.UseQueryCache,
				ConnectionProperties: in.ConnectionProperties, CreateSession: in.CreateSession,
			},
		},
	})
	if err != nil {
		return nil, err
	}
	if err := s.jobs.start(j); err != nil {
		return nil, err
	}
	wait := 10 * time.Second
	if in.TimeoutMs > 0 {
		wait = time.Duration(in.TimeoutMs) * time.Millisecond
	}
	j.wait(c.ctx(), wait)
	most := int64(-1)
	if in.MaxResults > 0 {
		most = in.MaxResults
	}
	r, err := s.results(c, j, rowsWanted{most: most, int64Timestamp: in.FormatOptions != nil && in.FormatOptions.UseInt64Timestamp})
	if err != nil {
		return nil, err
	}
	r.Kind = "bigquery#queryResponse"
	return r, nil
}

// getQueryResults is jobs.getQueryResults.
func (s *Service) getQueryResults(c *call) (any, error) {
	j, err := s.jobs.find(c.project(), c.path("jobId"), c.param("location"))
	if err != nil {
		return nil, err
	}
	if j.config.Query == nil {
		return nil, invalid("Job %s is no query", j.id)
	}
	wait, given, err := c.number("timeoutMs")
	if err != nil {
		return nil, err
	}
	if !given {
		wait = 10_000
	}
	j.wait(c.ctx(), time.Duration(min(wait, 200_000))*time.Millisecond)
	w := rowsWanted{most: -1, int64Timestamp: c.flag("formatOptions.useInt64Timestamp")}
	if most, limited, err := c.number("maxResults"); err != nil {
		return nil, err
	} else if limited {
		w.most = most
	}
	if w.from, err = c.offset(); err != nil {
		return nil, err
	}
	return s.results(c, j, w)
}

// offset is the row that a page begins with.
func (c *call) offset() (int64, error) {
	if token := c.param("pageToken"); token != "" {
		n, err := strconv.ParseInt(token, 10, 64)
		if err != nil || n < 0 {
			return 0, invalid("Invalid page token %.50q", token)
		}
		return n, nil
	}
	n, _, err := c.number("startIndex")
	return n, err
}

// rowsWanted is the page that a reply shows.
type rowsWanted struct {
	from, most     int64 // most is -1 for as many as fit
	int64Timestamp bool
}

// queryReply is QueryResponse with rows that are JSON already.
type queryReply struct {
	*api.QueryResponse
	etag string
	rows []byte
}

// MarshalJSON puts the rows behind the other fields.
func (r *queryReply) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(r.QueryResponse)
	if err != nil {
		return nil, err
	}
	if r.etag != "" {
		text = append(text[:len(text)-1], fmt.Sprintf(`,"etag":%q}`, r.etag)...)
	}
	if r.rows == nil {
		return text, nil
	}
	text = append(text[:len(text)-1], `,"rows":`...)
	return append(append(text, r.rows...), '}'), nil
}

// results is the reply about the rows of a job.
func (s *Service) results(c *call, j *job, w rowsWanted) (*queryReply, error) {
	r := &queryReply{QueryResponse: &api.QueryResponse{
		Kind: "bigquery#getQueryResultsResponse", JobComplete: j.finished(), QueryId: j.id, Location: j.location,
		JobReference:      &api.JobReference{ProjectId: j.project, JobId: j.id, Location: j.location},
		JobCreationReason: &api.JobCreationReason{Code: "REQUESTED"},
		CreationTime:      j.created.UnixMilli(),
		ForceSendFields:   []string{"JobComplete", "TotalBytesProcessed", "CacheHit"},
	}}
	if !j.finished() {
		return r, nil
	}
	if j.fault != nil {
		return nil, j.fault
	}
	r.StartTime, r.EndTime = j.started.UnixMilli(), j.ended.UnixMilli()
	r.etag = etag(r.JobReference)
	st := j.statistics.Query
	r.DmlStats, r.SessionInfo = st.DmlStats, j.statistics.SessionInfo
	if st.DmlStats != nil || st.NumDmlAffectedRows > 0 {
		r.NumDmlAffectedRows = st.NumDmlAffectedRows
		r.ForceSendFields = append(r.ForceSendFields, "NumDmlAffectedRows")
	}
	r.ForceSendFields = append(r.ForceSendFields, "TotalRows", "TotalBytesBilled")
	if j.result == nil {
		r.Schema = &api.TableSchema{}
		return r, nil
	}
	r.Schema, r.TotalRows = wire.Schema(j.result.columns), uint64(j.result.rows)
	if j.result.table == "" || w.from >= j.result.rows {
		return r, nil
	}
	next := w.from
	if w.most != 0 {
		p, err := s.page(c.ctx(), fmt.Sprintf("SELECT * FROM %s LIMIT %d OFFSET %d", j.result.table, limitOf(w.most), w.from),
			j.result.columns, w.most, w.int64Timestamp)
		if err != nil {
			return nil, err
		}
		r.rows = p.text
		next += p.rows
	}
	if next < j.result.rows {
		r.PageToken = strconv.FormatInt(next, 10)
	}
	return r, nil
}

// limitOf is the LIMIT of a page.
func limitOf(most int64) int64 {
	if most < 0 {
		return pageBytes / 8 // a row is longer than that
	}
	return most
}
