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
)

// The files beside the output of a job that is not done.
const (
	work     = "_mallard"      // the folder of all of them, which goes when the job is done
	manifest = "job.json"      // the job's ID
	listing  = "shards.jsonl"  // its shards: a job of 100,000 is too large for a runner's description of it
	staging  = "staged"        // outputs under their temporary names, each with a record
	triesDir = "tries"         // a file for each try of a shard that has begun
	answers  = "answers"       // databases with answers of remote models
	Failed   = "_FAILED.jsonl" // the dead letters, in the output's folder
	Success  = "_SUCCESS"      // the summary of a job that is done, in the output's folder
	combined = "combined"      // what -combine gives
	unended  = ".unfinished"   // ends the name of a file that is being written
	record   = ".json"         // ends the name of the record of a staged output
	folders  = fs.FileMode(0o755)
)

func (s *Spec) staging() string { return filepath.Join(s.Output, work, staging) }

// shardDir is a shard's folder below one of these: a folder with all of them would be read anew for each.
func (s *Spec) shardDir(kind string, shard int) string {
	return filepath.Join(s.Output, work, kind, fmt.Sprintf("%06d", shard))
}

// Begun counts the shards that this run has begun.
func (s *Spec) Begun() int {
	all, _ := os.ReadDir(filepath.Join(s.Output, work, triesDir)) // for people to look at
	return len(all)
}

// WriteShards keeps the list of shards for the workers, and ReadShards reads it.
func (s *Spec) WriteShards(all []Shard) error {
	var b bytes.Buffer
	lines := json.NewEncoder(&b)
	for _, sh := range all {
		if err := lines.Encode(sh); err != nil {
			return err
		}
	}
	return write(filepath.Join(s.Output, work, listing), b.Bytes())
}

// ReadShards gives the lines of the list.
func (s *Spec) ReadShards() ([]string, error) {
	b, err := os.ReadFile(filepath.Join(s.Output, work, listing))
	if err != nil {
		return nil, err
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n"), nil
}

// Begin makes the output's folder, or takes up a job that was killed. A folder with anything else in it is refused.
func (s *Spec) Begin() (resumed bool, err error) {
	entries, err := os.ReadDir(s.Output)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("output %s: %w; name a folder", s.Output, err)
	case len(entries) > 0:
		had, err := os.ReadFile(filepath.Join(s.Output, work, manifest))
		switch {
		case err != nil:
			return false, fmt.Errorf("output %s exists and is not empty (%s); name another folder, or remove it", s.Output, entries[0].Name())
		case strings.TrimSpace(string(had)) != s.ID():
			return false, fmt.Errorf("output %s is that of another job, which has not ended: its statement, its files or its options differ; "+
				"run that one again, name another folder, or remove it", s.Output)
		}
		resumed = true
	}
	for _, dir := range []string{staging, triesDir, answers} {
		if err := os.MkdirAll(filepath.Join(s.Output, work, dir), folders); err != nil {
			return false, fmt.Errorf("output %s cannot be written: %w", s.Output, err)
		}
	}
	if resumed {
		// A run that is asked for again is given all its tries again.
		if err := errors.Join(os.RemoveAll(filepath.Join(s.Output, work, triesDir)), os.Mkdir(filepath.Join(s.Output, work, triesDir), folders),
			remove(filepath.Join(s.Output, Failed))); err != nil {
			return false, fmt.Errorf("output %s cannot be written: %w", s.Output, err)
		}
	}
	if err := write(filepath.Join(s.Output, work, manifest), []byte(s.ID()+"\n")); err != nil {
		return false, fmt.Errorf("output %s cannot be written: %w", s.Output, err)
	}
	return resumed, nil
}

// write puts a file in its place whole.
func write(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+"-*"+unended)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, remove(f.Name()))
	}
	return nil
}

// remove takes a file away that may be gone.
func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// placeFinal gives a staged file its final name unless a file has it: then that one stays. It reports whether it did.
func placeFinal(from, to string) (bool, error) {
	err := os.Link(from, to) // unlike a rename, it takes no file's place
	switch {
	case err == nil:
		return true, remove(from)
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	if _, stat := os.Stat(to); stat == nil {
		return false, nil
	}
	return true, os.Rename(from, to) // a file system without links; the finishing step of a shard is alone with it
}

// glob gives the files of patterns, each once and sorted by name: all of a file, not yet cut.
func (in inputs) glob(ctx context.Context, patterns []string) (all []Shard, err error) {
	seen := map[string]bool{}
	for _, p := range patterns {
		find := glob
		if isObject(p) {
			find = func(p string) ([]Shard, error) { return in.list(ctx, p) }
		}
		files, err := find(strings.TrimPrefix(p, "file://"))
		if err != nil {
			return nil, fmt.Errorf("-input %s: %w", p, err)
		}
		for _, f := range files {
			if !seen[f.Path] {
				seen[f.Path] = true
				all = append(all, f)
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no -input: name files, such as -input 'logs/*.parquet'")
	}
	slices.SortFunc(all, func(a, b Shard) int { return cmp.Compare(a.Path, b.Path) })
	return all, nil
}

// glob gives the files of this machine that a pattern names.
func glob(pattern string) (all []Shard, err error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no such file")
	}
	for _, name := range names {
		if name, err = filepath.Abs(name); err != nil {
			return nil, err
		}
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			all = append(all, Shard{Path: name, Size: info.Size(), Stamp: info.ModTime().UnixNano()})
		}
	}
	return all, nil
}
