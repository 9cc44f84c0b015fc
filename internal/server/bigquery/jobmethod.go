package bigquery

import (
	"slices"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"
)

// insertJob is jobs.insert.
func (s *Service) insertJob(c *call) (any, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	return s.insert(c, text, nil)
}

// insertWait is how long jobs.insert waits for a short job.
const insertWait = 200 * time.Millisecond

func (s *Service) getJob(c *call) (any, error) {
	j, err := s.jobs.find(c.project(), c.path("jobId"), c.param("location"))
	if err != nil {
		return nil, err
	}
	return j.resource(c), nil
}

func (s *Service) cancelJob(c *call) (any, error) {
	j, err := s.jobs.find(c.project(), c.path("jobId"), c.param("location"))
	if err != nil {
		return nil, err
	}
	if !j.finished() {
		j.stop()
		j.wait(c.ctx(), time.Second)
	}
	return &api.JobCancelResponse{Kind: "bigquery#jobCancelResponse", Job: j.resource(c)}, nil
}

func (s *Service) deleteJob(c *call) (any, error) {
	j, err := s.jobs.find(c.project(), c.path("jobId"), c.param("location"))
	if err != nil {
		return nil, err
	}
	if !j.finished() {
		return nil, invalid("Job %s is running; cancel it first", j.id)
	}
	s.jobs.remove(j)
	return struct{}{}, nil
}

func (s *Service) listJobs(c *call) (any, error) {
	if err := s.checkProject(c.ctx(), c.project()); err != nil {
		return nil, err
	}
	states := c.r.URL.Query()["stateFilter"]
	after, _, err := c.number("minCreationTime")
	if err != nil {
		return nil, err
	}
	before, hasBefore, err := c.number("maxCreationTime")
	if err != nil {
		return nil, err
	}
	parent := c.param("parentJobId")
	list := &api.JobList{Kind: "bigquery#jobList", Jobs: []*api.JobListJobs{}, ForceSendFields: []string{"Jobs"}}
	var all []*job
	for _, j := range s.jobs.list(c.project()) {
		created := j.created.UnixMilli()
		if j.parent != parent || created < after || hasBefore && created > before {
			continue
		}
		j.mu.Lock()
		state := j.state()
		j.mu.Unlock()
		if len(states) > 0 && !slices.ContainsFunc(states, func(s string) bool { return strings.EqualFold(s, state) }) {
			continue
		}
		all = append(all, j)
	}
	all, list.NextPageToken, err = pageOf(c, all)
	if err != nil {
		return nil, err
	}
	for _, j := range all {
		r := j.resource(c)
		list.Jobs = append(list.Jobs, &api.JobListJobs{
			Kind: r.Kind, Id: r.Id, JobReference: r.JobReference, Configuration: r.Configuration, State: r.Status.State, Status: r.Status,
			Statistics: r.Statistics, ErrorResult: r.Status.ErrorResult, UserEmail: r.UserEmail, PrincipalSubject: r.PrincipalSubject,
		})
	}
	list.Etag = etag(list)
	return list, nil
}
