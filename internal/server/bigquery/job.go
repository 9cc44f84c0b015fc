package bigquery

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/server/wire"
)

// job is work that is asked for once, and asked about until it is forgotten.
type job struct {
	project, id, location string
	config                *api.JobConfiguration
	parent                string // of a statement of a script, the script's id
	children              int
	parameters            []wire.QueryParameter
	created               time.Time
	run                   func(context.Context, *job) error

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended

	mu             sync.Mutex // of what follows, which changes while the job runs
	started, ended time.Time
	fault          *Fault
	result         *result // nil for a job without rows
	progress       *mallard.Progress
	upload         *upload // the file of a load job, or nil
	statistics     *api.JobStatistics
	cancelled      bool
}

// finished reports whether the job has ended.
func (j *job) finished() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// wait waits until the job has ended, or for so long.
func (j *job) wait(ctx context.Context, most time.Duration) bool {
	t := time.NewTimer(most)
	defer t.Stop()
	select {
	case <-j.done:
	case <-t.C:
	case <-ctx.Done():
	}
	return j.finished()
}

// change sets what replies show of a job that runs.
func (j *job) change(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f()
}

// jobs are those of a server: some wait, some run, and the last that ended are known with their results.
type jobs struct {
	s     *Service
	slots chan struct{}
	all   sync.WaitGroup

	mu     sync.Mutex
	byID   map[string]*job // by project and id
	order  []*job          // the oldest first
	closed bool
	asked  map[string]*job // by the requestId of jobs.query
}

func newJobs(s *Service) *jobs {
	return &jobs{s: s, slots: make(chan struct{}, s.Limits.Running), byID: map[string]*job{}, asked: map[string]*job{}}
}

var jobName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// start begins a job. One without an id gets one.
func (q *jobs) start(j *job) error {
	if j.id == "" {
		j.id = newID("job_")
	} else if len(j.id) > maxName || !jobName.MatchString(j.id) {
		return invalid("Invalid job ID %.100q. Job IDs are at most 1,024 letters, digits, dashes and underscores.", j.id)
	}
	if j.location == "" {
		j.location = q.s.Location
	}
	j.created, j.done = time.Now(), make(chan struct{})
	j.ctx, j.cancel = context.WithCancel(context.Background())
	if ms := j.config.JobTimeoutMs; ms > 0 {
		j.ctx, j.cancel = context.WithTimeout(context.Background(), time.Duration(ms)*time.Millisecond)
	}
	if j.statistics == nil {
		j.statistics = &api.JobStatistics{}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	key := j.project + ":" + j.id
	switch {
	case q.closed:
		j.cancel()
		return fault(503, "backendError", "The server is being stopped.")
	case q.byID[key] != nil:
		j.cancel()
		return duplicate("Already Exists: Job %s:%s.%s", j.project, j.location, j.id)
	case q.unfinished() >= q.s.Limits.Running+q.s.Limits.Waiting:
		j.cancel()
		return fault(403, "rateLimitExceeded", "Exceeded rate limits: %d jobs run or wait.", q.unfinished())
	}
	q.byID[key] = j
	q.order = append(q.order, j)
	q.all.Add(1)
	go q.work(j)
	return nil
}

// startOnce begins a job, unless a request of the same id has begun it: a client that got no reply asks again.
func (q *jobs) startOnce(j *job, request string) (*job, error) {
	if request == "" {
		return j, q.start(j)
	}
	key := j.project + ":" + request
	q.mu.Lock()
	before := q.asked[key]
	q.mu.Unlock()
	if before != nil && before.config.Query.Query == j.config.Query.Query {
		return before, nil
	}
	if err := q.start(j); err != nil {
		return nil, err
	}
	q.mu.Lock()
	q.asked[key] = j
	q.mu.Unlock()
	return j, nil
}

// adopt makes a job known that runs as a part of another.
func (q *jobs) adopt(parent, j *job) {
	j.project, j.location, j.parent = parent.project, parent.location, parent.id
	j.created, j.started, j.done = time.Now(), time.Now(), make(chan struct{})
	j.ctx, j.cancel = parent.ctx, parent.cancel
	parent.change(func() { parent.children++ })
	q.mu.Lock()
	defer q.mu.Unlock()
	q.byID[j.project+":"+j.id] = j
	q.order = append(q.order, j)
}

// end ends a job.
func (j *job) end(err error) {
	j.change(func() {
		j.ended = time.Now()
		if j.started.IsZero() {
			j.started = j.ended
		}
		if err != nil {
			j.fault = faultOf(err)
		}
	})
	close(j.done)
}

// unfinished counts; mu is held.
func (q *jobs) unfinished() (n int) {
	for _, j := range q.order {
		if !j.finished() {
			n++
		}
	}
	return n
}

// guarded runs the job. A fault of ours ends it, and nothing else.
func (j *job) guarded(log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a fault of the server's", "job", j.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fault(http.StatusBadRequest, "invalid", "A fault of Mallard's: its log says more.")
		}
	}()
	return j.run(j.ctx, j)
}

// work runs a job when its turn comes.
func (q *jobs) work(j *job) {
	defer q.all.Done()
	defer j.cancel()
	var err error
	select {
	case q.slots <- struct{}{}:
		j.change(func() { j.started = time.Now() })
		err = j.guarded(q.s.Logger)
		<-q.slots
	case <-j.ctx.Done():
		err = j.ctx.Err()
	}
	j.end(err)
	q.evict()
}

// find gives a job.
func (q *jobs) find(project, id, location string) (*job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.byID[project+":"+id]
	if j == nil || location != "" && !strings.EqualFold(location, j.location) {
		return nil, notFound("Not found: Job %s:%s", project, id)
	}
	return j, nil
}

// list gives the jobs of a project, the newest first.
func (q *jobs) list(project string) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []*job
	for _, j := range slices.Backward(q.order) {
		if j.project == project {
			all = append(all, j)
		}
	}
	return all
}

// evict forgets the oldest jobs that ended, when there are too many, or their results are too large or too old.
func (q *jobs) evict() {
	limits := q.s.Limits
	q.mu.Lock()
	var bytes int64
	var gone []*job
	kept := 0
	stay := func(j *job) bool {
		if !j.finished() {
			return true
		}
		if j.result != nil && j.result.own {
			bytes += j.result.bytes
		}
		kept++
		return kept <= limits.Kept && time.Since(j.ended) < limits.Age && (bytes <= limits.Bytes || kept == 1)
	}
	known := slices.DeleteFunc(slices.Clone(q.order), func(j *job) bool { return !j.finished() })
	// a script began before its children, and ends after them
	slices.SortStableFunc(known, func(a, b *job) int { return a.ended.Compare(b.ended) })
	for _, j := range slices.Backward(known) {
		if !stay(j) {
			gone = append(gone, j)
			delete(q.byID, j.project+":"+j.id)
		}
	}
	q.order = slices.DeleteFunc(q.order, func(j *job) bool { return q.byID[j.project+":"+j.id] != j })
	for request, j := range q.asked {
		if j.finished() && time.Since(j.ended) > requestLife {
			delete(q.asked, request)
		}
	}
	q.mu.Unlock()
	q.drop(gone)
}

// requestLife is how long a requestId stands for its job, as at Google.
const requestLife = 15 * time.Minute

// drop forgets the results of jobs that nobody finds any more.
func (q *jobs) drop(gone []*job) {
	for _, j := range gone {
		if err := j.result.drop(context.Background(), q.s); err != nil {
			q.s.Logger.Warn("a result was not dropped", "job", j.id, "error", err)
		}
	}
}

// remove forgets a job that has ended.
func (q *jobs) remove(j *job) {
	q.mu.Lock()
	delete(q.byID, j.project+":"+j.id)
	q.order = slices.DeleteFunc(q.order, func(o *job) bool { return o == j })
	q.mu.Unlock()
	q.drop([]*job{j})
}

// close lets the jobs end, and cancels them when ctx does.
func (q *jobs) close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	all := slices.Clone(q.order)
	q.mu.Unlock()
	ended := make(chan struct{})
	go func() { q.all.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	for _, j := range all {
		j.cancel()
	}
	<-ended
	return nil
}

// stop cancels a job.
func (j *job) stop() {
	j.change(func() { j.cancelled = true })
	j.cancel()
}

// state is a job's word for how far it is.
func (j *job) state() string {
	switch {
	case j.finished():
		return "DONE"
	case j.started.IsZero():
		return "PENDING"
	}
	return "RUNNING"
}

// JobCounts count jobs.
type JobCounts struct {
	Waiting, Running, Kept int
	Bytes                  int64 // about what the results that are kept take
}

// Jobs counts the jobs that are known.
func (s *Service) Jobs() (n JobCounts) {
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	for _, j := range s.jobs.order {
		j.mu.Lock()
		switch j.state() {
		case "DONE":
			n.Kept++
			if j.result != nil && j.result.own {
				n.Bytes += j.result.bytes
			}
		case "RUNNING":
			n.Running++
		default:
			n.Waiting++
		}
		j.mu.Unlock()
	}
	return n
}
