package extension_test

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	osexec "os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/functions/remote"
	"github.com/mallardml/mallard/internal/duckfmt"
)

// everyType selects values of every type of DuckDB's own list but TIME_NS and VARIANT, which duckdb-go cannot read, and
// nested ones that the list lacks.
const everyType = `SELECT COLUMNS(c -> c NOT IN ('time_ns', 'variant')), MAP {'k': [DATE '2020-01-01']} AS map_of_list, [{'a': 1.5, 'b': NULL}, NULL] AS list_of_struct,
 union_value(u := {'x': '101'::BIT}) AS union_of_struct, [['a', NULL], NULL]::VARCHAR[2][] AS listed, NULL AS nothing, [uuid '47183823-2574-4bfd-b411-99ed177d3e43'] AS ids,
 [TIMETZ '01:02:03.4+02:30'] AS zoned, '123456789012345678901234567890'::BIGNUM AS num, -5::BIGNUM AS neg, '-170141183460469231731687303715884105728'::HUGEINT AS huge,
 (-1.5)::DECIMAL(38,37) AS dec, 0.1::DECIMAL(1,1) AS small, 'b'::ENUM('a', 'b') AS e, repeat('long', 10)::BLOB AS blob, ''::BLOB AS empty
FROM test_all_types()`

// TestRowsAgree: values and types are those of duckdb-go, however they are read.
func TestRowsAgree(t *testing.T) {
	bare, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	want, wantTypes := scanAll(t, t.Context(), bare, everyType)
	db := open(t, "", config(t))
	for name, ctx := range map[string]context.Context{"computed": t.Context(), "streamed": extension.WithStreaming(t.Context())} {
		got, types := scanAll(t, ctx, db, everyType)
		if len(got) != len(want) || len(got) != 3 || len(types) != len(wantTypes) {
			t.Fatalf("%s: %d rows of %d columns, want %d of %d", name, len(got), len(types), len(want), len(wantTypes))
		}
		for i, g := range types {
			w := wantTypes[i]
			if g.Name() != w.Name() || g.DatabaseTypeName() != w.DatabaseTypeName() || g.ScanType() != w.ScanType() {
				t.Errorf("%s: column %s %s (%v), want %s %s (%v)", name, g.Name(), g.DatabaseTypeName(), g.ScanType(), w.Name(), w.DatabaseTypeName(), w.ScanType())
			}
			for row := range got {
				g, w := got[row][i], want[row][i]
				if !equal(g, w) {
					t.Errorf("%s: %s, row %d: got %#v, want %#v", name, wantTypes[i].Name(), row, g, w)
				}
			}
		}
	}
}

// equal compares values, NaN being itself. A MAP's hidden fields and a nil list are compared by what they print.
func equal(a, b any) bool {
	if x, ok := a.(float64); ok && math.IsNaN(x) {
		return fmt.Sprint(a) == fmt.Sprint(b)
	}
	return reflect.DeepEqual(a, b) || fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

func scanAll(t *testing.T, ctx context.Context, db *sql.DB, query string) (all [][]any, types []*sql.ColumnType) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if types, err = rows.ColumnTypes(); err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, dest := make([]any, len(types)), make([]any, len(types))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		all = append(all, values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all, types
}

// TestUnnamedStruct: a map would keep one field of those without names.
func TestUnnamedStruct(t *testing.T) {
	db := open(t, "", config(t))
	for _, ctx := range []context.Context{t.Context(), extension.WithStreaming(t.Context())} {
		got, _ := scanAll(t, ctx, db, "SELECT row(1, 'b'), [row(NULL, row(2, 3))], {'r': row(4, 5)}")
		want := []any{[]any{int32(1), "b"}, []any{[]any{nil, []any{int32(2), int32(3)}}}, map[string]any{"r": []any{int32(4), int32(5)}}}
		if !reflect.DeepEqual(got[0], want) {
			t.Errorf("got  %v\nwant %v", got[0], want)
		}
	}
}

// TestJSONIsText: keys keep their order and numbers their spelling, at every level.
func TestJSONIsText(t *testing.T) {
	const text = `{"b":1.0,"a":[1e2, 12345678901234567890, "é"]}`
	db := open(t, "", config(t))
	query := `SELECT x, [x] AS l, {'j': x} AS s, MAP {'k': x} AS m, NULL::JSON AS n, 'null'::JSON AS z FROM (SELECT '` + text + `'::JSON AS x)`
	for _, ctx := range []context.Context{t.Context(), extension.WithStreaming(t.Context())} {
		got, types := scanAll(t, ctx, db, query)
		var names []string
		for _, c := range types {
			names = append(names, c.DatabaseTypeName())
		}
		if s := strings.Join(names, ", "); s != `JSON, JSON[], STRUCT("j" JSON), MAP(VARCHAR, JSON), JSON, JSON` {
			t.Errorf("types: %s", s)
		}
		raw := json.RawMessage(text)
		var m duckdb.OrderedMap
		m.Set("k", raw)
		want := []any{[]byte(text), []any{raw}, map[string]any{"j": raw}, m, nil, []byte("null")}
		if !reflect.DeepEqual(got[0], want) {
			t.Errorf("got  %q\nwant %q", got[0], want)
		}
	}
	// What a program scans into.
	if got := one[string](t, db, "SELECT x FROM ("+query+")"); got != text {
		t.Errorf("string: %s", got)
	}
	if got := one[[]byte](t, db, "SELECT x FROM ("+query+")"); string(got) != text {
		t.Errorf("[]byte: %s", got)
	}
	if got := one[json.RawMessage](t, db, "SELECT x FROM ("+query+")"); string(got) != text {
		t.Errorf("RawMessage: %s", got)
	}
	if got := one[sql.NullString](t, db, "SELECT n FROM ("+query+")"); got.Valid {
		t.Errorf("NullString: %v", got)
	}
	if got := one[sql.Null[string]](t, db, "SELECT z FROM ("+query+")"); got.V != "null" {
		t.Errorf("Null[string]: %v", got)
	}
}

// TestJSONPrints: nested JSON is written as DuckDB's own cast writes it.
func TestJSONPrints(t *testing.T) {
	db := open(t, "", config(t))
	for _, give := range []string{
		`'{"b":1.0}'::JSON`, `[['{"b":1}'::JSON, '"t"'::JSON, NULL]]`, `{'x': ['{"b":1}'::JSON]}`, `['"t"'::JSON]::JSON[1]`,
		`MAP {'k': '"t"'::JSON}`, `MAP {'k': ['12'::JSON, 'null'::JSON]}`, `[{'x': '"t"'::JSON, 'y': '1'::JSON}]`, `MAP {'1'::JSON: 1}`,
	} {
		rows, types := scanAll(t, t.Context(), db, "SELECT "+give+" AS x, x::VARCHAR")
		typ, err := duckfmt.ParseType(types[0].DatabaseTypeName())
		if err != nil {
			t.Fatal(err)
		}
		if got := typ.Text(rows[0][0]); got != rows[0][1] {
			t.Errorf("%s: got %s, want %s", give, got, rows[0][1])
		}
	}
}

// TestUncomparableKeys: a MAP whose keys Go cannot compare gets their text, where duckdb-go panics.
func TestUncomparableKeys(t *testing.T) {
	db := open(t, "", config(t))
	m := one[duckdb.OrderedMap](t, db, `SELECT MAP {[1, 2]: 'a', [3]: 'b'}`)
	if got := fmt.Sprintf("%q", m.Keys()); got != `["[1, 2]" "[3]"]` {
		t.Errorf("got %s", got)
	}
	m = one[duckdb.OrderedMap](t, db, `SELECT MAP {'\xAA'::BLOB: 'a', 'b'::BLOB: 'b'}`)
	if got := fmt.Sprintf("%s", m.Keys()); got != `[\xAA b]` {
		t.Errorf("got %s", got)
	}
}

// TestUnreadableType: a type without a Go value is an error that says what to do.
func TestUnreadableType(t *testing.T) {
	db := open(t, "", config(t))
	for _, ctx := range []context.Context{t.Context(), extension.WithStreaming(t.Context())} {
		rows, err := db.QueryContext(ctx, "SELECT 1 AS a, 42::VARIANT AS v")
		if err == nil {
			rows.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "column v: ") || !strings.Contains(err.Error(), "cast it to VARCHAR") {
			t.Errorf("got %v", err)
		}
	}
	if n := one[int](t, db, "SELECT 1"); n != 1 {
		t.Error(n)
	}
}

// TestStreamPrepared: the same statement streams again and again, with arguments, and rows that are not read to their end
// do no harm.
func TestStreamPrepared(t *testing.T) {
	db := open(t, "", config(t))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	st, err := conn.PrepareContext(t.Context(), "SELECT i + ?::BIGINT FROM range(1000000) t(i)")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ctx := extension.WithStreaming(t.Context())
	for _, add := range []int64{5, 7} {
		rows, err := st.QueryContext(ctx, add)
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(3000) {
			var got int64
			if !rows.Next() || rows.Scan(&got) != nil || got != i+add {
				t.Fatalf("row %d is %d (%v)", i, got, rows.Err())
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		if n := one[int](t, conn, "SELECT 42"); n != 42 {
			t.Fatal(n)
		}
	}
	// Statements that return no table go the same way.
	for _, q := range []string{"CREATE TABLE s AS SELECT 1 AS x", "INSERT INTO s VALUES (2)", "BEGIN", "UPDATE s SET x = 3", "ROLLBACK", "SET threads = 2"} {
		rows, err := conn.QueryContext(ctx, q)
		if err == nil {
			err = errors.Join(rows.Close(), rows.Err())
		}
		if err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
	if got := one[int64](t, conn, "SELECT sum(x) FROM s"); got != 3 {
		t.Errorf("the table has %d, want 3", got)
	}
}

// TestStreamErrors: a later row's error arrives, with its place, and the connection goes on.
// TestStreamFollowed: statements after which the connection is asked something give their rows all the same.
func TestStreamFollowed(t *testing.T) {
	db := open(t, "", config(t))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct {
		query string
		want  int
	}{
		{"CREATE OR REPLACE TABLE t(i INTEGER)", 0}, {"PRAGMA table_info('t')", 1}, {"PRAGMA database_list", 1}, {"PRAGMA version", 1},
		{"PRAGMA show_tables", 1}, {"CALL pragma_version()", 1}, {"PRAGMA storage_info('t')", 0}, {"SET VARIABLE x = 1", 0},
		{"RESET threads", 0}, {"PREPARE p AS FROM range(3000)", 0}, {"EXECUTE p", 3000}, {"CREATE OR REPLACE TABLE u AS FROM range(3)", 1},
		{"ALTER TABLE u RENAME TO w", 0}, {"SHOW TABLES", 2}, {"CREATE SCHEMA `d` OPTIONS(description='x')", 0}, {"DROP TABLE w", 0},
	} {
		rows, err := conn.QueryContext(extension.WithStreaming(t.Context()), c.query)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || n != c.want {
			t.Errorf("%s: %d rows, want %d: %v", c.query, n, c.want, err)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	db := open(t, "", config(t))
	// With more threads DuckDB 1.5.5 may show the reader its own "Interrupted!", with which a failed thread stops the others, in place of the cause.
	exec(t, db, "SET threads = 1")
	ctx := extension.WithStreaming(t.Context())
	rows, err := db.QueryContext(ctx, "SELECT CASE WHEN i = 900000 THEN 'x' ELSE '1' END::INTEGER FROM range(1000000) t(i)")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	var e *extension.Error
	var d *duckdb.Error
	if err := rows.Err(); n == 0 || !errors.As(err, &e) || !errors.As(err, &d) || d.Type != duckdb.ErrorTypeConversion {
		t.Errorf("after %d rows: %v", n, err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	for _, q := range []string{"SELECT nope", "SELECT * FROM ML.PREDICT(MODEL nope, (SELECT 1))"} {
		rows, err := db.QueryContext(ctx, q)
		if err == nil {
			rows.Close()
		}
		if !errors.As(err, &e) || e.Line != 1 {
			t.Errorf("%s: %v", q, err)
		}
	}
	if n := one[int](t, db, "SELECT 1"); n != 1 {
		t.Error(n)
	}
}

// TestStreamCauses: with several threads an error of ours always arrives; of one of DuckDB's own the user is told at least how
// to get it.
func TestStreamCauses(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{Faults: []vertextest.Fault{{Kind: vertextest.Status, Status: 403}}})
	db := open(t, "", cfg)
	exec(t, db, createG, "SET threads = 4", "CREATE TABLE w AS SELECT i FROM range(500000) t(i)")
	fails := func(query string) (err error) {
		rows, err := db.QueryContext(extension.WithStreaming(t.Context()), query)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		return err
	}
	for range 10 {
		var refused *remote.RemoteError
		if err := fails("SELECT * FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'row ' || i AS prompt FROM w WHERE i < 10000))"); !errors.As(err, &refused) {
			t.Errorf("a refusal: %v", err)
		}
		var d *duckdb.Error
		err := fails("SELECT CASE WHEN i % 100000 = 99999 THEN 'x' ELSE '1' END::INTEGER FROM w")
		if !errors.As(err, &d) || d.Type != duckdb.ErrorTypeConversion && !(d.Type == duckdb.ErrorTypeInterrupt && strings.Contains(err.Error(), "SET threads = 1")) {
			t.Errorf("a cast: %v", err)
		}
	}
	if n := one[int](t, db, "SELECT 1"); n != 1 {
		t.Error(n)
	}
}

// TestStreamCancel: a query that computes rows, or one in which no row has come yet, ends soon after its context.
func TestStreamCancel(t *testing.T) {
	db := open(t, "", config(t))
	for name, query := range map[string]string{
		"rows":  "SELECT * FROM range(1000000000000)",
		"first": "SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j)",
		"later": "SELECT * FROM (SELECT 1 AS x UNION ALL SELECT sum(i * j) FROM range(10000000) a(i), range(10000000) b(j))",
	} {
		ctx, cancel := context.WithCancel(extension.WithStreaming(t.Context()))
		var cancelled time.Time
		timer := time.AfterFunc(100*time.Millisecond, func() { cancelled = time.Now(); cancel() })
		rows, err := db.QueryContext(ctx, query)
		if err == nil {
			for rows.Next() {
			}
			err = errors.Join(rows.Err(), rows.Close())
		}
		if late := time.Since(cancelled); !errors.Is(err, context.Canceled) || late > 10*time.Second {
			t.Errorf("%s: %v, %v after the cancellation", name, err, late)
		}
		timer.Stop()
		cancel()
	}
	if n := one[int](t, db, "SELECT 1"); n != 1 {
		t.Error(n)
	}
}

// TestStreamModel: rows of a model arrive while later ones are not yet computed.
func TestStreamModel(t *testing.T) {
	db := open(t, "", config(t))
	exec(t, db, withModels(t, "CREATE MODEL m OPTIONS(MODEL_TYPE='TENSORFLOW', MODEL_PATH='%s/swivel_like/*')"))
	var p extension.Progress
	ctx := extension.WithProgress(extension.WithStreaming(t.Context()), &p)
	rows, err := db.QueryContext(ctx, "SELECT * FROM ML_PREDICT('m', 'SELECT ''word '' || i AS content FROM range(3000000) t(i)')")
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if n := p.Rows(); n == 0 || n >= 2900000 {
		t.Errorf("%d rows were inferred for the first one", n)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPeakChild is the process whose memory TestPeak reads.
func TestPeakChild(t *testing.T) {
	query := os.Getenv("MALLARD_TEST_QUERY")
	if query == "" {
		return // runs only as TestPeak's child
	}
	db := open(t, "", config(t))
	rows, err := db.QueryContext(extension.WithStreaming(t.Context()), query)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmHWM:") {
			fmt.Printf("PEAK %d %s\n", n, strings.Fields(line)[1])
		}
	}
}

// TestPeak: two million rows, some 80 MB, take no more memory than few of them.
func TestPeak(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc")
	}
	peak := func(rows int) (kb int) {
		child := osexec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestPeakChild$")
		child.Env = append(os.Environ(), fmt.Sprintf("MALLARD_TEST_QUERY=SELECT i, 'row number ' || i AS s FROM range(%d) t(i)", rows))
		out, err := child.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var n int
		for in := bufio.NewScanner(strings.NewReader(string(out))); in.Scan(); {
			if _, err := fmt.Sscanf(in.Text(), "PEAK %d %d", &n, &kb); err == nil {
				break
			}
		}
		if n != rows {
			t.Fatalf("the child read %d rows of %d: %s", n, rows, out)
		}
		return kb
	}
	few, many := peak(100_000), peak(2_000_000)
	t.Logf("%d KB for 100,000 rows, %d KB for 2,000,000", few, many)
	if many > few+few/2 {
		t.Errorf("%d KB for 100,000 rows, %d KB for 2,000,000", few, many)
	}
}
