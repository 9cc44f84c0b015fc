package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/installed"
)

// tpchQueries are TPC-H's 22 queries with the parameters that its specification validates with, in GoogleSQL.
//
//go:embed tpch/*.sql
var tpchQueries embed.FS

// dateFunction is what DuckDB's SQL writes in another way: its DATE_ADD gives a TIMESTAMP, its DATE_SUB counts.
var dateFunction = regexp.MustCompile(`DATE_(ADD|SUB)\(([^,]*), ([^)]*)\)`)

// inDuckDB gives a query in DuckDB's SQL.
func inDuckDB(query string) string {
	return dateFunction.ReplaceAllStringFunc(query, func(s string) string {
		m := dateFunction.FindStringSubmatch(s)
		return "CAST(" + m[2] + map[string]string{"ADD": " + ", "SUB": " - "}[m[1]] + m[3] + " AS DATE)"
	})
}

// tpch runs TPC-H's queries in GoogleSQL, and in DuckDB's SQL on plain duckdb-go, over one file.
func tpch(ctx context.Context, b *bench) error {
	if _, err := installed.Find(""); err != nil {
		b.progress("  %v", err)
		return nil
	}
	file, err := b.tpchData(ctx)
	if err != nil || file == "" {
		return err
	}
	ours, err := openTPCH(ctx, file, true)
	if err != nil {
		return err
	}
	defer ours.Close()
	plain, err := openTPCH(ctx, file, false)
	if err != nil {
		return err
	}
	defer plain.Close()
	names, err := tpchQueries.ReadDir("tpch")
	if err != nil {
		return err
	}
	var all [2]times // wall and processors' time of all queries, by round
	for i := range all {
		all[i].wall = map[string][]float64{}
	}
	for _, f := range names {
		name := strings.TrimSuffix(f.Name(), ".sql")
		text, err := tpchQueries.ReadFile("tpch/" + f.Name())
		if err != nil {
			return err
		}
		google, duck := name+", GoogleSQL", name+", DuckDB"
		if err := sameRows(ctx, ours, plain, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		ts, err := b.race(ctx, "tpch", []contestant{
			{google, 1, func(ctx context.Context) (lap, error) { return lap{}, discard(ctx, ours, string(text)) }, true},
			{duck, 1, func(ctx context.Context) (lap, error) { return lap{}, discard(ctx, plain, inDuckDB(string(text))) }, true},
		})
		if err != nil {
			return err
		}
		b.ratios = append(b.ratios, ratio{"tpch", name + ", processors' time, GoogleSQL / DuckDB", quotients(ts.cpu[google], ts.cpu[duck]),
			atMost, 1.5})
		for i, of := range []map[string][]float64{ts.wall, ts.cpu} {
			all[i].add("GoogleSQL", of[google])
			all[i].add("DuckDB", of[duck])
		}
	}
	for i, what := range []string{"all, time", "all, processors' time"} {
		b.ratios = append(b.ratios, ratio{"tpch", what + ", GoogleSQL / DuckDB", all[i].over("GoogleSQL", "DuckDB"), atMost, 1.1})
	}
	return nil
}

// add adds seconds to those of a contestant, round by round, of as many rounds as both have.
func (t times) add(name string, seconds []float64) {
	sums := t.wall[name]
	if sums == nil {
		t.wall[name] = slices.Clone(seconds)
		return
	}
	n := min(len(sums), len(seconds))
	for i := range n {
		sums[i] += seconds[i]
	}
	t.wall[name] = sums[:n]
}

// openTPCH opens the file: as GoogleSQL, or by plain duckdb-go.
func openTPCH(ctx context.Context, file string, google bool) (*sql.DB, error) {
	dsn := file + "?access_mode=read_only"
	if !google {
		c, err := duckdb.NewConnector(dsn, nil)
		if err != nil {
			return nil, err
		}
		return sql.OpenDB(c), nil
	}
	c, err := extension.NewConnector(dsn, extension.Options{Config: config.DefaultConfig(), Dialect: dialect.GoogleSQL})
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// tpchData gives the database file, which it makes with the generator that Python's packages have; "" without Python.
func (b *bench) tpchData(ctx context.Context) (string, error) {
	scale := max(float64(b.rows)/float64(defaults.rows), 0.001)
	file := b.file(fmt.Sprintf("tpch-%g.duckdb", scale))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if b.python == "" {
		b.progress("  without Python there are no data")
		return "", nil
	}
	dir := b.file("tpch")
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(b.python), "tpchgen-cli"), "parquet", "-s", fmt.Sprint(scale), "-o", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", cmd, err, out)
	}
	c, err := duckdb.NewConnector(file+".new", nil)
	if err != nil {
		return "", err
	}
	db := sql.OpenDB(c)
	for _, t := range []string{"customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"} {
		if _, err := db.ExecContext(ctx, "CREATE TABLE "+t+" AS FROM '"+filepath.Join(dir, t+".parquet")+"'"); err != nil {
			return "", errors.Join(err, db.Close())
		}
	}
	if err := db.Close(); err != nil {
		return "", err
	}
	return file, os.Rename(file+".new", file)
}

// discard reads the rows of a query.
func discard(ctx context.Context, db *sql.DB, query string) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}

// sameRows compares the rows of a query in both forms. What is a NUMERIC in GoogleSQL may be a DOUBLE in DuckDB.
func sameRows(ctx context.Context, ours, plain *sql.DB, query string) error {
	google, err := rowsOf(ctx, ours, query)
	if err != nil {
		return err
	}
	duck, err := rowsOf(ctx, plain, inDuckDB(query))
	if err != nil {
		return err
	}
	if len(google) != len(duck) {
		return fmt.Errorf("%d rows, and %d in DuckDB", len(google), len(duck))
	}
	for i := range google {
		for k := range google[i] {
			x, y := google[i][k], duck[i][k]
			a, isNumber := number(x)
			b, both := number(y)
			if isNumber && both && math.Abs(a-b) <= 1e-6*max(1, math.Abs(b)) || !isNumber && fmt.Sprint(x) == fmt.Sprint(y) {
				continue
			}
			return fmt.Errorf("row %d, column %d: %v, and %v in DuckDB", i+1, k+1, x, y)
		}
	}
	return nil
}

func rowsOf(ctx context.Context, db *sql.DB, query string) (all [][]any, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

func number(x any) (float64, bool) {
	switch x := x.(type) {
	case duckdb.Decimal:
		return x.Float64(), true
	case float64:
		return x, true
	}
	return 0, false
}

// selectOne is how long SELECT 1 takes through database/sql, over plain duckdb-go.
func selectOne(ctx context.Context, b *bench) error {
	type form struct {
		name string
		db   *sql.DB
	}
	var forms []form
	for _, f := range []struct {
		name string
		lang dialect.Lang
	}{{"DuckDB's SQL", dialect.DuckDB}, {"GoogleSQL", dialect.GoogleSQL}} {
		if _, err := installed.Find(""); err != nil && f.lang == dialect.GoogleSQL {
			b.progress("  %v", err)
			continue
		}
		c, err := extension.NewConnector("", extension.Options{Config: config.DefaultConfig(), Dialect: f.lang})
		if err != nil {
			return err
		}
		forms = append(forms, form{f.name, sql.OpenDB(c)})
	}
	c, err := duckdb.NewConnector("", nil)
	if err != nil {
		return err
	}
	forms = append(forms, form{"plain duckdb-go", sql.OpenDB(c)})
	for _, how := range []string{"", ", prepared"} {
		var cs []contestant
		for _, f := range forms {
			defer f.db.Close()
			run := func(ctx context.Context) error { return discard(ctx, f.db, "SELECT 1") }
			if how != "" {
				st, err := f.db.PrepareContext(ctx, "SELECT 1")
				if err != nil {
					return err
				}
				defer st.Close()
				run = func(ctx context.Context) error {
					var n int
					return st.QueryRowContext(ctx).Scan(&n)
				}
			}
			calls := min(2000, b.rows)
			cs = append(cs, contestant{f.name + how, 1, func(ctx context.Context) (lap, error) {
				var ds []time.Duration
				before := cpuTime()
				for range calls {
					begin := time.Now()
					if err := run(ctx); err != nil {
						return lap{}, err
					}
					ds = append(ds, time.Since(begin))
				}
				slices.Sort(ds)
				return lap{ds[len(ds)/2], (cpuTime() - before) / time.Duration(calls)}, nil
			}, true})
		}
		ts, err := b.race(ctx, "select", cs)
		if err != nil {
			return err
		}
		for _, f := range forms[:len(forms)-1] {
			b.ratios = append(b.ratios, ratio{"select", "SELECT 1" + how + ", " + f.name + " / plain duckdb-go, p50",
				ts.over(f.name+how, "plain duckdb-go"+how), atMost, 1.1})
		}
	}
	return nil
}
