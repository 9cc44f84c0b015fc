package bigquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/server/wire"
)

// queryBody is what the API's generated type cannot tell of a request: whether a number is left out, and the empty STRING from NULL.
type queryBody struct {
	MaxResults      *int64                `json:"maxResults"`
	TimeoutMs       *int64                `json:"timeoutMs"`
	QueryParameters []wire.QueryParameter `json:"queryParameters"`
}

// query is jobs.query.
func (s *Service) query(c *call) (any, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	var in api.QueryRequest
	var given queryBody
	if err := errors.Join(decodeRequest(text, &in), decode(text, &given)); err != nil {
		return nil, err
	}
	optional := in.JobCreationMode == "JOB_CREATION_OPTIONAL"
	switch in.JobCreationMode {
	case "", "JOB_CREATION_MODE_UNSPECIFIED", "JOB_CREATION_REQUIRED", "JOB_CREATION_OPTIONAL":
	default:
		return nil, invalid("Invalid value for jobCreationMode: %.50s is not a valid value", in.JobCreationMode)
	}
	j, err := s.newJob(c, &api.Job{
		JobReference: &api.JobReference{Location: in.Location},
		Configuration: &api.JobConfiguration{
			DryRun: in.DryRun, Labels: in.Labels, JobTimeoutMs: in.JobTimeoutMs,
			Query: &api.JobConfigurationQuery{
				Query: in.Query, UseLegacySql: in.UseLegacySql, DefaultDataset: in.DefaultDataset, QueryParameters: in.QueryParameters,
				ParameterMode: in.ParameterMode, MaximumBytesBilled: in.MaximumBytesBilled, UseQueryCache: in.UseQueryCache,
				ConnectionProperties: in.ConnectionProperties, CreateSession: in.CreateSession, Continuous: in.Continuous,
			},
		},
	}, given.QueryParameters)
	if err != nil {
		return nil, err
	}
	w := rowsWanted{most: -1}
	if given.MaxResults != nil {
		w.most = max(*given.MaxResults, 0)
	}
	if w.timestamps, err = timestampFormat(in.FormatOptions); err != nil {
		return nil, err
	}
	if in.DryRun {
		return s.dryQuery(c, j)
	}
	if j, err = s.jobs.startOnce(j, in.RequestId); err != nil {
		return nil, err
	}
	wait := int64(10_000)
	if given.TimeoutMs != nil {
		wait = min(max(*given.TimeoutMs, 0), maxWait)
	}
	j.wait(c.ctx(), time.Duration(wait)*time.Millisecond)
	r, err := s.results(c, j, w)
	if err != nil {
		return nil, err
	}
	r.Kind = "bigquery#queryResponse"
	if optional {
		s.withoutJob(j, r)
	}
	return r, nil
}

// withoutJob makes the reply to a request of JOB_CREATION_OPTIONAL: a short query whose rows are all there has no job, and any other
// has one for a reason (https://docs.cloud.google.com/bigquery/docs/running-queries#optional-job-creation).
func (s *Service) withoutJob(j *job, r *queryReply) {
	switch {
	case !r.JobComplete:
		r.JobCreationReason.Code = "LONG_RUNNING"
	case r.PageToken != "":
		r.JobCreationReason.Code = "LARGE_RESULTS"
	case j.statistics.Query.StatementType != "SELECT" || r.SessionInfo != nil:
		r.JobCreationReason.Code = "OTHER"
	default:
		r.JobReference, r.JobCreationReason, r.etag = nil, nil, ""
		s.jobs.remove(j)
	}
}

// maxWait is how many milliseconds a reply waits for a job at most, as at Google.
const maxWait = 200_000

// timestampFormat is how TIMESTAMPs are to be written.
func timestampFormat(o *api.DataFormatOptions) (wire.TimestampFormat, error) {
	if o == nil {
		return wire.FloatSeconds, nil
	}
	switch f := o.TimestampOutputFormat; f {
	case "", "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED":
	case "FLOAT64":
		return wire.FloatSeconds, nil
	case "INT64":
		return wire.Int64Micros, nil
	case "ISO8601_STRING":
		return wire.ISO8601, nil
	default:
		return 0, invalid("Invalid value for formatOptions.timestampOutputFormat: %.50q", f)
	}
	if o.UseInt64Timestamp {
		return wire.Int64Micros, nil
	}
	return wire.FloatSeconds, nil
}

// timestamps is timestampFormat of a request's parameters.
func (c *call) timestamps() wire.TimestampFormat {
	f, _ := timestampFormat(&api.DataFormatOptions{ // what is no format is the default
		UseInt64Timestamp: c.flag("formatOptions.useInt64Timestamp"), TimestampOutputFormat: c.param("formatOptions.timestampOutputFormat"),
	})
	return f
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
	j.wait(c.ctx(), time.Duration(min(wait, maxWait))*time.Millisecond)
	w := rowsWanted{most: -1, timestamps: c.timestamps()}
	if most, limited, err := c.number("maxResults"); err != nil {
		return nil, err
	} else if limited {
		w.most = most
	}
	if w.from, err = c.offset(); err != nil {
		return nil, err
	}
	if w.most == 0 && c.wantsFirstPage() && j.finished() && j.result != nil && j.result.bytes < firstPageBytes && j.anonymous() {
		w.most, w.timestamps = -1, wire.Int64Micros
	}
	return s.results(c, j, w)
}

// firstPageBytes is how large a result may be that comes with the first answer.
const firstPageBytes = 1 << 20

// wantsFirstPage reports whether the client is Google's for Python: it asks for no rows first, takes those of a small result all the same,
// and then needs neither another request nor the Storage Read API, which it may not reach. Who names a table for the result reads that:
// DataFrames fail where such a query's rows come with its first answer.
func (c *call) wantsFirstPage() bool {
	return strings.Contains(c.r.Header.Get("X-Goog-Api-Client"), "gl-python/") && c.param("pageToken") == ""
}

// anonymous reports whether the rows of a finished query went to a table that nobody named.
func (j *job) anonymous() bool {
	to := j.config.Query.DestinationTable
	return to != nil && to.DatasetId == Anonymous
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
	from, most int64 // most is -1 for as many as fit
	timestamps wire.TimestampFormat
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
	r.TotalBytesProcessed, r.TotalBytesBilled = st.TotalBytesProcessed, st.TotalBytesBilled
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
		p, err := s.page(c.ctx(), j.result.from(w.from, limitOf(w.most)), j.result.columns, w.most, w.timestamps)
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
	const longest = pageBytes / 8 // a row is longer than that
	if most < 0 {
		return longest
	}
	return min(most, longest)
}
