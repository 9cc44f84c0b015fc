package bigquery

import (
	"context"
	"errors"
	"slices"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/server/wire"
)

// dryRun says what a job would do: no model is asked, and nothing changes.
func (s *Service) dryRun(ctx context.Context, j *job) error {
	now := time.Now()
	j.created, j.started, j.done = now, now, make(chan struct{})
	defer func() { j.ended = time.Now(); close(j.done) }()
	if j.config.Query == nil {
		return nil // its description was checked
	}
	q := j.config.Query
	stats := j.statistics.Query
	stats.TotalBytesProcessedAccuracy = "PRECISE"
	args, err := arguments(q.ParameterMode, j.parameters)
	if err != nil {
		return err
	}
	c, in, done, err := s.connection(ctx, j)
	if err != nil {
		return err
	}
	defer done()
	text, err := in.rewrite(q.Query)
	if err != nil {
		return err
	}
	all := split(text)
	for _, st := range all {
		if dialect.Control(text, st) != nil { // what its variables are is known when it runs
			stats.StatementType = "SCRIPT"
			return nil
		}
	}
	if q.DestinationTable != nil {
		if _, err := s.destination(ctx, j.project, q.DestinationTable, q.CreateDisposition, q.WriteDisposition); err != nil {
			return err
		}
	}
	var found []mallard.Analysis
	err = c.Raw(func(dc any) error {
		n, ok := dc.(stepper)
		if !ok {
			return errors.New("the connection analyzes nothing")
		}
		found, err = n.AnalyzeSteps(ctx, text, args)
		return err
	})
	if err != nil {
		return s.missing(ctx, j, err)
	}
	if len(all) != 1 {
		stats.StatementType = "SCRIPT"
		return nil
	}
	st := shape(text[all[0].Pos:all[0].End])
	run := &queryRun{s: s, j: j, into: in}
	stats.StatementType, stats.ReferencedTables = st.kind, run.referenced(j, extension.Step{Source: text, Statement: all[0]})
	if st.kind != "SELECT" {
		if slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "MERGE", "CREATE_TABLE_AS_SELECT", "EXPORT_DATA", "CALL"}, st.kind) {
			stats.TotalBytesProcessedAccuracy = unknown // what rows a change reads is not counted
		}
		run.changed(j, st, 0, operationOf(st))
		stats.NumDmlAffectedRows, stats.DmlStats = 0, nil
		return nil
	}
	for _, a := range found {
		if stats.Schema, err = schemaOf(a.Columns); err != nil {
			return err
		}
		if err := s.scanned(ctx, a.Scans, a.ScansAll, stats); err != nil {
			return err
		}
		estimate(a.Remote, stats)
	}
	return nil
}

// operationOf is what a definition does where nothing is known of what is there.
func operationOf(st statement) string {
	if st.object == "" {
		return ""
	}
	return (&queryRun{}).operation(context.Background(), nil, statement{kind: st.kind})
}

func schemaOf(columns []mallard.Column) (*api.TableSchema, error) {
	fields := make([]googlesql.Field, len(columns))
	for i, c := range columns {
		if c.Err != nil && c.DuckDB != "NULL" && c.DuckDB != `"NULL"` {
			return nil, fault(400, "invalidQuery", "column %s: %v", c.Name, c.Err)
		}
		fields[i] = googlesql.Field{Name: c.Name, Type: c.Type}
		if c.Type.Kind == 0 {
			fields[i].Type.Kind = googlesql.Int64
		}
	}
	return wire.Schema(fields), nil
}

// estimate tells what a query would ask of remote models: their input and output in bytes is what it processes.
func estimate(calls []mallard.RemoteEstimate, stats *api.JobStatistics2) {
	for _, e := range calls {
		bytes := (e.InputTokens + e.OutputTokens) * bytesOfToken
		stats.TotalBytesProcessed += bytes
		if stats.TotalBytesProcessedAccuracy == "PRECISE" {
			stats.TotalBytesProcessedAccuracy = "UPPER_BOUND"
		}
		stats.ExternalServiceCosts = append(stats.ExternalServiceCosts, &api.ExternalServiceCost{
			ExternalService: e.Func + " " + e.Model, BytesProcessed: bytes, BillingMethod: "TOKENS"})
	}
}

// dryJob is the reply of jobs.insert to a dry run.
func (s *Service) dryJob(c *call, j *job) (any, error) {
	if err := s.dryRun(c.ctx(), j); err != nil {
		return nil, err
	}
	r := j.resource(c)
	r.JobReference.JobId, r.Id, r.SelfLink = "", j.project+":"+j.location+".",
		selfLink(c, "/projects/%s/jobs/?location=%s", j.project, j.location)
	if q := r.Configuration.Query; q != nil && q.DestinationTable == nil && j.statistics.Query.StatementType == "SELECT" {
		q.DestinationTable = &api.TableReference{ProjectId: j.project, DatasetId: Anonymous, TableId: newID("anon")}
		q.WriteDisposition = writeTruncate
	}
	return r, nil
}

// dryQuery is the reply of jobs.query to a dry run.
func (s *Service) dryQuery(c *call, j *job) (any, error) {
	if err := s.dryRun(c.ctx(), j); err != nil {
		return nil, err
	}
	q := j.statistics.Query
	r := &api.QueryResponse{
		Kind: "bigquery#queryResponse", JobComplete: true, Location: j.location, Schema: q.Schema, TotalBytesProcessed: q.TotalBytesProcessed,
		JobReference: &api.JobReference{ProjectId: j.project, Location: j.location},
		CreationTime: j.created.UnixMilli(), StartTime: j.started.UnixMilli(), EndTime: j.ended.UnixMilli(),
		ForceSendFields: []string{"TotalBytesProcessed", "TotalBytesBilled", "CacheHit"},
	}
	if r.Schema == nil {
		r.Schema = &api.TableSchema{}
	}
	return r, nil
}
