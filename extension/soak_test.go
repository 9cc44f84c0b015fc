package extension_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

var soak = flag.Duration("soak", 0, "how long TestSoak runs; 0 skips it")

// TestSoak: mixed work over a pool for as long as -soak says: predicting, a remote model with faults, objects, models that are made and
// dropped, cancelling. Answers are compared; each minute a line says what the process has, and from the second on it must not grow.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("make soak")
	}
	_, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{
		{Kind: vertextest.Latency, Latency: 5 * time.Millisecond}, {Kind: vertextest.Status, Every: 20}}})
	c := cfg.Connections["default"]
	c.Retry = mallard.RetryConfig{Base: mallard.Duration(time.Millisecond)}
	cfg.Connections["default"] = c
	cfg.Cache.MaxRows = 10_000
	db := open(t, "", cfg)
	db.SetMaxOpenConns(8)
	exec(t, db, createModel("m", "perceptron", t), createG,
		"CREATE EXTERNAL TABLE o OPTIONS (object_metadata = 'SIMPLE', uris = ['"+models(t)+"/text_classifier/*'])")
	want := one[float64](t, db, fmt.Sprintf(sumOfScores, 3000))
	var queries, cancelled, wrong, made atomic.Int64
	work := []func(ctx context.Context) error{
		func(ctx context.Context) error {
			var got float64
			err := db.QueryRowContext(ctx, fmt.Sprintf(sumOfScores, 3000)).Scan(&got)
			if err == nil && (got-want > 0.01 || want-got > 0.01) {
				wrong.Add(1)
			}
			return err
		},
		func(ctx context.Context) error {
			var got int
			err := db.QueryRowContext(ctx, "SELECT count(ml_generate_text_llm_result) FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || (i + ?::INT) AS prompt FROM range(50) t(i)), STRUCT(TRUE AS flatten_json_output))", rand.IntN(100_000)).Scan(&got)
			if err == nil && got != 50 {
				wrong.Add(1)
			}
			return err
		},
		func(ctx context.Context) error {
			var got int
			err := db.QueryRowContext(ctx, "SELECT count(data) FROM o").Scan(&got)
			if err == nil && got != 3 {
				wrong.Add(1)
			}
			return err
		},
		func(ctx context.Context) error {
			name := fmt.Sprint("x", made.Add(1))
			_, err := db.ExecContext(ctx, createModel(name, "swivel_like", t))
			if err == nil {
				_, err = db.ExecContext(context.WithoutCancel(ctx), "DROP MODEL "+name)
			}
			return err
		},
	}
	end := time.Now().Add(*soak)
	done := make(chan error, 1)
	go func() {
		done <- atOnce(1<<40, 8, func(int) error {
			if time.Now().After(end) {
				return errSoaked
			}
			ctx, cancel := t.Context(), context.CancelFunc(func() {})
			if rand.IntN(10) == 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(30))*time.Millisecond)
			}
			defer cancel()
			err := work[rand.IntN(len(work))](ctx)
			queries.Add(1)
			if err != nil && ctx.Err() != nil {
				cancelled.Add(1)
				return nil
			}
			return err
		})
	}()
	fmt.Println("seconds,rss_mb,files,goroutines,tensorflow_sessions,queries,cancelled,wrong")
	tick := time.NewTicker(min(time.Minute, *soak/6))
	defer tick.Stop()
	begin, rss, files := time.Now(), []int{}, []int{}
	for {
		select {
		case err := <-done:
			if !errors.Is(err, errSoaked) {
				t.Error(err)
			}
			if n := wrong.Load(); n > 0 {
				t.Errorf("%d wrong answers", n)
			}
			if n := len(rss); n > 3 && (rss[n-1] > rss[1]+rss[1]/4 || files[n-1] > files[1]+50) {
				t.Errorf("resident memory went from %d to %d MB, open files from %d to %d", rss[1], rss[n-1], files[1], files[n-1])
			}
			return
		case <-tick.C:
			rss, files = append(rss, residentMB()), append(files, openFiles())
			fmt.Printf("%.0f,%d,%d,%d,%d,%d,%d,%d\n", time.Since(begin).Seconds(), rss[len(rss)-1], files[len(files)-1], runtime.NumGoroutine(),
				tensorflow.Live()["sessions"], queries.Load(), cancelled.Load(), wrong.Load())
		}
	}
}

var errSoaked = errors.New("the time is over")

// residentMB is the process's resident memory, where the system tells.
func residentMB() (mb int) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(rest, &mb); err != nil {
		return 0
	}
	return mb / 1024
}
