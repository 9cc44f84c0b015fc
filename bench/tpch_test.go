package main

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// TestTPCH: all queries have the same rows in GoogleSQL as in DuckDB's SQL, over a few hundred rows that each of them finds some of.
func TestTPCH(t *testing.T) {
	installedtest.Need(t)
	file := filepath.Join(t.TempDir(), "tpch.duckdb")
	c, err := duckdb.NewConnector(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	for _, s := range []string{
		`CREATE TABLE region AS SELECT i AS r_regionkey, ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'][i + 1] AS r_name FROM range(5) AS t(i)`,
		`CREATE TABLE nation AS SELECT i AS n_nationkey, ['FRANCE', 'GERMANY', 'BRAZIL', 'CANADA', 'SAUDI ARABIA', 'INDIA'][i + 1] AS n_name,
			[3, 3, 1, 1, 4, 2][i + 1]::BIGINT AS n_regionkey FROM range(6) AS t(i)`,
		`CREATE TABLE supplier AS SELECT i AS s_suppkey, 'Supplier ' || i AS s_name, 'address ' || i AS s_address, i % 6 AS s_nationkey, '1' || i AS s_phone,
			(i * 100.25)::DECIMAL(15,2) AS s_acctbal, CASE WHEN i % 5 = 0 THEN 'some Customer has Complaints' ELSE 'none' END AS s_comment FROM range(24) AS t(i)`,
		`CREATE TABLE customer AS SELECT i AS c_custkey, 'Customer ' || i AS c_name, 'address ' || i AS c_address, i % 6 AS c_nationkey,
			[13, 31, 23, 29, 30, 18, 17][i % 7 + 1] || '-555' AS c_phone, (i * 99.5 - 500)::DECIMAL(15,2) AS c_acctbal,
			['BUILDING', 'MACHINERY'][i % 2 + 1] AS c_mktsegment, 'comment' AS c_comment FROM range(60) AS t(i)`,
		`CREATE TABLE part AS SELECT i AS p_partkey, ['green forest', 'forest green', 'red'][i % 3 + 1] || i AS p_name, 'maker' AS p_mfgr,
			['Brand#12', 'Brand#23', 'Brand#34', 'Brand#45'][i % 4 + 1] AS p_brand,
			['ECONOMY ANODIZED STEEL', 'PROMO BRASS', 'MEDIUM POLISHED TIN'][i % 3 + 1] AS p_type, [15, 3, 9, 5][i % 4 + 1]::INTEGER AS p_size,
			['SM CASE', 'MED BOX', 'LG BOX'][i % 3 + 1] AS p_container FROM range(48) AS t(i)`,
		`CREATE TABLE partsupp AS SELECT p AS ps_partkey, (p * 5 + s * 7) % 24 AS ps_suppkey, (p * s + 40)::INTEGER AS ps_availqty,
			(p + s * 1.25)::DECIMAL(15,2) AS ps_supplycost FROM range(48) AS t(p), range(4) AS u(s)`,
		`CREATE TABLE orders AS SELECT i AS o_orderkey, i % 50 AS o_custkey, ['F', 'O'][i % 2 + 1] AS o_orderstatus, (i * 1234.5)::DECIMAL(15,2) AS o_totalprice,
			DATE '1993-07-01' + (i * 7 % 1200)::INTEGER AS o_orderdate, ['1-URGENT', '2-HIGH', '3-MEDIUM'][i % 3 + 1] AS o_orderpriority,
			0::INTEGER AS o_shippriority, ['special packed requests', 'none'][i % 2 + 1] AS o_comment FROM range(400) AS t(i)`,
		`CREATE TABLE lineitem AS SELECT o AS l_orderkey, (o * 7 + n * 11) % 48 AS l_partkey, ((o * 7 + n * 11) % 48 * 5 + n * 7) % 24 AS l_suppkey,
			n::INTEGER AS l_linenumber, CASE WHEN o % 37 = 0 THEN 120 ELSE o % 30 + 1 END::DECIMAL(15,2) AS l_quantity,
			(1000 + o * 3.33 + n)::DECIMAL(15,2) AS l_extendedprice, (o % 11 / 100)::DECIMAL(15,2) AS l_discount, (n / 100)::DECIMAL(15,2) AS l_tax,
			['R', 'A', 'N'][o % 3 + 1] AS l_returnflag, ['F', 'O'][o % 2 + 1] AS l_linestatus, DATE '1993-08-01' + (o * 7 % 1200)::INTEGER AS l_shipdate,
			DATE '1993-08-03' + (o * 7 % 1200 + n)::INTEGER AS l_commitdate, DATE '1993-08-04' + (o * 7 % 1200 + n * (o % 3))::INTEGER AS l_receiptdate,
			['DELIVER IN PERSON', 'NONE'][o % 2 + 1] AS l_shipinstruct, ['AIR', 'MAIL', 'SHIP'][o % 3 + 1] AS l_shipmode FROM range(400) AS t(o), range(4) AS u(n)`,
		`UPDATE lineitem SET l_extendedprice = 9999999999999.99, l_tax = 9999999999.99 WHERE l_orderkey = 41`, // beyond 18 digits, in products
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s\n%v", s, err)
		}
	}
	// DuckDB's own products would be errors: where it is asked, they have all digits.
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	ours, err := openTPCH(t.Context(), file, true)
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	plain, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs := sql.OpenDB(plain)
	defer theirs.Close()
	theirs.SetMaxOpenConns(1)
	for _, s := range []string{
		"ATTACH '" + file + "' AS small (READ_ONLY)",
		`CREATE TABLE lineitem AS SELECT * REPLACE (l_extendedprice::DECIMAL(22,2) AS l_extendedprice, l_tax::DECIMAL(15,2) AS l_tax) FROM small.lineitem`,
		"SET search_path = 'memory.main,small.main'",
	} {
		if _, err := theirs.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s\n%v", s, err)
		}
	}
	names, err := tpchQueries.ReadDir("tpch")
	if err != nil || len(names) != 22 {
		t.Fatal(len(names), err)
	}
	some := 0
	for _, f := range names {
		text, err := tpchQueries.ReadFile("tpch/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := sameRows(t.Context(), ours, theirs, string(text)); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
		if rows, err := rowsOf(t.Context(), ours, string(text)); err == nil && len(rows) > 0 && rows[0][0] != nil {
			some++
		}
	}
	if some < 18 {
		t.Errorf("%d queries find anything: too few", some)
	}
}
