package metadata_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/metadata"
)

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, s *metadata.Store) string {
	t.Helper()
	list, err := s.List(t.Context(), "")
	ok(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Key.String())
	}
	return strings.Join(names, "; ")
}

func named(description string) metadata.Value { return metadata.Value{Description: description} }

// TestStore keeps a value of each field and reads it back, over the file, over a transaction and in another process's view of it.
func TestStore(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mallard.db") // whose name is the schema's
	at := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	whole := metadata.Value{
		Description: "it's", FriendlyName: "\"f\"\n", Labels: map[string]string{"a": "b", "empty": ""}, Location: "EU", Expires: &at,
		TableLife: time.Hour, PartitionLife: 90 * time.Minute, Clustering: []string{"a", "b"}, Type: "STRING(10)", Required: true, Default: "1", Query: "SELECT 'x'", Materialized: true,
		Partitioning: &metadata.Partitioning{By: "DATE(ts)", Column: "ts", Unit: "DAY", Range: []int64{0, 10, 2}, RequireFilter: true},
		SnapshotOf:   "d.t", Snapshot: &at, Created: &at, Modified: &at, Options: map[string]string{"max_staleness": "INTERVAL 1 DAY"},
		Properties: map[string]json.RawMessage{"access": []byte(`[{"role":"READER"}]`)},
	}
	for i := range reflect.TypeFor[metadata.Value]().NumField() {
		if reflect.ValueOf(whole).Field(i).IsZero() {
			t.Fatalf("%s is not tested", reflect.TypeFor[metadata.Value]().Field(i).Name)
		}
	}
	k := metadata.Key{Kind: metadata.Table, Dataset: "My-Data", Name: "t'x\"y"}
	db := open(t, file)
	s := metadata.Open(db, "")
	if v, err := s.Get(t.Context(), k); err != nil || !reflect.DeepEqual(v, metadata.Value{}) {
		t.Errorf("of nothing: %+v, %v", v, err)
	}
	ok(t, s.Set(t.Context(), k, whole))
	k.Dataset = "MY-DATA"
	if v, err := s.Get(t.Context(), k); err != nil || !reflect.DeepEqual(v, whole) {
		t.Errorf("got %+v, %v, want %+v", v, err, whole)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	ok(t, err)
	ok(t, metadata.Open(tx, "mallard").Set(t.Context(), k, named("changed")))
	ok(t, tx.Rollback())
	if v, _ := s.Get(t.Context(), k); !reflect.DeepEqual(v, whole) {
		t.Errorf("after a rollback: %+v", v)
	}
	ok(t, db.Close())

	read := metadata.Open(open(t, file+"?access_mode=read_only"), "")
	if v, err := read.Get(t.Context(), k); err != nil || !reflect.DeepEqual(v, whole) {
		t.Errorf("opened for reading: %+v, %v", v, err)
	}
	if err := read.Drop(t.Context(), metadata.Key{Kind: metadata.Table, Dataset: "nothing", Name: "here"}); err != nil {
		t.Errorf("dropping nothing of a file that is open for reading: %v", err)
	}
	if err := read.Set(t.Context(), k, named("x")); err == nil {
		t.Error("a file that is open for reading was written")
	}
}

// TestNames renames, drops and prunes.
func TestNames(t *testing.T) {
	db := open(t, "")
	s := metadata.Open(db, "")
	ok(t, s.Prune(t.Context()))
	exec(t, db, "CREATE SCHEMA d", "CREATE SCHEMA e", "CREATE TABLE d.t (a INTEGER, s STRUCT(x INTEGER))", "CREATE TABLE d.u (a INTEGER)")
	table := func(dataset, name string) metadata.Key {
		return metadata.Key{Kind: metadata.Table, Dataset: dataset, Name: name}
	}
	column := func(name, path string) metadata.Key {
		return metadata.Key{Kind: metadata.Column, Dataset: "d", Name: name, Column: path}
	}
	for _, k := range []metadata.Key{
		{Kind: metadata.Dataset, Dataset: "d"}, table("d", "t"), column("t", "a"), column("t", "s.x"), table("d", "u"), column("u", "a"),
		{Kind: metadata.Routine, Dataset: "d", Name: "t"}, table("e", "t"),
	} {
		ok(t, s.Set(t.Context(), k, named(k.String())))
	}
	want := func(what, want string) {
		t.Helper()
		if got := keys(t, s); got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	want("at first", "dataset d; routine d.t; table d.t; column d.t.a; column d.t.s.x; table d.u; column d.u.a; table e.t")
	ok(t, s.Rename(t.Context(), column("t", "S"), column("t", "struct")))
	ok(t, s.Rename(t.Context(), table("D", "T"), table("d", "U")))
	want("t is called u", "dataset d; routine d.t; table d.U; column d.U.a; column d.U.struct.x; table e.t")
	ok(t, s.Rename(t.Context(), metadata.Key{Kind: metadata.Dataset, Dataset: "e"}, metadata.Key{Kind: metadata.Dataset, Dataset: "f"}))
	ok(t, s.Set(t.Context(), metadata.Key{Kind: metadata.View, Dataset: "f", Name: "t"}, named("a view now")))
	want("e is called f", "dataset d; routine d.t; table d.U; column d.U.a; column d.U.struct.x; view f.t")
	ok(t, s.Prune(t.Context()))
	want("without what is not there", "dataset d; routine d.t; table d.U; column d.U.a")
	ok(t, s.Drop(t.Context(), column("u", "a")))
	ok(t, s.Set(t.Context(), table("d", "u"), metadata.Value{}))
	want("nothing of u", "dataset d; routine d.t")
	exec(t, db, "DROP SCHEMA d CASCADE")
	ok(t, s.Prune(t.Context()))
	want("without d", "")
	if err := s.Set(t.Context(), metadata.Key{Kind: "tabel"}, named("x")); err == nil {
		t.Error("a kind that is none was kept")
	}
}

// TestExport carries the metadata of a database to another.
func TestExport(t *testing.T) {
	dir := t.TempDir()
	from, to := open(t, ""), open(t, "")
	k := metadata.Key{Kind: metadata.Dataset, Dataset: "d"}
	ok(t, metadata.Open(from, "").Set(t.Context(), k, named("kept")))
	exec(t, from, "EXPORT DATABASE '"+dir+"'")
	exec(t, to, "IMPORT DATABASE '"+dir+"'")
	if v, err := metadata.Open(to, "").Get(t.Context(), k); err != nil || v.Description != "kept" {
		t.Errorf("got %+v, %v", v, err)
	}
}
