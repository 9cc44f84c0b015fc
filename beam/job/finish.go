package job

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// Finish gives one of a shard's outputs its final name and removes the others. It may be run again, after a run that died anywhere, and
// with the same outputs twice: the name is given once, and an output that has it stays.
func (s *Spec) Finish(copies []Done) (Done, error) {
	if len(copies) == 0 {
		return Done{}, errors.New("a shard without a result cannot be finished")
	}
	slices.SortFunc(copies, func(a, b Done) int { return cmp.Compare(a.Staged, b.Staged) })
	best := copies[0]
	final := filepath.Join(s.Output, s.Final(best.Shard.Index))
	_, err := os.Stat(final)
	there := err == nil
	for _, d := range copies {
		if d.Staged == "" {
			continue
		}
		if best.Staged == "" {
			best = d
		}
		if !there {
			from := filepath.Join(s.staging(), d.Staged, "part."+string(s.OutputFormat))
			switch _, err := placeFinal(from, final); {
			case err == nil:
				best, there = d, true
			case !errors.Is(err, fs.ErrNotExist):
				return d, fmt.Errorf("output %s cannot be written: %w", final, err)
			}
		}
	}
	if !there && best.Error == "" && !best.Reused {
		return best, fmt.Errorf("%s: its output is gone from %s; run the job again", best.Shard, s.staging())
	}
	if there {
		best.Error = ""
	}
	return best, os.RemoveAll(s.shardDir(staging, best.Shard.Index))
}

// Summary is what a job did.
type Summary struct {
	Shards, Failed, Reused      int
	RowsIn, RowsOut, RowsFailed int64
	Seconds                     float64 // of all statements; several may run at once
	Requests, Retries, Cached   int64
	Tokens                      int64
	Money                       float64
	Tries                       int // beyond the first of each shard
}

// End writes the dead letters, or where there are none gives the job its end: the combined result, the summary, and nothing left of the
// work. It may be run again.
func (s *Spec) End(ctx context.Context, all []Done, combine string) (sum Summary, err error) {
	slices.SortFunc(all, func(a, b Done) int { return cmp.Compare(a.Shard.Index, b.Shard.Index) })
	var letters bytes.Buffer
	for _, d := range all {
		sum.add(d)
		if d.Error != "" {
			b, err := json.Marshal(map[string]any{"shard": d.Shard.Index, "path": d.Shard.Path, "begin": d.Shard.Begin, "end": d.Shard.End,
				"tries": d.Tries, "code": d.Code, "error": d.Error})
			if err != nil {
				return sum, err
			}
			letters.Write(append(b, '\n'))
		}
	}
	if len(all) != s.Shards {
		return sum, fmt.Errorf("the job ended with %d of %d shards; run it again", len(all), s.Shards)
	}
	if sum.Failed > 0 {
		return sum, write(filepath.Join(s.Output, Failed), letters.Bytes())
	}
	if combine != "" {
		if err := s.combine(ctx, combine); err != nil {
			return sum, err
		}
	}
	b, err := json.MarshalIndent(sum, "", "  ")
	if err != nil {
		return sum, err
	}
	if err := write(filepath.Join(s.Output, Success), append(b, '\n')); err != nil {
		return sum, err
	}
	return sum, os.RemoveAll(filepath.Join(s.Output, work))
}

func (sum *Summary) add(d Done) {
	sum.Shards++
	if d.Error != "" {
		sum.Failed++
	}
	if d.Reused {
		sum.Reused++
	}
	sum.RowsIn, sum.RowsOut, sum.RowsFailed = sum.RowsIn+d.RowsIn, sum.RowsOut+d.RowsOut, sum.RowsFailed+d.RowsFailed
	sum.Seconds += d.Seconds
	sum.Requests, sum.Retries, sum.Cached = sum.Requests+d.Requests, sum.Retries+d.Retries, sum.Cached+d.Cached
	sum.Tokens, sum.Money = sum.Tokens+d.Tokens, sum.Money+d.Money
	sum.Tries += max(0, d.Tries-1)
}

// combine runs a statement over the relation output, the rows of all shards, into a file of the output's folder.
func (s *Spec) combine(ctx context.Context, statement string) (err error) {
	w, err := open(ctx, s, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	parts := reader(s.OutputFormat, filepath.Join(s.Output, "part-*."+string(s.OutputFormat)), nil)
	if err := w.exec(ctx, "CREATE VIEW "+quote.Name("output")+" AS FROM "+parts); err != nil {
		return fmt.Errorf("-combine: %w", err)
	}
	of := *s
	of.Query = strings.TrimRight(strings.TrimSpace(statement), ";")
	out := filepath.Join(s.Output, work, combined+"."+string(s.OutputFormat))
	if _, err := w.db.ExecContext(ctx, s.Setup+of.writing(out)); err != nil {
		return rendered("-combine", err)
	}
	return os.Rename(out, filepath.Join(s.Output, combined+"."+string(s.OutputFormat)))
}
