package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/mallardml/mallard/connectors/vertexai"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension/emulate"
)

const emulateHelp = `mallard emulate is a Vertex AI on this machine, over REST and gRPC.

  mallard emulate [-addr HOST:PORT] [-endpoint ID=FOLDER]... [-script FILE]

  -addr HOST:PORT      where to listen (127.0.0.1:8180)
  -endpoint ID=FOLDER  serve a SavedModel as custom endpoint ID; repeatable
  -embedding FOLDER    a SavedModel that embeds texts; else vectors are made up
  -script FILE         answers, faults and settings, one JSON object a line; see
                       below
  -latency DURATION    wait before every answer, such as 50ms
  -fail-every N        answer every Nth request with 429
  -log FILE            append every request to FILE, one JSON object a line:
                       seq, transport, method, path, header, authorized,
                       request, rows, tokens, status; never credentials
  -record FILE         append every exchange to FILE, for -replay
  -upstream URL        with -record: ask the real service, and keep its answers.
                       URL is another server, or google for Google's own hosts;
                       those are asked with application default credentials
  -replay FILE         answer from such a file, and nothing else
  -config FILE         the configuration, for TensorFlow and the model store

A line of a script is an answer to prompts, a prediction of a custom endpoint,
a fault or the settings:

  {"contains": "poster", "answer": "{\"title\": \"…\"}"}
  {"endpoint": "7", "contains": "duck", "prediction": [0.1, 0.9]}
  {"fault": "status", "status": 429, "retryAfter": "2s", "every": 10}
  {"settings": {"token": "secret", "locations": ["us-central1"]}}

Answers may have model, contains, regexp, uri; finishReason, blockReason,
status; {{prompt}}, {{model}}, {{uri}}, {{mime}}, {{1}} stand in them.
Faults are latency (with "latency": "50ms"), status, drop, midway, truncate,
garbage, hang, block_prompt, block_answer, miscount, surplus, nan, wrong_type
and huge (with size), of requests chosen by method, model, contains, every,
after, times, share; a status may have message, retryAfter, retryAsDate,
retryAsDetail. Settings are token, projects, locations, models,
requestsPerMinute, tokensPerMinute, quotaRetryAfter, provisioned, limits.

Point a connection at it: base_url = "http://127.0.0.1:8180", auth = "none".
Ctrl-C stops it.
`

// runEmulate is `mallard emulate`.
func runEmulate(ctx context.Context, args []string, t terminal) int {
	fs := flag.NewFlagSet("mallard emulate", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o options
	// Its log is a file: nobody could read one in memory.
	e := emulation{server: vertextest.Options{LogSize: -1}, folders: map[string]string{}}
	fs.StringVar(&e.server.Addr, "addr", "127.0.0.1:8180", "")
	fs.Func("endpoint", "", func(s string) error {
		id, dir, ok := strings.Cut(s, "=")
		if !ok || id == "" || dir == "" {
			return errors.New("write ID=FOLDER")
		}
		e.folders[id] = dir
		return nil
	})
	fs.StringVar(&e.embedding, "embedding", "", "")
	fs.StringVar(&e.script, "script", "", "")
	fs.DurationVar(&e.latency, "latency", 0, "")
	fs.IntVar(&e.every, "fail-every", 0, "")
	fs.StringVar(&e.log, "log", "", "")
	fs.StringVar(&e.server.Record, "record", "", "")
	fs.StringVar(&e.upstream, "upstream", "", "")
	fs.StringVar(&e.server.Replay, "replay", "", "")
	fs.StringVar(&o.config, "config", "", "")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(t.out, emulateHelp)
		return exitDone
	case err != nil:
		return emulateUsage(t, err.Error())
	case fs.NArg() > 0:
		return emulateUsage(t, fmt.Sprintf("there is no argument %q", fs.Arg(0)))
	case e.upstream != "" && e.server.Record == "":
		return emulateUsage(t, "-upstream needs -record, the file to write")
	case e.server.Record != "" && e.server.Replay != "":
		return emulateUsage(t, "-record and -replay exclude each other")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	if err := e.run(ctx, &o, t); err != nil {
		fmt.Fprintf(t.err, "mallard emulate: %v\n", err)
		return exitFailed
	}
	return exitDone
}

func emulateUsage(t terminal, problem string) int {
	fmt.Fprintf(t.err, "mallard emulate: %s\nmallard emulate -help shows what there is.\n", problem)
	return exitUsage
}

// emulation is the command line of mallard emulate.
type emulation struct {
	server            vertextest.Options
	folders           map[string]string // SavedModels by the IDs of their endpoints
	embedding, script string
	log, upstream     string
	latency           time.Duration
	every             int
}

// run serves until ctx ends.
func (e *emulation) run(ctx context.Context, o *options, t terminal) (err error) {
	cfg, _, err := o.loadConfig()
	if err != nil {
		return err
	}
	models, err := emulate.NewModels(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, models.Close()) }()
	v := e.server
	v.Endpoints = map[string]vertextest.Predictor{}
	for id, dir := range e.folders {
		if v.Endpoints[id], err = models.Endpoint(ctx, id, dir); err != nil {
			return err
		}
	}
	if e.embedding != "" {
		if v.Embed, err = models.Embedder(ctx, e.embedding); err != nil {
			return err
		}
	}
	if e.script != "" {
		if err := readScript(e.script, &v); err != nil {
			return err
		}
	}
	if e.every > 0 {
		v.Faults = append(v.Faults, vertextest.Fault{Kind: vertextest.Status, Status: 429, Every: e.every})
	}
	if e.latency > 0 {
		v.Faults = append(v.Faults, vertextest.Fault{Kind: vertextest.Latency, Latency: e.latency})
	}
	if e.log != "" {
		f, err := os.OpenFile(e.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("-log: %w", err)
		}
		defer func() { _ = f.Close() }() // each line is written at once, and the server's Close tells of a failure
		v.Log = f
	}
	if e.upstream != "" {
		client, forward, err := upstream(ctx, e.upstream)
		if err != nil {
			return fmt.Errorf("-upstream: %w", err)
		}
		defer func() { _ = client.Close() }()
		v.Forward = forward
	}
	s, err := vertextest.New(v)
	if err != nil {
		var listen *net.OpError
		if errors.As(err, &listen) {
			return fmt.Errorf("%w; choose another place with -addr HOST:PORT", listen)
		}
		return err
	}
	s.Start()
	fmt.Fprintf(t.err, "Vertex AI emulated at %s (REST and gRPC). In the configuration:\n\n[connections.default]\nproject = "+
		"\"local\"\nbase_url = %q\nauth = \"none\"\n\nCtrl-C stops it.\n", s.URL(), s.URL())
	for id := range e.folders {
		fmt.Fprintf(t.err, "endpoint %s: %s\n", id, s.EndpointURL(id))
	}
	<-ctx.Done()
	for _, what := range s.Missed() {
		fmt.Fprintf(t.err, "not in %s: %s\n", e.server.Replay, what)
	}
	return s.Close()
}

// readScript adds a script file to a server's options.
func readScript(name string, v *vertextest.Options) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	script, err := vertextest.ReadScript(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	script.Apply(v)
	return nil
}

// upstream gives what sends requests on: to Google's hosts, which they name already, with application default credentials, or to a server
// without any.
func upstream(ctx context.Context, to string) (*vertexai.Client, func(*http.Request) (*http.Response, error), error) {
	if to == "google" {
		c, err := vertexai.New(ctx, vertexai.Options{})
		if err != nil {
			return nil, nil, err
		}
		return c, c.Do, nil
	}
	c, err := vertexai.New(ctx, vertexai.Options{Auth: vertexai.AuthNone, BaseURL: to})
	if err != nil {
		return nil, nil, err
	}
	base, err := url.Parse(to)
	if err != nil {
		return nil, nil, err // New has checked it
	}
	return c, func(r *http.Request) (*http.Response, error) {
		r.URL.Scheme, r.URL.Host, r.Host = base.Scheme, base.Host, ""
		r.URL.Path = strings.TrimRight(base.Path, "/") + r.URL.Path
		return c.Do(r)
	}, nil
}
