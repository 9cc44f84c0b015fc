package extension_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/extension"
)

type add struct{}

func (add) Config() duckdb.ScalarFuncConfig {
	i, _ := duckdb.NewTypeInfo(duckdb.TYPE_INTEGER)
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{i, i}, ResultTypeInfo: i}
}

func (add) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(v []driver.Value) (any, error) { return v[0].(int32) + v[1].(int32), nil }}
}

type contextual struct{ add }

func (contextual) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowContextExecutor: func(ctx context.Context, v []driver.Value) (any, error) {
		n, _ := ctx.Value(contextual{}).(int32)
		return n, nil
	}}
}

// TestWithDuckDB: the helpers of duckdb-go work on a connection of ours.
func TestWithDuckDB(t *testing.T) {
	db := open(t, "", config(t))
	c, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, "CREATE TABLE r (a INTEGER)")
	for range 2 { // it can be lent again
		err = extension.WithDuckDB(t.Context(), c, func(d *sql.Conn) error {
			names, err := duckdb.GetTableNames(d, "SELECT * FROM r", false)
			if err != nil || len(names) != 1 {
				return fmt.Errorf("table names %v: %w", names, err)
			}
			if _, err := duckdb.ConnId(d); err != nil {
				return err
			}
			return d.Raw(func(dc any) error {
				a, err := duckdb.NewAppenderFromConn(dc.(driver.Conn), "", "r")
				if err != nil {
					return err
				}
				return errors.Join(a.AppendRow(int32(7)), a.Close())
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = extension.WithDuckDB(t.Context(), c, func(d *sql.Conn) error {
		if _, err := d.ExecContext(t.Context(), "PRAGMA enable_profiling = 'no_output'"); err != nil {
			return err
		}
		if err := d.QueryRowContext(t.Context(), "SELECT 1").Scan(new(int)); err != nil {
			return err
		}
		if _, err := duckdb.GetProfilingInfo(d); err != nil {
			return err
		}
		if _, err := d.ExecContext(t.Context(), "PRAGMA disable_profiling"); err != nil {
			return err
		}
		return errors.Join(duckdb.RegisterScalarUDF(d, "my_add", add{}), duckdb.RegisterScalarUDF(d, "my_value", contextual{}))
	})
	if err != nil {
		t.Fatal(err)
	}
	var sum, seen, rows int
	ctx := context.WithValue(t.Context(), contextual{}, int32(5))
	if err := c.QueryRowContext(ctx, "SELECT my_add(40, 2), my_value(1, 2), (SELECT count(*) FROM r)").Scan(&sum, &seen, &rows); err != nil || sum != 42 || seen != 5 || rows != 2 {
		t.Errorf("%d, context %d, %d rows: %v", sum, seen, rows, err)
	}
	streamed, err := c.QueryContext(extension.WithStreaming(ctx), "SELECT my_value(range::INTEGER, 0) FROM range(10000)")
	if err != nil {
		t.Fatal(err)
	}
	for streamed.Next() {
		if err := streamed.Scan(&seen); err != nil || seen != 5 {
			t.Fatalf("a streamed row saw the context %d: %v", seen, err)
		}
	}
	if err := errors.Join(streamed.Err(), streamed.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	plain, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if err := extension.WithDuckDB(t.Context(), plain, func(*sql.Conn) error { return nil }); err == nil || !strings.Contains(err.Error(), "Mallard has opened") {
		t.Errorf("another database's connection: %v", err)
	}
}

// TestHelpersSayWhatToCall: duckdb-go's helpers assert its own type and cannot be given another; their panic says what to call.
func TestHelpersSayWhatToCall(t *testing.T) {
	db := open(t, "", config(t))
	for name, helper := range map[string]func(*sql.Conn) error{
		"RegisterScalarUDF":    func(c *sql.Conn) error { return duckdb.RegisterScalarUDF(c, "f", add{}) },
		"RegisterScalarUDFSet": func(c *sql.Conn) error { return duckdb.RegisterScalarUDFSet(c, "f", add{}) },
		"RegisterTableUDF":     func(c *sql.Conn) error { return duckdb.RegisterTableUDF(c, "f", duckdb.RowTableFunction{}) },
		"GetTableNames": func(c *sql.Conn) error {
			_, err := duckdb.GetTableNames(c, "SELECT 1", false)
			return err
		},
		"ConnId": func(c *sql.Conn) error {
			_, err := duckdb.ConnId(c)
			return err
		},
		"GetProfilingInfo": func(c *sql.Conn) error {
			_, err := duckdb.GetProfilingInfo(c)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "mallard.WithDuckDB") {
					t.Errorf("%s", said)
				}
				if err := db.PingContext(t.Context()); err != nil { // the pool has dropped the connection and goes on
					t.Error(err)
				}
			}()
			if err := helper(c); err == nil {
				t.Error("no error")
			}
		})
	}
}

// ExampleWithDuckDB registers a function of the program's own.
func ExampleWithDuckDB() {
	c, err := extension.NewConnector("", extension.Options{})
	if err != nil {
		panic(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	err = extension.WithDuckDB(context.Background(), conn, func(d *sql.Conn) error {
		return duckdb.RegisterScalarUDF(d, "my_add", add{})
	})
	if err != nil {
		panic(err)
	}
	var sum int
	err = conn.QueryRowContext(context.Background(), "SELECT my_add(40, 2)").Scan(&sum)
	fmt.Println(sum, err)
	// Output: 42 <nil>
}
