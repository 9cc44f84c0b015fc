package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mallardml/mallard/internal/config"
)

// isolated compares models in a process of their own ([tensorflow] isolation = "process") with the same in this one.
func isolated(ctx context.Context, b *bench) error {
	if runtime.GOOS != "linux" {
		b.progress("isolated: there is no process for models on %s", runtime.GOOS)
		return nil
	}
	for _, x := range []struct {
		j    *job
		most float64 // times what it takes here
	}{{classifier, 1.15}, {perceptron, 2}} {
		if err := b.isolation(ctx, x.j, x.most); err != nil {
			return fmt.Errorf("%s: %w", x.j.name, err)
		}
	}
	return nil
}

func (b *bench) isolation(ctx context.Context, j *job, most float64) error {
	rows := j.rows(b.options)
	here, there := j.name+", in this process", j.name+", in a process of its own"
	var cs []contestant
	var sums []float64
	for _, name := range []string{here, there} {
		cfg := config.DefaultConfig()
		cfg.Store.Path = b.file("store")
		if name == there {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			cfg.TensorFlow.Isolation, cfg.TensorFlow.Worker = "process", program
		}
		m, err := openModels(ctx, b.dir, "", cfg, j.name)
		if err != nil {
			return err
		}
		defer m.close()
		if err := m.load(ctx, b.data, j.table); err != nil {
			return err
		}
		sum, err := m.checksum(ctx, native, j)
		if err != nil {
			return err
		}
		sums = append(sums, sum)
		cs = append(cs, contestant{name, rows, func(ctx context.Context) (lap, error) {
			before := workersTime()
			d, err := m.aggregate(ctx, native, j, rows)
			d.cpu += workersTime() - before
			return d, err
		}, true})
	}
	if !near(sums[0], sums[1]) {
		return fmt.Errorf("all outputs add up to %g, in a process of their own to %g", sums[0], sums[1])
	}
	ts, err := b.race(ctx, "isolated", cs)
	if err != nil {
		return err
	}
	b.ratios = append(b.ratios,
		ratio{"isolated", there + " / in this one", ts.over(there, here), atMost, most},
		ratio{"isolated", "the same in processor time of both processes", quotients(ts.cpu[there], ts.cpu[here]), atMost, most})
	return nil
}

// workersTime is the processor time that child processes have taken so far. What [syscall.Getrusage] says of children counts only those
// that ended.
func workersTime() time.Duration {
	tasks, _ := filepath.Glob("/proc/self/task/*/children") // none says that there are no children
	total := time.Duration(0)
	for _, file := range tasks {
		children, _ := os.ReadFile(file)
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				continue
			}
			const scheduled = 2 // CPUCLOCK_SCHED: the clock of a process by its number, as clock_getcpuclockid gives it
			var used unix.Timespec
			if unix.ClockGettime(int32(^pid<<3|scheduled), &used) == nil {
				total += time.Duration(used.Nano())
			}
		}
	}
	return total
}
