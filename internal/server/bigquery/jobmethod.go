package bigquery

import (
	"errors"
	"github.com/mallardml/mallard/internal/server/wire"
	api "google.golang.org/api/bigquery/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// resource is the job as the API shows it.
func (j *job) resource(c *call) *api.Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	status := &api.JobStatus{State: j.state()}
	if j.fault != nil && j.finished() {
		status.ErrorResult = j.fault.proto()
		status.Errors = []*api.ErrorProto{status.ErrorResult}
	}
	st := *j.statistics
	st.CreationTime = j.created.UnixMilli()
	if !j.started.IsZero() {
		st.StartTime = j.started.UnixMilli()
	}
	if j.finished() {
		st.EndTime = j.ended.UnixMilli()
		st.FinalExecutionDurationMs = max(j.ended.Sub(j.started).Milliseconds(), 1)
	}
	// What the job changes as it runs is copied: the reply is written without the lock.
	st.Query, st.Load, st.Extract, st.Copy = copied(st.Query), copied(st.Load), copied(st.Extract), copied(st.Copy)
	if j.progress != nil && st.Query != nil {
		st.Query.Timeline = j.timeline()
	}
	config := *j.config
	config.Query, config.Load, config.Extract, config.Copy = copied(config.Query), copied(config.Load), copied(config.Extract),
		copied(config.Copy)
	st.ParentJobId, st.NumChildJobs = j.parent, int64(j.children)
	st.ForceSendFields = append(slices.Clone(st.ForceSendFields), "TotalBytesProcessed")
	r := &api.Job{
		Kind: "bigquery#job", Id: j.project + ":" + j.location + "." + j.id, UserEmail: j.user(c.s), PrincipalSubject: "user:" + j.user(c.s),
		SelfLink:          selfLink(c, "/projects/%s/jobs/%s?location=%s", j.project, j.id, j.location),
		Configuration:     &config,
		JobReference:      &api.JobReference{ProjectId: j.project, JobId: j.id, Location: j.location},
		JobCreationReason: &api.JobCreationReason{Code: "REQUESTED"},
		Statistics:        &st, Status: status,
	}
	r.Etag = etag(r)
	return r
}

// copied is a copy of a struct; nil stays nil.
func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (j *job) user(s *Service) string { return s.User }

// insertJob is jobs.insert.
func (s *Service) insertJob(c *call) (any, error) {
	text, err := c.read()
	if err != nil {
		return nil, err
	}
	return s.insert(c, text, nil)
}

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

// insertWait is how long jobs.insert waits for a short job.
const insertWait = 200 * time.Millisecond

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

// pageOf cuts a list as maxResults and pageToken say. A token is how many items stand before it.
func pageOf[T any](c *call, all []T) (some []T, next string, err error) {
	most, limited, err := c.number("maxResults")
	if err != nil {
		return nil, "", err
	}
	from := 0
	if token := c.param("pageToken"); token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 {
			return nil, "", invalid("Invalid page token %.50q", token)
		}
	}
	all = all[min(from, len(all)):]
	if limited && most < int64(len(all)) && most > 0 {
		return all[:most], strconv.Itoa(from + int(most)), nil
	}
	return all, "", nil
}
