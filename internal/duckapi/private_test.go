package duckapi_test

import (
	"context"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/duckapi"
)

// TestPrivate fails when duckdb-go keeps its handles elsewhere.
func TestPrivate(t *testing.T) {
	c, err := open(t).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	id, err := duckdb.ConnId(c)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Raw(func(dc any) error {
		conn := dc.(*duckdb.Conn)
		h, err := duckapi.Connection(conn)
		if err != nil {
			return err
		}
		if got := duckapi.ConnectionID(h); got != id {
			t.Errorf("connection %d, want %d", got, id)
		}
		st, err := conn.PrepareContext(context.Background(), "SELECT 1 AS a, 2 AS b")
		if err != nil {
			return err
		}
		p, err := duckapi.Prepared(st.(*duckdb.Stmt))
		if err != nil {
			return err
		}
		if n := mapping.PreparedStatementColumnCount(p); n != 2 {
			t.Errorf("the statement has %d columns", n)
		}
		if err := st.Close(); err != nil {
			return err
		}
		rows, err := conn.QueryContext(context.Background(), "SELECT 1 AS a, 2 AS b, 3 AS c", nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		res, err := duckapi.Result(rows)
		if err != nil {
			return err
		}
		if n := mapping.ColumnCount(&res); n != 3 {
			t.Errorf("the result has %d columns", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
