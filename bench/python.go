package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// envPython names an interpreter that has the packages of requirements.txt, to be used instead of our own environment.
const envPython = "MALLARD_BENCH_PYTHON"

// findPython gives an interpreter with the pinned packages. It makes an environment for it when there is none.
func findPython(ctx context.Context, b *bench) (string, error) {
	if p := os.Getenv(envPython); p != "" {
		return p, nil
	}
	venv := b.file("venv")
	python := filepath.Join(venv, "bin", "python")
	want, err := files.ReadFile("requirements.txt")
	if err != nil {
		return "", err
	}
	stamp := filepath.Join(venv, "requirements.installed")
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, want) {
		return python, nil
	}
	b.progress("making a Python environment in %s (once; some 300 MB)", venv)
	for _, args := range [][]string{
		{"python3", "-m", "venv", venv},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", b.file("requirements.txt")},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w; or point %s to a Python that has requirements.txt installed", cmd, err, envPython)
		}
	}
	return python, os.WriteFile(stamp, want, 0o644)
}

// peer is the Python process.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// request is what peer.py's run takes.
type request struct {
	Name    string   `json:"name"`
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
	Output  string   `json:"output"`
	Batch   int      `json:"batch"`
	Workers int      `json:"workers"`
	Mode    string   `json:"mode"`
	XLA     bool     `json:"xla"`
	Sort    bool     `json:"sort"`
}

func (j *job) request(batch, workers int, mode string) request {
	return request{Name: j.name, Table: j.table, Columns: j.columns, Output: j.output, Batch: batch, Workers: workers, Mode: mode}
}

// peer starts the process at its first use.
func (b *bench) peer() (*peer, error) {
	if b.peer_ != nil {
		return b.peer_, nil
	}
	cmd := exec.Command(b.python, b.file("peer.py"), b.data.file, b.file("models"))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(b.file("peer.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b.peer_ = &peer{cmd, in, bufio.NewReader(out)}
	return b.peer_, nil
}

func (p *peer) run(r request) (lap, float64, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return lap{}, 0, err
	}
	if _, err := p.in.Write(append(body, '\n')); err != nil {
		return lap{}, 0, fmt.Errorf("python: %w (see peer.log)", err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return lap{}, 0, fmt.Errorf("python: %w (see peer.log)", err)
	}
	var answer struct {
		Seconds, CPU float64
		Value        float64
		Error        string
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return lap{}, 0, fmt.Errorf("python: %w", err)
	}
	if answer.Error != "" {
		return lap{}, 0, errors.New("python: " + answer.Error)
	}
	return lap{time.Duration(answer.Seconds * 1e9), time.Duration(answer.CPU * 1e9)}, answer.Value, nil
}

func (p *peer) close() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// contestant makes one of a request.
func (p *peer) contestant(name string, rows int, r request) contestant {
	return contestant{name: name, rows: rows, run: func(context.Context) (lap, error) {
		d, _, err := p.run(r)
		return d, err
	}}
}

// bestPython tries batch sizes, on one thread and on all, and gives the fastest request.
func (b *bench) bestPython(ctx context.Context, p *peer, j *job, rows int, xla bool) (best request, err error) {
	var fastest time.Duration
	tried := map[int]bool{}
	if _, _, err := p.run(j.request(min(j.batches[0], rows), 1, "count")); err != nil { // loads everything
		return best, err
	}
	for _, batch := range j.batches {
		batch = min(batch, rows)
		if tried[batch] {
			continue
		}
		tried[batch] = true
		for _, workers := range workerCounts(b.threads) {
			if err := ctx.Err(); err != nil {
				return best, err
			}
			r := j.request(batch, workers, "count")
			r.XLA = xla
			if xla { // compiles once per batch shape
				if _, _, err := p.run(r); err != nil {
					return best, err
				}
			}
			d, _, err := p.run(r)
			if err != nil {
				return best, err
			}
			b.progress("  Python%s, batch %6d, %d threads: %s", map[bool]string{true: " with XLA"}[xla], batch, workers,
				speed(rows, d.wall.Seconds()))
			b.entries = append(b.entries, entry{measure: j.name + " tuning", name: fmt.Sprintf("Python%s, batch %d, %d threads",
				map[bool]string{true: " XLA"}[xla], batch, workers), rows: rows, seconds: d.wall.Seconds(), cpu: d.cpu.Seconds()})
			if fastest == 0 || d.wall < fastest {
				best, fastest = r, d.wall
			}
		}
	}
	return best, nil
}

func workerCounts(threads int) []int {
	if threads == 1 {
		return []int{1}
	}
	return []int{1, threads}
}
