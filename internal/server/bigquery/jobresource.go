package bigquery

import (
	"slices"

	api "google.golang.org/api/bigquery/v2"
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
	if st.Query != nil {
		st.TotalBytesProcessed = st.Query.TotalBytesProcessed
	}
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
