package extension_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// TestDecimalsOfFewDigits: a query over columns of few digits gives the values, types and errors of the same query over the same
// numbers in NUMERIC's own type, with all digits; also where a product or a sum has no place in 64 bits.
func TestDecimalsOfFewDigits(t *testing.T) {
	installedtest.Need(t)
	file := filepath.Join(t.TempDir(), "d.db")
	duck, err := extension.NewConnector(file, extension.Options{Config: config(t)})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(duck)
	exec(t, db,
		`CREATE TABLE few (k INTEGER, g INTEGER, a DECIMAL(15,2), b DECIMAL(15,2), c DECIMAL(9,4), d DECIMAL(18,0), e DECIMAL(18,9), h DECIMAL(4,2), i INTEGER, j BIGINT)`,
		`INSERT INTO few VALUES
			(1, 1, 1.50, -2.25, 0.0001, 7, 0.000000001, 0.06, 3, 4),
			(2, 1, 9999999999999.99, 9999999999999.99, 99999.9999, 999999999999999999, 999999999.999999999, 99.99, 2147483647, 9223372036854775807),
			(3, 2, -9999999999999.99, 0.01, -99999.9999, -999999999999999999, -999999999.999999999, -99.99, -2147483648, -9223372036854775808),
			(4, 2, NULL, 5, NULL, 3, NULL, 1, NULL, 2),
			(5, 3, 104949.50, 0.04, 12.3456, 100, 2.5, 0.05, 17, 17),
			(6, 3, 0, 0, 0, 0, 0, 0, 0, 0),
			(7, 3, 104949.50, NULL, 12.5, NULL, 0.1, NULL, 5, NULL),
			(8, 4, 1234567890123.45, 1234567890123.45, 1, 1000000000000, 1.000000001, 10, 1000, 1000000000)`,
		`CREATE TABLE whole AS SELECT k::BIGINT AS k, g::BIGINT AS g, a::DECIMAL(38,9) AS a, b::DECIMAL(38,9) AS b, c::DECIMAL(38,9) AS c,
			d::DECIMAL(38,9) AS d, e::DECIMAL(38,9) AS e, h::DECIMAL(38,9) AS h, i::BIGINT AS i, j FROM few`)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	lang, err := mallard.ParseDialect("bigquery")
	if err != nil {
		t.Fatal(err)
	}
	google, err := extension.NewConnector(file, extension.Options{Config: config(t), Dialect: lang})
	if err != nil {
		t.Fatal(err)
	}
	db = openConnector(t, google)
	g := decimals{rand.New(rand.NewPCG(7, 7))}
	queries, failed := 0, 0
	for range 60 {
		x, y, z := g.value(3), g.value(2), g.value(1)
		for _, q := range []string{
			"SELECT k, " + x + ", " + y + " FROM T ORDER BY k",
			"SELECT SUM(" + x + "), AVG(" + x + "), MIN(" + x + "), MAX(" + x + "), COUNT(" + x + "), COUNT(DISTINCT " + x + ") FROM T WHERE k <> 2",
			"SELECT g, SUM(" + y + "), AVG(" + y + "), SUM(DISTINCT " + y + "), SUM(IF(k > 2, " + z + ", 0)) FROM T GROUP BY g HAVING SUM(" + z + ") IS NOT NULL ORDER BY g",
			"SELECT k FROM T WHERE " + x + " < " + y + " OR " + z + " IN (1.5, 0, " + z + ") OR " + y + " BETWEEN 0.01 AND 1000 ORDER BY k",
			"SELECT k, SUM(" + z + ") OVER (ORDER BY k), AVG(" + z + ") OVER (PARTITION BY g ORDER BY k ROWS 1 PRECEDING), MAX(" + z + ") OVER () FROM T ORDER BY k",
			"WITH q AS (SELECT k, " + z + " AS x, " + y + " AS y FROM T) SELECT CAST(x AS STRING), TO_JSON_STRING(STRUCT(y)), x + y FROM q WHERE x >= (SELECT MIN(x) FROM q) ORDER BY k",
			"SELECT " + z + " AS x, COUNT(*), SUM(a) FROM T GROUP BY x ORDER BY x",
			"SELECT * FROM (SELECT " + z + " AS x FROM T UNION ALL SELECT a FROM T UNION ALL SELECT 0.5) ORDER BY x",
			"SELECT ARRAY_AGG(" + z + " IGNORE NULLS ORDER BY k), ARRAY(SELECT x.a FROM T AS x WHERE x.a IS NOT NULL ORDER BY x.a) FROM T",
			"SELECT l.k, r.k, (SELECT SUM(x.a * l.b) FROM T AS x WHERE x.g = l.g) FROM T AS l JOIN T AS r ON l.a = r." + string("abc"[queries%3]) + " ORDER BY 1, 2",
		} {
			queries++
			want, wantErr := result(t, db, strings.ReplaceAll(strings.ReplaceAll(q, "FROM T", "FROM whole"), "JOIN T", "JOIN whole"))
			got, gotErr := result(t, db, strings.ReplaceAll(strings.ReplaceAll(q, "FROM T", "FROM few"), "JOIN T", "JOIN few"))
			if wantErr != nil {
				failed++
			}
			if (wantErr == nil) != (gotErr == nil) || got != want {
				t.Errorf("%s\nfew digits: %v %s\nall digits: %v %s", q, gotErr, got, wantErr, want)
			}
		}
	}
	if failed > queries/2 {
		t.Errorf("%d of %d queries are errors: too little is compared", failed, queries)
	}
}

// decimals makes expressions of NUMERIC.
type decimals struct{ *rand.Rand }

func (g decimals) one(of ...string) string { return of[g.IntN(len(of))] }

func (g decimals) value(depth int) string {
	if depth == 0 || g.IntN(6) == 0 {
		return g.one("a", "b", "c", "d", "e", "h", "a", "h", "CAST(i AS NUMERIC)", "CAST(j AS NUMERIC)", "NUMERIC '1'", "NUMERIC '0.05'", "NUMERIC '100.25'")
	}
	x, y := g.value(depth-1), g.value(depth-1)
	switch g.IntN(12) {
	case 0, 1, 2:
		return "(" + x + " * " + y + ")"
	case 3, 4:
		return "(" + x + " + " + y + ")"
	case 5, 6:
		return "(" + x + " - " + y + ")"
	case 7:
		return "(- " + x + ")"
	case 8:
		return "IF(" + x + " > " + y + ", " + x + ", 0)"
	case 9:
		return "CASE WHEN k < 4 THEN " + x + " WHEN k = 5 THEN NULL ELSE " + y + " END"
	case 10:
		return g.one("COALESCE(", "IFNULL(") + x + ", " + y + ")"
	}
	return g.one("ABS(", "ROUND(", "CEIL(") + x + ")"
}

// result gives the types and rows of a query as a text.
func result(t *testing.T, db *sql.DB, query string) (string, error) {
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	values, to := make([]any, len(types)), make([]any, len(types))
	for i, of := range types {
		to[i] = &values[i]
		b.WriteString(of.DatabaseTypeName() + " ")
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n%v", values)
	}
	return b.String(), rows.Err()
}
