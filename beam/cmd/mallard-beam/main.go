// Command mallard-beam runs a statement over the files of a relation on Apache Beam: see docs/scale.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/x/beamx"

	"golang.org/x/term"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/beam/job"
	"github.com/mallardml/mallard/beam/pipeline"
	"github.com/mallardml/mallard/internal/amount"
)

// Exit codes, those of mallard.
const (
	exitFailed = 1
	exitUsage  = 2
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// options are the flags. Those of the runner, such as -project and -region of dataflow, stand beside them.
type options struct {
	file, text, output, config, dialect, combine, format, inputFormat, memory string
	inputs, models, tables                                                    list
	workers, parallel, tries                                                  int
	size                                                                      int64
	csvLines, verbose                                                         bool
}

func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.file, "f", "", "file with the statements; the last one is the query over the relation input")
	f.StringVar(&o.text, "c", "", "the statements themselves")
	f.Var(&o.inputs, "input", "files of Parquet, CSV or JSON lines: a name, a pattern, or gs://BUCKET/NAME with one *; may be repeated")
	f.StringVar(&o.inputFormat, "input-format", "", "parquet, csv or json; told by the files' names else")
	f.StringVar(&o.output, "output", "", "folder of the output, which does not exist yet, or is that of the same job when it was killed")
	f.StringVar(&o.format, "format", "parquet", "of the output: parquet, csv or json")
	f.StringVar(&o.config, "config", "", "configuration file; the one that mallard finds else")
	f.Var(&o.models, "model", "NAME=FILE, an archive that mallard model export has written; may be repeated")
	f.Var(&o.tables, "table", "NAME=FILE, a small table that each worker holds whole; may be repeated")
	f.StringVar(&o.dialect, "dialect", "auto", "of the statements: auto, duckdb or bigquery")
	f.StringVar(&o.combine, "combine", "", "a query over the relation output, all shards' rows, that finishes aggregates")
	f.Int64Var(&o.size, "shard-size", 256<<20, "bytes from which a file is cut into several shards; 0 cuts none")
	f.BoolVar(&o.csvLines, "csv-lines", false, "no value of the CSV files holds a newline, so that they may be cut")
	f.IntVar(&o.workers, "workers", 1, "processes that run at once at most: they share the budgets, paces and slots of remote models")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "shards that a process runs at once")
	f.StringVar(&o.memory, "memory", "", "of DuckDB in a process, such as 2GB; DuckDB's own default else")
	f.BoolVar(&o.verbose, "v", false, "write what the runner logs, too")
	f.IntVar(&o.tries, "tries", 3, "of a shard, before it is left out and told in _FAILED.jsonl")
}

func main() {
	var o options
	o.register(flag.CommandLine)
	flag.Usage = usage
	flag.Parse()
	if !o.verbose {
		log.LogLevel = "warn"
	}
	beam.Init() // a worker's process goes no further
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "mallard-beam: %q is no flag; see mallard-beam -help\n", flag.Arg(0))
		os.Exit(exitUsage)
	}
	if err := run(context.Background(), &o); err != nil {
		fmt.Fprintf(os.Stderr, "mallard-beam: %v\n", err)
		os.Exit(exitFailed)
	}
}

func usage() {
	fmt.Fprint(flag.CommandLine.Output(), "usage: mallard-beam -f FILE | -c SQL -input FILES -output FOLDER [OPTIONS]\n"+
		"Runs a statement over many files on Apache Beam; -runner is prism (here), dataflow, flink, spark or universal.\n\n")
	flag.PrintDefaults()
}

func run(ctx context.Context, o *options) error {
	from, src := "-c", o.text
	if (o.text == "") == (o.file == "") {
		return errors.New("give the statements with -f FILE or with -c SQL")
	}
	if o.file != "" {
		b, err := os.ReadFile(o.file)
		if err != nil {
			return err
		}
		from, src = o.file, string(b)
	}
	s, err := o.spec()
	if err != nil {
		return err
	}
	cut := job.Cutting{Size: o.size, CSVLines: o.csvLines}
	if o.inputFormat != "" {
		if cut.Format, err = job.ParseFormat(o.inputFormat); err != nil {
			return err
		}
	}
	begin := time.Now()
	shards, err := s.Cut(ctx, o.inputs, cut)
	if err != nil {
		return err
	}
	if err := s.Statement(ctx, from, src, o.combine); err != nil {
		return err
	}
	resumed, err := s.Begin()
	if err != nil {
		return err
	}
	verb := "running"
	if resumed {
		verb = "going on with"
	}
	fmt.Fprintf(os.Stderr, "mallard-beam: %s %d shards of %d columns into %s\n", verb, len(shards), len(s.Columns), s.Output)
	p, scope := beam.NewPipelineWithRoot()
	if err := pipeline.Build(scope, *s, shards, o.combine); err != nil {
		return err
	}
	stop := progress(s, len(shards))
	err = beamx.Run(ctx, p)
	stop()
	if err := errors.Join(err, pipeline.CloseWorkers()); err != nil {
		return err
	}
	return report(s, len(shards), time.Since(begin))
}

// progress tells a person at a terminal how many shards have begun, until it is stopped.
func progress(s *job.Spec, shards int) (stop func()) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return func() {}
	}
	const clearLine = "\r\x1b[K"
	ended, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		for tick := time.Tick(time.Second); ; {
			select {
			case <-ended:
				fmt.Fprint(os.Stderr, clearLine)
				return
			case <-tick:
				fmt.Fprintf(os.Stderr, clearLine+"%s of %s begun", amount.Grouped(s.Begun()), amount.Of(shards, "shard"))
			}
		}
	}()
	return func() { close(ended); <-told }
}

// report says what the job did, by what it left in its output's folder.
func report(s *job.Spec, shards int, took time.Duration) error {
	failed := filepath.Join(s.Output, job.Failed)
	if b, err := os.ReadFile(failed); err == nil {
		first, _, _ := strings.Cut(string(b), "\n")
		return fmt.Errorf("%d of %d shards failed, and %s says why; the others are done, and the same command runs these again. The first: %s",
			strings.Count(string(b), "\n"), shards, failed, first)
	}
	b, err := os.ReadFile(filepath.Join(s.Output, job.Success))
	if err != nil {
		return fmt.Errorf("the job ended without a summary: %w", err)
	}
	var sum job.Summary
	if err := json.Unmarshal(b, &sum); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "mallard-beam: %s (%s done before), %s in, %s out, %s failed, in %.1f s: %s rows/s\n",
		amount.Of(sum.Shards, "shard"), amount.Grouped(sum.Reused), amount.Of(sum.RowsIn, "row"), amount.Grouped(sum.RowsOut),
		amount.Grouped(sum.RowsFailed), took.Seconds(), amount.Grouped(int64(float64(sum.RowsIn)/took.Seconds())))
	if sum.Requests > 0 || sum.Cached > 0 {
		fmt.Fprintf(os.Stderr, "mallard-beam: %s, %s again, %s from the cache, %s, %s of money\n", amount.Of(sum.Requests, "request"),
			amount.Grouped(sum.Retries), amount.Of(sum.Cached, "answer"), amount.Of(sum.Tokens, "token"), amount.Money(sum.Money))
	}
	return nil
}

// absolute gives a file's whole name: a worker may stand in another folder.
func absolute(file string) string {
	if whole, err := filepath.Abs(file); err == nil {
		return whole
	}
	return file
}

// spec gathers what the flags say.
func (o *options) spec() (*job.Spec, error) {
	format, err := job.ParseFormat(o.format)
	if err != nil {
		return nil, err
	}
	s := &job.Spec{Dialect: o.dialect, Models: o.models, Output: strings.TrimPrefix(o.output, "file://"), OutputFormat: format,
		Workers: o.workers, Parallel: o.parallel, Memory: o.memory, Tries: o.tries}
	for _, t := range o.tables {
		name, file, ok := strings.Cut(t, "=")
		if !ok {
			return nil, fmt.Errorf("-table %s: write NAME=FILE", t)
		}
		s.Tables = append(s.Tables, job.Table{Name: name, File: file})
	}
	for i := range s.Tables {
		s.Tables[i].File = absolute(s.Tables[i].File)
	}
	for i, m := range s.Models {
		name, file, ok := strings.Cut(m, "=")
		if !ok {
			return nil, fmt.Errorf("-model %s: write NAME=FILE", m)
		}
		s.Models[i] = name + "=" + absolute(file)
	}
	if s.ConfigFile = o.config; s.ConfigFile == "" {
		s.ConfigFile = mallard.FindConfig(os.Getenv)
	}
	if s.ConfigFile != "" {
		b, err := os.ReadFile(s.ConfigFile)
		if err != nil {
			return nil, fmt.Errorf("-config: %w", err)
		}
		s.ConfigText = string(b)
		if s.ConfigFile, err = filepath.Abs(s.ConfigFile); err != nil {
			return nil, err
		}
	}
	if strings.Contains(s.Output, "://") {
		return nil, fmt.Errorf("-output %s: output is written to folders alone; name one that all workers see, such as that of a mounted bucket",
			s.Output)
	}
	if s.Output != "" {
		if s.Output, err = filepath.Abs(s.Output); err != nil {
			return nil, err
		}
	}
	return s, s.Validate()
}
