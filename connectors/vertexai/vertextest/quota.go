package vertextest

import (
	"sync"
	"time"
)

// quota counts what each model took in the last window.
type quota struct {
	mu   sync.Mutex
	took map[string][]taken
}

type taken struct {
	at     time.Time
	tokens int
}

func (q *quota) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.took = nil
}

// take admits the call or answers 429.
func (q *quota) take(s *Server, c *call) *reply {
	o := s.options()
	if o.RequestsPerMinute <= 0 && o.TokensPerMinute <= 0 {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	key := c.Resource
	now := o.Now()
	list := q.took[key]
	for len(list) > 0 && now.Sub(list[0].at) >= o.QuotaWindow {
		list = list[1:]
	}
	tokens := c.Tokens
	for _, t := range list {
		tokens += t.tokens
	}
	metric := ""
	switch {
	case o.RequestsPerMinute > 0 && len(list) >= o.RequestsPerMinute:
		metric = "aiplatform.googleapis.com/online_prediction_requests_per_base_model"
	case o.TokensPerMinute > 0 && tokens > o.TokensPerMinute && len(list) > 0:
		metric = "aiplatform.googleapis.com/embed_content_input_tokens_per_minute_per_base_model"
	}
	if q.took == nil {
		q.took = map[string][]taken{}
	}
	if metric == "" {
		q.took[key] = append(list, taken{now, c.Tokens})
		return nil
	}
	q.took[key] = list
	r := failf(429, "Quota exceeded for %s with base model: %s. Please submit a quota increase request.", metric, c.Model)
	if o.QuotaRetryAfter {
		r.err.wait = o.QuotaWindow - now.Sub(list[0].at)
	}
	return r
}
