package googlesql

import (
	"context"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf/udftest"
)

// TestRegister registers every function twice, as a transaction does that began before the first time.
func TestRegister(t *testing.T) {
	db := udftest.Open(t)
	for _, name := range Names() {
		udftest.Raw(t, db, func(h mapping.Connection) error { return Register(h, name, Prefix+name) })
		udftest.Raw(t, db, func(h mapping.Connection) error { return Register(h, name, Prefix+name+"__1_1") })
	}
	udftest.Raw(t, db, func(h mapping.Connection) error {
		if err := Register(h, "nothing", "nothing"); err == nil {
			t.Error("a function that is not there was registered")
		}
		return nil
	})
}

// TestChunks computes more rows than a chunk has, with NULLs among them.
func TestChunks(t *testing.T) {
	db := udftest.Open(t)
	udftest.Raw(t, db, func(h mapping.Connection) error { return Register(h, "md5", "f") })
	_, rows, err := udftest.Rows(context.Background(), db, `SELECT count(*), count(y), bool_and(y = unhex(md5(x))) FROM (
		SELECT f(encode(x)) AS y, x FROM (SELECT CASE WHEN i % 3 > 0 THEN repeat('x', i % 40) END AS x FROM range(10000) t(i)))`)
	if err != nil || strings.Join(rows[0], "|") != "10000|6666|true" {
		t.Errorf("%v, %v", rows, err)
	}
}
