package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mallardml/mallard/internal/config"
)

// latency is how long the fake provider takes.
const latency = 50 * time.Millisecond

// remoteJob is a function of a remote model.
type remoteJob struct {
	name               string
	endpoint           string
	column             string // of the input
	query              string // what to count of what to select from, %s being the rows
	batch, concurrency int
	width              int // numbers of an embedding
	target             float64
}

// custom says that the endpoint is one of the user's own, with a number as its output.
func (j remoteJob) custom() bool { return j.column == "content" && j.width == 0 }

// create makes the job's model as m.
func (j remoteJob) create() string {
	if j.custom() {
		return "CREATE MODEL m INPUT(content STRING) OUTPUT(score FLOAT64) REMOTE WITH CONNECTION DEFAULT OPTIONS " +
			"(ENDPOINT='https://us-central1-aiplatform.googleapis.com/v1/projects/bench/locations/us-central1/endpoints/" + j.endpoint + "')"
	}
	return "CREATE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS (ENDPOINT='" + j.endpoint + "')"
}

var (
	texts = remoteJob{name: "text, batch 1 × concurrency 64", endpoint: "gemini-2.5-flash", column: "prompt",
		query: `SELECT count(*) FILTER (ml_generate_text_status = '' AND contains(ml_generate_text_llm_result, prompt))
			FROM ML.GENERATE_TEXT(MODEL m, (%s), STRUCT(TRUE AS flatten_json_output))`,
		batch: 1, concurrency: 64, target: 1.15}
	scores = remoteJob{name: "custom endpoint, batch 100 × concurrency 16", endpoint: "42", column: "content",
		query: `SELECT count(*) FILTER (remote_model_status IS NULL AND score = len(content)) FROM ML.PREDICT(MODEL m, (%s))`,
		batch: 100, concurrency: 16, target: 1.3}
	narrow = remoteJob{name: "embedding of 64 numbers", endpoint: "text-embedding-005", column: "content",
		query: `SELECT count(*) FILTER (ml_generate_embedding_status = '' AND len(ml_generate_embedding_result) = 64)
			FROM ML.GENERATE_EMBEDDING(MODEL m, (%s), STRUCT(TRUE AS flatten_json_output, 64 AS output_dimensionality))`,
		batch: 100, concurrency: 16, width: 64}
	wide = remoteJob{name: "embedding of 768 numbers", endpoint: "text-embedding-005", column: "content",
		query: `SELECT count(*) FILTER (ml_generate_embedding_status = '' AND len(ml_generate_embedding_result) = 768)
			FROM ML.GENERATE_EMBEDDING(MODEL m, (%s), STRUCT(TRUE AS flatten_json_output))`,
		batch: 100, concurrency: 16, width: 768}
)

// requests is the fewest that answer all rows.
func (j remoteJob) requests(rows int) int { return (rows + j.batch - 1) / j.batch }

// ideal is how long they take when no place is ever empty.
func (j remoteJob) ideal(rows int) time.Duration {
	return time.Duration((j.requests(rows)+j.concurrency-1)/j.concurrency) * latency
}

// remote compares the time of remote rows with the ideal, and with a Go program that does the same calls.
func remote(ctx context.Context, b *bench) error {
	s, err := startServices(ctx, service{Kind: "vertex", Latency: latency})
	if err != nil {
		return err
	}
	defer s.close()
	rows := b.data.slow
	for _, j := range []remoteJob{texts, scores, narrow, wide} {
		m, err := openRemote(ctx, b, j, s.urls[0])
		if err != nil {
			return err
		}
		ours, bare := j.name, j.name+", bare client"
		client := newCaller(s.urls[0], j)
		ts, err := b.race(ctx, "remote", []contestant{
			{ours, rows, m.ask(j, rows), true},
			{bare, rows, func(ctx context.Context) (lap, error) { return lap{}, client.all(ctx, rows) }, true},
		})
		m.close()
		client.http.CloseIdleConnections()
		if err != nil {
			return err
		}
		over := func(name string) (qs []float64) {
			for _, t := range ts.wall[name] {
				qs = append(qs, t/j.ideal(rows).Seconds())
			}
			return qs
		}
		b.ratios = append(b.ratios,
			ratio{"remote", j.name + ", time / ideal", over(ours), atMost, j.target},
			ratio{"remote", j.name + ", bare client's time / ideal", over(bare), atMost, 0},
			ratio{"remote", j.name + ", time / bare client's", ts.over(ours, bare), atMost, 0})
	}
	return nil
}

// faults counts requests and lost rows when every tenth answer is a 429.
func faults(ctx context.Context, b *bench) error {
	s, err := startServices(ctx, service{Kind: "vertex", Latency: latency, Every: 10})
	if err != nil {
		return err
	}
	defer s.close()
	rows := b.data.slow
	j := texts
	m, err := openRemote(ctx, b, j, s.urls[0])
	if err != nil {
		return err
	}
	defer m.close()
	var requests, time, lost []float64
	for round := range max(b.rounds/2, 1) {
		if _, err := s.requests(); err != nil {
			return err
		}
		answered, d, err := m.answers(ctx, j, rows)
		if err != nil {
			return err
		}
		n, err := s.requests()
		if err != nil {
			return err
		}
		b.progress("  %d of %d rows answered with %d requests in %s", answered, rows, n, seconds(d.wall.Seconds()))
		b.rounds_ = append(b.rounds_, round_{"faults", j.name, round + 1, rows, d.wall.Seconds(), d.cpu.Seconds()})
		requests = append(requests, float64(n)/float64(j.requests(rows)))
		time = append(time, d.wall.Seconds()/j.ideal(rows).Seconds())
		lost = append(lost, float64(rows-answered))
	}
	b.ratios = append(b.ratios,
		ratio{"faults", fmt.Sprintf("rows lost of %d", rows), lost, none, 0},
		ratio{"faults", "requests / the fewest without faults", requests, atMost, 1.2},
		ratio{"faults", "time / ideal without faults", time, atMost, 0})
	return nil
}

// openRemote opens a database with the job's model as m.
func openRemote(ctx context.Context, b *bench, j remoteJob, url string) (*mallard, error) {
	cfg := config.DefaultConfig()
	cfg.Connections = map[string]config.ConnectionConfig{"default": {
		Auth: "none", BaseURL: url, Project: "bench", Location: "us-central1", Concurrency: j.concurrency,
		Limits: map[string]config.LimitConfig{j.endpoint: {Rows: j.batch}},
	}}
	m, err := openConfigured(ctx, "", cfg)
	if err != nil {
		return nil, err
	}
	if err := m.exec(ctx, j.create()); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

// laps makes the texts of every call new: answers are kept.
var laps atomic.Int64

// answers runs the job and tells how many rows have their answer.
func (m *mallard) answers(ctx context.Context, j remoteJob, rows int) (n int, d lap, err error) {
	query := fmt.Sprintf(j.query, fmt.Sprintf("SELECT 'row ' || i || ' of lap %d' AS %s FROM range(%d) AS r(i)", laps.Add(1), j.column, rows))
	begin, before := time.Now(), cpuTime()
	err = m.conn.QueryRowContext(ctx, query).Scan(&n)
	return n, lap{time.Since(begin), cpuTime() - before}, err
}

func (m *mallard) ask(j remoteJob, rows int) func(ctx context.Context) (lap, error) {
	return func(ctx context.Context) (lap, error) {
		n, d, err := m.answers(ctx, j, rows)
		if err == nil && n != rows {
			err = fmt.Errorf("%d of %d rows were answered", n, rows)
		}
		return d, err
	}
}

// caller does the same calls with nothing but Go's own HTTP client and JSON.
type caller struct {
	remoteJob
	url  string
	http *http.Client
}

func newCaller(url string, j remoteJob) *caller {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = j.concurrency
	path := "publishers/google/models/" + j.endpoint + ":predict"
	switch {
	case j.custom():
		path = "endpoints/" + j.endpoint + ":predict"
	case j.width == 0:
		path = "publishers/google/models/" + j.endpoint + ":generateContent"
	}
	return &caller{j, url + "/v1/projects/bench/locations/us-central1/" + path, &http.Client{Transport: t}}
}

// all asks for all rows, as many at once as the job says.
func (c *caller) all(ctx context.Context, rows int) error {
	lap := laps.Add(1)
	var next atomic.Int64
	errs := make([]error, c.concurrency)
	var wg sync.WaitGroup
	for g := range c.concurrency {
		wg.Go(func() {
			for errs[g] == nil {
				from := int(next.Add(int64(c.batch))) - c.batch
				if from >= rows {
					return
				}
				var list []string
				for i := from; i < min(from+c.batch, rows); i++ {
					list = append(list, fmt.Sprintf("row %d of lap %d", i, lap))
				}
				errs[g] = c.call(ctx, list)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// call does one request and reads its answer.
func (c *caller) call(ctx context.Context, list []string) error {
	type object map[string]any
	var body object
	if c.column == "prompt" {
		body = object{"contents": []object{{"role": "user", "parts": []object{{"text": list[0]}}}}}
	} else {
		var instances []object
		for _, t := range list {
			instances = append(instances, object{"content": t})
		}
		body = object{"instances": instances}
		if c.width > 0 {
			body["parameters"] = object{"outputDimensionality": c.width}
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if c.custom() {
		var answer struct{ Predictions []float64 }
		if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
			return err
		}
		if n := len(answer.Predictions); n != len(list) {
			return fmt.Errorf("%s: %d answers to %d texts", res.Status, n, len(list))
		}
		return nil
	}
	var answer struct {
		Candidates []struct {
			Content struct{ Parts []struct{ Text string } }
		}
		Predictions []struct{ Embeddings struct{ Values []float64 } }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return err
	}
	if n := len(answer.Candidates) + len(answer.Predictions); n != len(list) {
		return fmt.Errorf("%s: %d answers to %d texts", res.Status, n, len(list))
	}
	for _, p := range answer.Predictions {
		if len(p.Embeddings.Values) != c.width {
			return fmt.Errorf("an embedding has %d numbers", len(p.Embeddings.Values))
		}
	}
	return nil
}
