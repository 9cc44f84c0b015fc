// Package job is a statement over the files of one relation, run in parts: what the parts are, how a worker runs one, and how its
// output gets its name. It knows no runner: package pipeline gives it to Apache Beam.
package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Spec is all that a worker must know. It travels as JSON, so that a worker may be another machine.
type Spec struct {
	Setup   string // statements before the query: CREATE MODEL and its like, run once by each worker
	Query   string // one query over the relation input
	Dialect string // auto, duckdb or bigquery
	Export  bool   // the query is GoogleSQL, which writes files with EXPORT DATA and not with COPY

	ConfigFile, ConfigText string   // the configuration; its text is for workers that do not see the file
	Models                 []string // NAME=FILE, archives of `mallard model export`
	Tables                 []Table  // small tables, whole in each worker

	Format  Format   // of the input
	Columns []Column // of the input: what each shard must have

	Output       string // a folder
	OutputFormat Format
	Shards       int    // how many there are
	Inputs       string // a digest of the shards: another list of files is another job

	Workers  int    // processes that run at once, which share the limits of remote models
	Parallel int    // shards that a process runs at once
	Memory   string // DuckDB's memory_limit in a process
	Tries    int    // of a shard, before it goes to the dead letters
}

// Table is a small table beside the input.
type Table struct{ Name, File string }

// Column is a column of the input, with DuckDB's type.
type Column struct{ Name, Type string }

// Format is that of files.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
	JSON    Format = "json" // lines
)

// FormatOf tells a file's format by its name.
func FormatOf(name string) (Format, error) {
	base := strings.ToLower(name)
	for _, packed := range []string{".gz", ".zst"} {
		base = strings.TrimSuffix(base, packed)
	}
	switch filepath.Ext(base) {
	case ".parquet":
		return Parquet, nil
	case ".csv", ".tsv":
		return CSV, nil
	case ".json", ".jsonl", ".ndjson", ".jsonlines":
		return JSON, nil
	}
	return "", fmt.Errorf("%s: the name does not tell whether it is Parquet, CSV or JSON lines; rename it, or give -input-format", name)
}

// ParseFormat reads the name of a format.
func ParseFormat(s string) (Format, error) {
	switch f := Format(strings.ToLower(s)); f {
	case Parquet, CSV, JSON:
		return f, nil
	case "jsonlines", "jsonl", "ndjson":
		return JSON, nil
	}
	return "", fmt.Errorf("unknown format %q: use parquet, csv or json", s)
}

// ID names the job: the same statement over the same files into the same folder. How many workers run it, and how, is no part of it.
func (s *Spec) ID() string {
	same := *s
	same.Workers, same.Parallel, same.Memory, same.Tries = 0, 0, "", 0
	b, err := json.Marshal(same)
	if err != nil { // texts and numbers only
		panic("job: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Final is the name of a shard's output.
func (s *Spec) Final(shard int) string {
	return fmt.Sprintf("part-%06d-of-%06d.%s", shard, s.Shards, s.OutputFormat)
}

// Validate refuses what no worker could run.
func (s *Spec) Validate() error {
	switch {
	case s.Output == "":
		return errors.New("there is no -output; name a folder that does not exist yet")
	case s.Tries < 1 || s.Parallel < 1 || s.Workers < 1:
		return errors.New("-tries, -parallel and -workers are 1 or more")
	}
	for _, c := range s.Memory {
		if !strings.ContainsRune("0123456789.KMGTiB% ", c) {
			return fmt.Errorf("-memory %q: write it as 2GB or 512MiB", s.Memory)
		}
	}
	return nil
}

// Shard is a part of the input that one statement runs over.
type Shard struct {
	Index int
	Path  string
	Size  int64 // of the whole file, in bytes
	Stamp int64 // when it was last changed: a file that changes during a job fails its shards
	// Begin and End are rows of a Parquet file, or bytes of a file of lines; a shard has the lines that begin within. Both
	// zero are the whole file.
	Begin, End int64
}

// String names it in messages.
func (s Shard) String() string {
	if s.End == 0 {
		return s.Path
	}
	unit := "bytes"
	if f, err := FormatOf(s.Path); err == nil && f == Parquet {
		unit = "rows"
	}
	return fmt.Sprintf("%s (%s %d to %d)", s.Path, unit, s.Begin, s.End)
}

// Done is what became of a shard: its output under a name that is not yet the final one, or its error.
type Done struct {
	Shard  Shard
	Staged string // the file, below the staging folder; "" where it failed
	Error  string
	Code   string // of the error, as mallard.CodeOf gives it
	Tries  int

	RowsIn, RowsOut, RowsFailed int64
	Seconds                     float64 // of the statement
	Requests, Retries, Cached   int64   // of remote models
	Tokens                      int64
	Money                       float64
	Reused                      bool // a run before this one had done it
}
