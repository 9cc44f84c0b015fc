package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// envChild holds the task of a child: some things can only be measured from a process's start to its end.
const envChild = "MALLARD_BENCH_CHILD"

// task is what a child is to do.
type task struct {
	Dir, DB string
	Model   string
	Setup   []string
	Query   string
	Args    []string

	Serve []service // instead of all that
}

// outcome is what it found.
type outcome struct {
	Row  string // the first row's only value
	Peak int64  // bytes of resident memory at its highest
}

func isChild() bool { return os.Getenv(envChild) != "" }

// runChild runs a task: one query, its first value and the peak memory on stdout; or services.
func runChild() {
	var t task
	err := json.Unmarshal([]byte(os.Getenv(envChild)), &t)
	switch {
	case err != nil:
	case len(t.Serve) > 0:
		err = serve(t.Serve, os.Stdin, os.Stdout)
	default:
		var out outcome
		if out, err = child(context.Background(), t); err == nil {
			body, _ := json.Marshal(out)
			os.Stdout.Write(append(body, '\n'))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(ctx context.Context, t task) (outcome, error) {
	var models []string
	if t.Model != "" {
		models = append(models, t.Model)
	}
	m, err := openMallard(ctx, t.Dir, t.DB, false, models...)
	if err != nil {
		return outcome{}, err
	}
	for _, s := range t.Setup {
		if err := m.exec(ctx, s); err != nil {
			return outcome{}, fmt.Errorf("%s: %w", s, err)
		}
	}
	args := make([]any, len(t.Args))
	for i, a := range t.Args {
		args[i] = a
	}
	var o outcome
	if strings.HasPrefix(t.Query, "SELECT") {
		var v any
		if err := m.conn.QueryRowContext(ctx, t.Query, args...).Scan(&v); err != nil {
			return outcome{}, fmt.Errorf("%s: %w", t.Query, err)
		}
		o.Row = fmt.Sprint(v)
	} else if err := m.exec(ctx, t.Query); err != nil {
		return outcome{}, fmt.Errorf("%s: %w", t.Query, err)
	}
	o.Peak = peakMemory()
	return o, nil
}

// peakMemory reads VmHWM, 0 where there is none.
func peakMemory() int64 {
	body, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

// spawn runs a task in a new process of this program.
func (b *bench) spawn(ctx context.Context, t task) (o outcome, err error) {
	cmd, err := t.command(ctx)
	if err != nil {
		return o, err
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return o, fmt.Errorf("child: %w: %s", err, errs.String())
	}
	return o, json.Unmarshal(out, &o)
}

// command is this program with a task.
func (t task) command(ctx context.Context) (*exec.Cmd, error) {
	spec, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), envChild+"="+string(spec), "TF_CPP_MIN_LOG_LEVEL=3")
	return cmd, nil
}
