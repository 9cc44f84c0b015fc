package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mallardml/mallard/internal/server"
)

const serveHelp = `mallard serve is a BigQuery on this machine: its clients ask this database.

  mallard serve [OPTIONS] [DATABASE]
  mallard serve [OPTIONS] [DATABASE] -- PROGRAM [ARGUMENT]...
  mallard serve -env [-listen HOST:PORT] [-token TEXT]

The second runs a program that finds the server by variables of its
environment, and ends with it, with its exit code; -listen is any free port
then. The third prints these variables for a server that runs:
eval "$(mallard serve -env)" leads the programs of a shell to it.

DATABASE is a file, made if it is missing; without one the database is in
memory. Its schemas are the datasets. Attached databases are projects.

  -listen HOST:PORT  where to listen (localhost:9050)
  -project P         the name of the project; else [bigquery] project of the
                     configuration, else local
  -location L        where datasets are (US)
  -token TEXT        what requests must carry as Authorization: Bearer TEXT;
                     wanted where other machines reach -listen
  -attach NAME=FILE  attach a database that is the project NAME, for reading;
                     repeatable
  -bucket NAME=FOLDER
                     serve a folder as a bucket of Cloud Storage, and read
                     gs://NAME/… from it; repeatable
  -emulate           serve a Vertex AI, too, and lead every connection there:
                     Google's models answer with an echo and made-up vectors,
                     uploaded models with their predictions
  -tutorials         serve what BigQuery's tutorials name: the buckets
                     cloud-training-demos and cloud-samples-data with files of
                     ours, and small generated tables of the project
                     bigquery-public-data (hacker_news.full, imdb.reviews,
                     usa_names.usa_1910_2013, samples.shakespeare)
  -drain DURATION    how long running jobs may take when the server is stopped
                     (20s)
  -v                 a line on stderr for each request, without its contents
  -config FILE       the configuration

GET /healthz says whether it works, GET /metrics how it is (Prometheus).
Ctrl-C or SIGTERM stops it: jobs that run have -drain to end.
`

// runServe is `mallard serve`.
func runServe(ctx context.Context, args []string, t terminal) int {
	fs := flag.NewFlagSet("mallard serve", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	var o options
	var s server.Options
	var verbose, environment bool
	args, program := splitProgram(args)
	if program != nil {
		s.Listen = "localhost:0"
	}
	fs.BoolVar(&environment, "env", false, "")
	fs.StringVar(&s.Listen, "listen", cmp.Or(s.Listen, server.DefaultListen), "")
	fs.StringVar(&s.Project, "project", "", "")
	fs.StringVar(&s.Location, "location", "US", "")
	fs.StringVar(&s.Token, "token", "", "")
	fs.DurationVar(&s.Drain, "drain", 20*time.Second, "")
	fs.BoolVar(&verbose, "v", false, "")
	fs.StringVar(&o.config, "config", "", "")
	fs.Func("attach", "", func(v string) error {
		name, file, ok := strings.Cut(v, "=")
		if !ok || name == "" || file == "" {
			return errors.New("write NAME=FILE")
		}
		s.Attach = append(s.Attach, server.Attachment{Name: name, File: file})
		return nil
	})
	tutorials := serviceFlags(fs, &s)
	usage := func(problem string) int {
		fmt.Fprintf(t.err, "mallard serve: %s\nmallard serve -help shows what there is.\n", problem)
		return exitUsage
	}
	// As elsewhere, flags may follow the database.
	var rest []string
	for len(args) > 0 {
		switch err := fs.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprint(t.out, serveHelp)
			return exitDone
		case err != nil:
			return usage(err.Error())
		}
		if args = fs.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	switch {
	case environment && (program != nil || len(rest) > 0):
		return usage("-env is of a server that runs, and takes neither a DATABASE nor a program")
	case program != nil && len(program) == 0:
		return usage("a program follows --")
	case len(rest) > 1:
		return usage(fmt.Sprintf("there is one DATABASE; %q is another", rest[1]))
	case len(rest) == 1 && rest[0] != ":memory:":
		s.Database = rest[0]
	}
	if strings.Contains(s.Database, "?") {
		return usage("the name of a database may not have a ?: " + s.Database)
	} else if doubt := doubtful(s.Database); doubt != "" {
		return usage(doubt)
	}
	level := slog.LevelWarn
	if verbose {
		level = slog.LevelDebug
	}
	s.Logger = slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var code int
	var err error
	if environment {
		err = printEnvironment(ctx, s, t)
	} else {
		code, err = o.serve(ctx, s, *tutorials, program, t)
	}
	if err != nil {
		fmt.Fprintf(t.err, "mallard serve: %v\n", err)
		code = cmp.Or(code, exitFailed)
	}
	return code
}

// serve serves until ctx ends, or the program that is run.
func (o *options) serve(ctx context.Context, s server.Options, tutorials bool, program []string, t terminal) (code int, err error) {
	cfg, _, err := o.loadConfig()
	if err != nil {
		return exitFailed, err
	}
	s.Config = cfg
	if tutorials {
		remove, err := addTutorials(ctx, &s)
		if err != nil {
			return exitFailed, fmt.Errorf("-tutorials: %w", err)
		}
		defer func() { err = errors.Join(err, remove()) }()
	}
	on, err := server.New(ctx, s)
	if err != nil {
		return exitFailed, err
	}
	if program != nil {
		return runProgram(ctx, on, program, t)
	}
	fmt.Fprintf(t.err, "BigQuery's API at %s, project %s. Ctrl-C stops it.\nIn another shell: eval \"$(mallard serve -env)\"\n", on.URL(),
		on.Project())
	return exitDone, on.Run(ctx)
}
