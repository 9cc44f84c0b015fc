package extension_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/modeltest"
)

// isolatedConfig runs models in a process of their own, which is this test binary.
func isolatedConfig(t testing.TB) *mallard.Config {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg := config(t)
	cfg.TensorFlow.Isolation, cfg.TensorFlow.Worker = "process", program
	return cfg
}

// workers are the processes of engines that this process has.
func workers(t testing.TB) []int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, f := range tasks {
		b, _ := os.ReadFile(f) // a thread that is gone has none
		for child := range strings.FieldsSeq(string(b)) {
			if args, _ := os.ReadFile("/proc/" + child + "/cmdline"); bytes.Contains(args, []byte("mallard-worker")) {
				pid, err := strconv.Atoi(child)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, pid)
			}
		}
	}
	return all
}

// TestFixturesIsolated: a process of its own gives what TensorFlow in Python gave, for each tensor type, shape and signature.
func TestFixturesIsolated(t *testing.T) {
	db := open(t, "", isolatedConfig(t))
	files, err := filepath.Glob("../testdata/models/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) { testFixture(t, file, name, func() *sql.DB { return db }) })
	}
	if n := len(workers(t)); n != 1 {
		t.Errorf("%d processes for one database", n)
	}

	// A check that fails in one of TensorFlow's own kernels: the statement fails, and the next one has its rows.
	exec(t, db, createModel("checked", "failed_check", t))
	const query = "SELECT count(y) FROM ML.PREDICT(MODEL checked, (SELECT CASE WHEN i = 1234 THEN %d ELSE 4 END AS x FROM range(2000) t(i)))"
	_, err = db.ExecContext(t.Context(), fmt.Sprintf(query, 253))
	for _, word := range []string{"model checked", "rows, which are among rows 1 to 2000", "Check failed: dims() < MaxDimensions() (254 vs. 254)", "SIGABRT"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("a failed check does not say %q: %v", word, err)
		}
	}
	if got := one[int](t, db, fmt.Sprintf(query, 5)); got != 2000 {
		t.Errorf("%d rows after a failed check", got)
	}
}

// TestIsolatedEqual: both modes give the same, with NULLs, empty and long texts, and many chunks.
func TestIsolatedEqual(t *testing.T) {
	here, there := open(t, "", config(t)), open(t, "", isolatedConfig(t))
	for _, tt := range []struct{ model, query string }{
		{"text_classifier", "SELECT CASE WHEN i % 7 > 0 THEN repeat('duck ' || i, i % 40) END AS input, i FROM range(5000) t(i)"},
		{"swivel_like", "SELECT CASE WHEN i % 5 > 0 THEN 'w' || i END AS content, i FROM range(3000) t(i)"},
		{"perceptron", "SELECT i AS a, nullif(i % 3, 0) AS b, i AS c, -i AS d, i FROM range(9000) t(i)"},
	} {
		query := "SELECT string_agg(p::VARCHAR, chr(10) ORDER BY i) FROM ML_PREDICT('m', '" + strings.ReplaceAll(tt.query, "'", "''") + "') AS p"
		exec(t, here, createModel("m", tt.model, t))
		exec(t, there, createModel("m", tt.model, t))
		apart := func(r rune) bool { return strings.ContainsRune(" ,[]{}:'\n", r) }
		want := strings.FieldsFunc(one[string](t, here, query), apart)
		got := strings.FieldsFunc(one[string](t, there, query), apart)
		if len(got) != len(want) || len(got) < 3000 {
			t.Fatalf("%s: %d words of results in a process of its own, %d in this one", tt.model, len(got), len(want))
		}
		for i := range want { // the last bits hang on the rows that share a run, in each mode: see docs/reliability.md
			if got[i] == want[i] {
				continue
			}
			x, errX := strconv.ParseFloat(got[i], 64)
			y, errY := strconv.ParseFloat(want[i], 64)
			if err := errors.Join(errX, errY, modeltest.Check(x, y, modeltest.Tolerance("float32", modeltest.BasicPitch))); err != nil {
				t.Fatalf("%s: word %d: %v", tt.model, i, err)
			}
		}
	}
	if err := there.Close(); err != nil {
		t.Error(err)
	}
	if all := workers(t); len(all) > 0 {
		t.Errorf("processes %v outlive their database", all)
	}
}

// killedWorkers kills the process of an engine under a query, again and again. The query fails and names the model and the signal, or has all
// of its rows where no run was lost; the next one has its answer.
func killedWorkers(t *testing.T, times int) string {
	db := open(t, "", isolatedConfig(t))
	exec(t, db, createModel("m", "perceptron", t))
	want := one[float64](t, db, fmt.Sprintf(sumOfScores, 5))
	signals := []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT, syscall.SIGSEGV}
	failed, kills := 0, 0
	const rows = 400000
	for i := range 3 * times {
		type answer struct {
			n   int
			err error
		}
		done := make(chan answer)
		go func() {
			var a answer
			a.err = db.QueryRowContext(t.Context(), fmt.Sprintf("SELECT count(score) FROM ML.PREDICT(MODEL m, "+
				"(SELECT i AS a, i AS b, i AS c, i AS d FROM range(%d) t(i)))", rows)).Scan(&a.n)
			done <- a
		}()
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond) // anywhere
		for _, pid := range workers(t) {
			if err := syscall.Kill(pid, signals[i%3]); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Error(err)
			}
			kills++
		}
		a := <-done
		switch name := unix.SignalName(signals[i%3]); {
		case a.err == nil && a.n != rows:
			t.Errorf("%d rows, want %d", a.n, rows)
		case a.err == nil:
		case !strings.Contains(a.err.Error(), "model m") || !strings.Contains(a.err.Error(), name):
			t.Errorf("after %s: %v", name, a.err)
		default:
			failed++
		}
		if got := one[float64](t, db, fmt.Sprintf(sumOfScores, 5)); math.Abs(got-want) > 1e-5 {
			t.Errorf("after a kill: %v, want %v", got, want)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if all := workers(t); len(all) > 0 {
		t.Errorf("processes %v outlive their database", all)
	}
	return fmt.Sprintf("%d processes of engines killed, %d queries failed, the others and each next one answered", kills, failed)
}

// TestKilledWorkers is a part of `make faults`.
func TestKilledWorkers(t *testing.T) { t.Log(killedWorkers(t, *faults)) }
