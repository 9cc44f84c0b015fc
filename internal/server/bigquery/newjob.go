package bigquery

import (
	"errors"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/server/wire"
)

// insert makes a job of its JSON and begins it. upload is the file that came with it, or nil; the job removes it.
func (s *Service) insert(c *call, text []byte, upload *upload) (any, error) {
	var in api.Job
	var given struct {
		Configuration struct {
			Query queryBody `json:"query"`
		} `json:"configuration"`
	}
	if err := errors.Join(decodeRequest(text, &in), decode(text, &given)); err != nil {
		return nil, err
	}
	j, err := s.newJob(c, &in, given.Configuration.Query.QueryParameters)
	if err != nil {
		return nil, err
	}
	if in.Configuration.DryRun {
		return s.dryJob(c, j)
	}
	if upload != nil && in.Configuration.Load == nil {
		return nil, invalid("A file was uploaded, and the job is no load job")
	}
	j.upload = upload
	if err := s.jobs.start(j); err != nil {
		return nil, err
	}
	// Most statements are short: one reply then says how they ended, as BigQuery's does.
	j.wait(c.ctx(), insertWait)
	return j.resource(c), nil
}

// newJob makes a job of its description.
func (s *Service) newJob(c *call, in *api.Job, parameters []wire.QueryParameter) (*job, error) {
	if err := s.checkProject(c.ctx(), c.project()); err != nil {
		return nil, err
	}
	if in.Configuration == nil {
		return nil, invalid("Required parameter is missing: configuration")
	}
	if err := checkLabels(in.Configuration.Labels); err != nil {
		return nil, err
	}
	j := &job{project: c.project(), location: s.Location, config: in.Configuration, parameters: parameters}
	if r := in.JobReference; r != nil {
		if j.id = r.JobId; r.Location != "" {
			j.location = r.Location
		}
		if r.ProjectId != "" && r.ProjectId != j.project {
			return nil, invalid("The job's project is %s, and that of the path %s", r.ProjectId, j.project)
		}
	}
	switch {
	case in.Configuration.Query != nil:
		in.Configuration.JobType = "QUERY"
		return j, s.prepareQuery(j)
	case in.Configuration.Load != nil:
		in.Configuration.JobType = "LOAD"
		return j, s.prepareLoad(j)
	case in.Configuration.Extract != nil:
		in.Configuration.JobType = "EXTRACT"
		return j, s.prepareExtract(j)
	case in.Configuration.Copy != nil:
		in.Configuration.JobType = "COPY"
		return j, s.prepareCopy(j)
	}
	return nil, invalid("Required parameter is missing: configuration.query, load, extract or copy")
}
