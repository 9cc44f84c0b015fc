package extension_test

import (
	"sync"
	"testing"
)

// TestNativeFunctions calls native functions of GoogleSQL for the first time on many connections at once, and in transactions
// that began before they were there. The value is BigQuery's
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions#md5).
func TestNativeFunctions(t *testing.T) {
	db := openGoogleSQL(t)
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
