package extension_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
)

func connect(t *testing.T, dsn string, cfg *mallard.Config) *sql.DB {
	t.Helper()
	c, err := extension.NewConnector(dsn, extension.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return sql.OpenDB(c)
}

// use runs statements that need the private connections of an instance.
func use(db *sql.DB) error {
	var n int
	if err := db.QueryRow("SELECT count(*) FROM ml_models()").Scan(&n); err != nil {
		return err
	}
	if err := db.QueryRow("SELECT ML.DISTANCE([1.0, 2.0], [1.0, 2.0])").Scan(new(float64)); err != nil {
		return err
	}
	return db.QueryRow("SELECT count(*) FROM object_table('share_test.go')").Scan(&n)
}

// concurrently runs use on many connections at once.
func concurrently(t *testing.T, db *sql.DB) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = use(db) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestClosedInAnyOrder: what connectors to one file share lives as long as one of them.
func TestClosedInAnyOrder(t *testing.T) {
	cfg := config(t)
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "shared.db")
			dbs := []*sql.DB{connect(t, file, cfg), connect(t, file, cfg), connect(t, file, cfg)}
			open := map[int]bool{0: true, 1: true, 2: true}
			for _, i := range order {
				for j := range dbs {
					if open[j] {
						concurrently(t, dbs[j])
					}
				}
				if err := dbs[i].Close(); err != nil {
					t.Fatal(err)
				}
				delete(open, i)
			}
			again := connect(t, file, nil)
			concurrently(t, again)
			if err := again.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestOpenedAndClosedAtOnce: the last connector to a file closes the database while others open it.
func TestOpenedAndClosedAtOnce(t *testing.T) {
	cfg := config(t)
	file := filepath.Join(t.TempDir(), "shared.db")
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 15 {
				c, err := extension.NewConnector(file, extension.Options{Config: cfg})
				if err != nil {
					t.Error(err)
					return
				}
				db := sql.OpenDB(c)
				for range random.IntN(3) {
					if err := use(db); err != nil {
						t.Error(err)
					}
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestAnotherConfiguration: a connector to an open file cannot bring a configuration of its own.
func TestAnotherConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shared.db")
	first, same, other := config(t), *config(t), *config(t)
	same = *first
	db := connect(t, file, first)
	other.Store = first.Store
	other.BigQuery.Project = "elsewhere"
	if _, err := extension.NewConnector(file, extension.Options{Config: &other}); err == nil || !strings.Contains(err.Error(), "[bigquery] differs") {
		t.Errorf("another configuration: %v", err)
	}
	if _, err := extension.NewConnector(file+"?threads=1", extension.Options{Config: first}); err == nil || !strings.Contains(err.Error(), "configuration") {
		t.Errorf("other settings of DuckDB: %v", err)
	}
	for _, cfg := range []*mallard.Config{&same, nil} {
		if err := connect(t, file, cfg).Close(); err != nil {
			t.Error(err)
		}
	}
	concurrently(t, db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := connect(t, file, &other).Close(); err != nil { // it is not open any more
		t.Error(err)
	}
}
