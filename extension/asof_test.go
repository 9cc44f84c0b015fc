package extension_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/metadata"
)

// TestAsOfPrepared reads a table as of a time by a statement that was prepared before the table changed, and after a change that only
// another transaction's end has shown.
func TestAsOfPrepared(t *testing.T) {
	db := googleSQL(t)
	exec(t, db, "CREATE TABLE t AS SELECT 1 AS a")
	at := time.Now().UTC().Format("2006-01-02 15:04:05.000000+00")
	st, err := db.PrepareContext(t.Context(), "SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '"+at+"'")
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	read := func() error {
		var a int
		return st.QueryRowContext(t.Context()).Scan(&a)
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "UPDATE t SET a = 2 WHERE TRUE"); err != nil {
		t.Fatal(err)
	}
	at = time.Now().UTC().Format("2006-01-02 15:04:05.000000+00")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := read(); err == nil || !strings.Contains(err.Error(), "no history is kept") {
		t.Errorf("after the change: %v", err)
	}
	_, err = db.ExecContext(t.Context(), "SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '"+at+"'")
	if err == nil || !strings.Contains(err.Error(), "no history is kept") {
		t.Errorf("as of a time before the commit: %v", err)
	}
}

// TestWithMetadata changes an expiration through the store: the next statement knows of it.
func TestWithMetadata(t *testing.T) {
	db := googleSQL(t)
	exec(t, db, "CREATE SCHEMA d", "CREATE TABLE d.t AS SELECT 1 AS a", "SELECT * FROM d.t")
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = extension.WithMetadata(t.Context(), c, func(s *metadata.Store) error {
		return s.Update(t.Context(), metadata.Key{Kind: metadata.Table, Dataset: "d", Name: "t"}, func(v *metadata.Value) {
			past := time.Now().Add(-time.Hour)
			v.Expires = &past
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "SELECT * FROM d.t"); err == nil || !strings.Contains(err.Error(), "Table not found") {
		t.Errorf("the table has expired: %v", err)
	}
}

// TestMetadataConcurrently makes tables with options on many connections to a database that has kept nothing yet.
func TestMetadataConcurrently(t *testing.T) {
	db := googleSQL(t)
	errs := make(chan error)
	for i := range 8 {
		go func() {
			_, err := db.ExecContext(context.Background(), "CREATE TABLE t"+string(rune('a'+i))+" (a INT64) OPTIONS(description = 'x')")
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM main.INFORMATION_SCHEMA.TABLE_OPTIONS").Scan(&n); err != nil || n != 8 {
		t.Errorf("%d tables have options, %v", n, err)
	}
}
