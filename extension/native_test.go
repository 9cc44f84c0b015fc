package extension_test

import (
	"sync"
	"testing"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// TestNativeFunctions calls native functions of GoogleSQL for the first time on many connections at once, and in transactions
// that began before they were there. The value is BigQuery's
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions#md5).
func TestNativeFunctions(t *testing.T) {
	installedtest.Need(t)
	cfg := config(t)
	lang, err := extension.ParseDialect("bigquery")
	if err != nil {
		t.Fatal(err)
	}
	c, err := extension.NewConnector("", extension.Options{Config: cfg, Dialect: lang})
	if err != nil {
		t.Fatal(err)
	}
	db := openConnector(t, c)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = tx.Rollback() }()
			for _, give := range []string{"SELECT COUNT(*) = 2 FROM UNNEST(['a', 'b'])", "SELECT MD5('Hello World') = b'\\xb1\\n\\x8d\\xb1d\\xe0uA\\x05\\xb7\\xa9\\x9b\\xe7.?\\xe5'",
				"SELECT FARM_FINGERPRINT('a') = -5528939962900187677"} {
				var ok bool
				if err := tx.QueryRowContext(t.Context(), give).Scan(&ok); err != nil || !ok {
					t.Errorf("%s: %v, %v", give, ok, err)
				}
			}
		})
	}
	all.Wait()
}
