package duckapi_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/duckapi"
)

func open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// fails runs statements of which the last must fail, and gives its error.
func fails(t *testing.T, db *sql.DB, statements ...string) error {
	t.Helper()
	var err error
	for i, s := range statements {
		var rows *sql.Rows
		if rows, err = db.Query(s); err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if last := i == len(statements)-1; last != (err != nil) {
			t.Fatalf("%s: error %v", s, err)
		}
	}
	return err
}

func TestAbsent(t *testing.T) {
	db := open(t)
	for q, want := range map[string]bool{
		"SELECT a FROM nowhere":          true,
		"SELECT a FROM nowhere.b":        true,
		"SELECT a FROM nowhere.main.b":   true,
		"SELECT a FROM memory.no.b":      true,
		"SELECT no FROM (SELECT 1 AS a)": false,
		"SELECT 'a'::INTEGER":            false,
	} {
		if err := fails(t, db, q); duckapi.Absent(err) != want {
			t.Errorf("%s: Absent is %v of %v", q, !want, err)
		}
	}
}

func TestLacksColumn(t *testing.T) {
	db := open(t)
	for q, want := range map[string]bool{
		"SELECT data FROM (SELECT 1 AS a)":             true,
		"SELECT DATA FROM (SELECT 1 AS a)":             true,
		"SELECT t.data FROM (SELECT 1 AS a) t":         true,
		"SELECT other FROM (SELECT 1 AS a)":            false,
		"SELECT a FROM data":                           false,
		"SELECT x.y FROM (SELECT 1 AS a) t":            false,
		"SELECT a FROM (SELECT 1 AS a) WHERE data = 1": true,
	} {
		if err := fails(t, db, q); duckapi.LacksColumn(err, "data") != want {
			t.Errorf("%s: LacksColumn is %v of %v", q, !want, err)
		}
	}
}

func TestLacksColumnOf(t *testing.T) {
	db := open(t)
	for q, want := range map[string]string{
		`SELECT __q.a FROM (SELECT 1 AS b) __q`:                                                      "__q",
		`SELECT "__c"."a" FROM (SELECT 1 AS b) __c`:                                                  "__c",
		`SELECT (SELECT sum(x) FROM (SELECT o.a + __q.z AS x FROM range(2))) FROM (SELECT 1 AS a) o`: "__q",
		`SELECT a FROM (SELECT 1 AS b)`:                                                              "",
	} {
		if got, _ := duckapi.LacksColumnOf(fails(t, db, q)); got != want {
			t.Errorf("%s: %q, want %q", q, got, want)
		}
	}
}

func TestMissingFunction(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		q, name string
		table   bool
	}{
		{"SELECT system.main.mallard_x(1)", "mallard_x", false},
		{"SELECT mallard_x(1)", "mallard_x", false},
		{"SELECT * FROM mallard_y(1)", "mallard_y", true},
		{"SELECT * FROM obj.list(1)", "list", true},
	} {
		name, table, ok := duckapi.MissingFunction(fails(t, db, c.q))
		if !ok || name != c.name || table != c.table {
			t.Errorf("%s: %q %v %v", c.q, name, table, ok)
		}
	}
	if name, _, ok := duckapi.MissingFunction(fails(t, db, "SELECT a FROM b")); ok {
		t.Errorf("a missing table is read as the function %q", name)
	}
}

func TestSameFault(t *testing.T) {
	db := open(t)
	alone := fails(t, db, "SELECT zz")
	if among := fails(t, db, "SELECT a, zz FROM (SELECT 1 AS a)"); !duckapi.SameFault(alone, among) {
		t.Errorf("%v\nand %v", alone, among)
	}
	if other := fails(t, db, "SELECT yy"); duckapi.SameFault(alone, other) {
		t.Errorf("%v\nand %v", alone, other)
	}
}

func TestAborted(t *testing.T) {
	db := open(t)
	if err := fails(t, db, "BEGIN", "SELECT error('x')"); duckapi.Aborted(err) {
		t.Errorf("the first error is taken for one of an aborted transaction: %v", err)
	}
	if err := fails(t, db, "SELECT 1"); !duckapi.Aborted(err) {
		t.Errorf("not known as one of an aborted transaction: %v", err)
	}
}

func TestCarries(t *testing.T) {
	ours := errors.New("a text of ours")
	db := open(t)
	if err := fails(t, db, "SELECT error('a text of ours')"); !duckapi.Carries(err, ours) {
		t.Errorf("not found in %v", err)
	}
	if err := fails(t, db, "SELECT error('another text')"); duckapi.Carries(err, ours) {
		t.Errorf("found in %v", err)
	}
}

func TestPosition(t *testing.T) {
	db := open(t)
	for q, want := range map[string]int{
		"SELECT 1 +, 2":                 10,
		"SELECT a FROM (SELECT 1 AS b)": 7,
		"SELECT nofunction(1)":          7,
		"SELECT 1 FROM nowhere":         14,
		"SELECT 'é', a":                 13, // bytes
	} {
		plain := fails(t, db, q)
		if _, ok := duckapi.Position(plain); ok || !duckapi.HasPosition(plain) || duckapi.WithoutExcerpt(plain.Error()) == plain.Error() {
			t.Errorf("%s: %v", q, plain)
		}
		if strings.Contains(duckapi.WithoutExcerpt(plain.Error()), "LINE 1") {
			t.Errorf("%s: the excerpt is still there", q)
		}
		if _, err := db.Exec("SET errors_as_json = true"); err != nil {
			t.Fatal(err)
		}
		if at, ok := duckapi.Position(fails(t, db, q)); !ok || at != want {
			t.Errorf("%s: position %d %v, want %d", q, at, ok, want)
		}
		if _, err := db.Exec("SET errors_as_json = false"); err != nil {
			t.Fatal(err)
		}
	}
	if duckapi.HasPosition(errors.New("Binder Error: not DuckDB's")) {
		t.Error("an error of another kind has a position")
	}
}

func TestNoOverload(t *testing.T) {
	db := open(t)
	name, types, ok := duckapi.NoOverload(fails(t, db, "SELECT list_cosine_similarity('a', 1, [1])").Error())
	if !ok || name != "list_cosine_similarity" {
		t.Fatalf("%q %q %v", name, types, ok)
	}
	if got := duckapi.FirstTypes(types, 2); got != "VARCHAR, INTEGER" {
		t.Errorf("types %q of %q", got, types)
	}
	if got := duckapi.FirstTypes("STRUCT(a INTEGER, b VARCHAR), DECIMAL(3,1)[], X", 2); got != "STRUCT(a INTEGER, b VARCHAR), DECIMAL(3,1)[]" {
		t.Errorf("types %q", got)
	}
	msg := fails(t, db, "SELECT list_cosine_similarity('a', 1, [1])").Error()
	if got := duckapi.WithoutAdvice(duckapi.WithoutExcerpt(msg)); strings.Contains(got, "Candidate") || strings.Contains(got, "explicit type casts") {
		t.Errorf("%q", got)
	}
}

func TestManyColumns(t *testing.T) {
	if msg := fails(t, open(t), "SELECT (SELECT 1, 2)").Error(); !duckapi.ManyColumns(msg) {
		t.Errorf("not known: %s", msg)
	}
}

func TestIs(t *testing.T) {
	err := fails(t, open(t), "SELECT a")
	if !duckapi.Is(err, duckdb.ErrorTypeParser, duckdb.ErrorTypeBinder) || duckapi.Is(err, duckdb.ErrorTypeParser) {
		t.Errorf("%v", err)
	}
}

func TestPrefixes(t *testing.T) {
	msg := fails(t, open(t), "SELECT error('ours')").Error()
	for _, p := range duckapi.Prefixes[1:] {
		if strings.HasPrefix(msg, p) {
			return
		}
	}
	t.Errorf("none of the prefixes stands before %q", msg)
}

// TestFailure: an error that comes without its type gets the one that the driver would give it.
func TestFailure(t *testing.T) {
	db := open(t)
	for _, q := range []string{"SELECT 'a'::INTEGER", "SELECT error('x')", "SELECT a", "SELECT 1 +", "SELECT a FROM b", "SELECT 10::TINYINT * 100::TINYINT"} {
		var want, got *duckdb.Error
		if err := fails(t, db, q); !errors.As(err, &want) || !errors.As(duckapi.Failure(want.Msg), &got) || got.Type != want.Type {
			t.Errorf("%s: %v, want type %v", q, got, want)
		}
	}
}

// TestPlace: an error that arises while rows are computed points at the expression, too.
func TestPlace(t *testing.T) {
	db := open(t)
	long := strings.Repeat("x", 200)
	for q, want := range map[string]string{
		"SELECT a::INTEGER FROM (VALUES ('1'), ('y')) t(a)":                       "::INTEGER FROM",
		"SELECT 1,\n  CAST(a AS DATE)\nFROM (VALUES ('1'), ('y')) t(a)":           "CAST(a AS DATE)",
		"SELECT '" + long + "', b FROM (SELECT 1 AS a)":                           "b FROM",
		"SELECT '" + long + "' AS c, b, '" + long + "' AS d FROM (SELECT 1 AS a)": "b, ",
		"SELECT 'é', b FROM (SELECT 1 AS a)":                                      "b FROM",
		"SELECT error('x') FROM range(3)":                                         "",
	} {
		err := fails(t, db, q)
		at, ok := duckapi.Place(q, err.Error())
		if ok != (want != "") || ok && !strings.HasPrefix(q[at:], want) {
			t.Errorf("%s: place %d %v of %v", q, at, ok, err)
		}
	}
}
