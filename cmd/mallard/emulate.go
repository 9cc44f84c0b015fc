package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
)

const emulateHelp = `mallard emulate is a Vertex AI on this machine, over REST and gRPC.

  mallard emulate [-addr HOST:PORT] [-endpoint ID=FOLDER]... [-script FILE]

  -addr HOST:PORT      where to listen (127.0.0.1:8180)
  -endpoint ID=FOLDER  serve a SavedModel as custom endpoint ID; repeatable
  -embedding FOLDER    a SavedModel that embeds texts, instead of made-up vectors
  -script FILE         answers to prompts, one JSON object a line:
                       {"contains": "poster", "answer": "{\"title\": \"…\"}"}
  -latency DURATION    wait before every answer, such as 50ms
  -fail-every N        answer every Nth request with 429
  -record FILE         keep every exchange; -replay FILE answers from one
  -config FILE         the configuration, for TensorFlow and the model store

Point a connection at it: base_url = "http://127.0.0.1:8180", auth = "none".
Ctrl-C stops it.
`

// runEmulate is `mallard emulate`.
func runEmulate(ctx context.Context, args []string, t terminal) int {
	fs := flag.NewFlagSet("mallard emulate", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o options
	v := vertextest.Options{}
	folders := map[string]string{}
	var embedding, script string
	var latency time.Duration
	var every int
	fs.StringVar(&v.Addr, "addr", "127.0.0.1:8180", "")
	fs.Func("endpoint", "", func(s string) error {
		id, dir, ok := strings.Cut(s, "=")
		if !ok || id == "" || dir == "" {
			return errors.New("write ID=FOLDER")
		}
		folders[id] = dir
		return nil
	})
	fs.StringVar(&embedding, "embedding", "", "")
	fs.StringVar(&script, "script", "", "")
	fs.DurationVar(&latency, "latency", 0, "")
	fs.IntVar(&every, "fail-every", 0, "")
	fs.StringVar(&v.Record, "record", "", "")
	fs.StringVar(&v.Replay, "replay", "", "")
	fs.StringVar(&o.config, "config", "", "")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(t.out, emulateHelp)
		return exitDone
	case err != nil:
		fmt.Fprintf(t.err, "mallard emulate: %v\nmallard emulate -help shows what there is.\n", err)
		return exitUsage
	case fs.NArg() > 0:
		fmt.Fprintf(t.err, "mallard emulate: there is no argument %q\n", fs.Arg(0))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := emulate(ctx, &o, v, folders, embedding, script, latency, every, t); err != nil {
		fmt.Fprintf(t.err, "mallard emulate: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func emulate(ctx context.Context, o *options, v vertextest.Options, folders map[string]string, embedding, script string, latency time.Duration, every int, t terminal) (err error) {
	cfg, _, err := o.loadConfig()
	if err != nil {
		return err
	}
	served, err := newServing(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, served.db.Close()) }()
	if v.Endpoints, err = served.endpoints(ctx, folders); err != nil {
		return err
	}
	if embedding != "" {
		if v.Embed, err = served.embedder(ctx, embedding); err != nil {
			return err
		}
	}
	if script != "" {
		f, err := os.Open(script)
		if err != nil {
			return err
		}
		v.Script, err = vertextest.ReadScript(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", script, err)
		}
	}
	if every > 0 {
		v.Faults = append(v.Faults, vertextest.Fault{Kind: vertextest.Status, Status: 429, Every: every})
	}
	if latency > 0 {
		v.Faults = append(v.Faults, vertextest.Fault{Kind: vertextest.Latency, Latency: latency})
	}
	s, err := vertextest.New(v)
	if err != nil {
		return err
	}
	s.Start()
	fmt.Fprintf(t.err, "Vertex AI emulated at %s (REST and gRPC). In the configuration:\n\n[connections.default]\nproject = \"local\"\nbase_url = %q\nauth = \"none\"\n\nCtrl-C stops it.\n", s.URL(), s.URL())
	for id := range folders {
		fmt.Fprintf(t.err, "endpoint %s: %s\n", id, s.EndpointURL(id))
	}
	<-ctx.Done()
	return s.Close()
}

// serving answers requests with TensorFlow models, through SQL of our own.
type serving struct{ db *sql.DB }

func newServing(_ context.Context, cfg *extension.Config) (*serving, error) {
	c, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		return nil, err
	}
	return &serving{sql.OpenDB(c)}, nil
}

// create takes a SavedModel in and gives its tensors.
func (s *serving) create(ctx context.Context, name, dir string) (in, out []tensor, err error) {
	q := fmt.Sprintf("CREATE MODEL %s OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s')", ident(name), strings.ReplaceAll(dir, "'", "''"))
	if _, err := s.db.ExecContext(ctx, q); err != nil {
		return nil, nil, err
	}
	rows, err := s.db.QueryContext(ctx, "SELECT role, name, sql_type FROM ml_model_info(?) WHERE active", name)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var role string
		var p tensor
		if err := rows.Scan(&role, &p.name, &p.sqlType); err != nil {
			return nil, nil, err
		}
		if role == "input" {
			in = append(in, p)
		} else {
			out = append(out, p)
		}
	}
	return in, out, rows.Err()
}

type tensor struct{ name, sqlType string }

// endpoints serves a SavedModel per endpoint: instances are objects with its inputs, or bare values for a single input;
// predictions are objects, or bare values for a single output.
func (s *serving) endpoints(ctx context.Context, folders map[string]string) (map[string]vertextest.Predictor, error) {
	all := map[string]vertextest.Predictor{}
	for id, dir := range folders {
		name := "endpoint " + id
		in, out, err := s.create(ctx, name, dir)
		if err != nil {
			return nil, err
		}
		all[id] = func(ctx context.Context, instances []any, _ any) ([]any, error) {
			return s.predict(ctx, name, in, out, instances)
		}
	}
	return all, nil
}

// embedder serves ML.GENERATE_EMBEDDING's texts with a SavedModel of one string input and one vector output.
func (s *serving) embedder(ctx context.Context, dir string) (func(context.Context, string, []string) ([][]float64, error), error) {
	in, out, err := s.create(ctx, "embedding", dir)
	if err != nil {
		return nil, err
	}
	if len(in) != 1 || len(out) != 1 || in[0].sqlType != "VARCHAR" {
		return nil, fmt.Errorf("-embedding %s: the model must have one string input and one vector output", dir)
	}
	return func(ctx context.Context, _ string, texts []string) ([][]float64, error) {
		instances := make([]any, len(texts))
		for i, t := range texts {
			instances[i] = t
		}
		answers, err := s.predict(ctx, "embedding", in, out, instances)
		if err != nil {
			return nil, err
		}
		vectors := make([][]float64, len(answers))
		for i, a := range answers {
			b, err := json.Marshal(a)
			if err != nil {
				return nil, err
			}
			if err := json.Unmarshal(b, &vectors[i]); err != nil {
				return nil, err
			}
		}
		return vectors, nil
	}, nil
}

// predict runs instances through a model in one query and keeps their order.
func (s *serving) predict(ctx context.Context, name string, in, out []tensor, instances []any) ([]any, error) {
	objects := make([]map[string]any, len(instances))
	for i, v := range instances {
		o, ok := v.(map[string]any)
		if !ok {
			if len(in) != 1 {
				return nil, fmt.Errorf("instance %d is no object, and the model has %d inputs", i, len(in))
			}
			o = map[string]any{in[0].name: v}
		}
		objects[i] = o
	}
	body, err := json.Marshal(objects)
	if err != nil {
		return nil, err
	}
	fields := make([]string, len(in))
	for i, p := range in {
		fields[i] = ident(p.name) + " " + p.sqlType
	}
	results := make([]string, len(out))
	for i, p := range out {
		results[i] = fmt.Sprintf("'%s': %s", strings.ReplaceAll(p.name, "'", "''"), ident(p.name))
	}
	query := fmt.Sprintf("SELECT to_json({%s})::VARCHAR FROM ML.PREDICT(MODEL %s, (SELECT __row, __in.* FROM (SELECT unnest(?::JSON::STRUCT(%s)[]) AS __in, generate_subscripts(?::JSON::JSON[], 1) AS __row))) ORDER BY __row",
		strings.Join(results, ", "), ident(name), strings.Join(fields, ", "))
	rows, err := s.db.QueryContext(ctx, query, string(body), string(body))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []any
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		var o map[string]any
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return nil, err
		}
		if len(out) == 1 {
			all = append(all, o[out[0].name])
		} else {
			all = append(all, o)
		}
	}
	return all, rows.Err()
}

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
