package conformance_test

import (
	"cmp"
	"database/sql"
	"testing"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/conformance"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
)

// TestGenerated judges the same generated queries each time; `make conformance` judges many more.
func TestGenerated(t *testing.T) {
	source := installedtest.Need(t)
	service, err := source.Open(func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(installed.EnvLibrary, cmp.Or(source.Native, "wasm")) // the connections take it only so
	cfg := config.DefaultConfig()
	cfg.BigQuery.Dialect = config.Dialect(dialect.GoogleSQL)
	connector, err := extension.NewConnector("", extension.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	judge, err := conformance.New(t.Context(), service, db)
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for seed := range uint64(200) {
		q := conformance.Generate(seed)
		switch j := judge.Query(t.Context(), q); {
		case j.Verdict == conformance.Same:
			same++
		case j.Verdict == conformance.Refused || j.Verdict == conformance.Unjudged || j.Verdict == conformance.OtherError:
			t.Logf("%s: seed %d: %s: %s", j.Verdict, seed, q, j.Got)
		default:
			t.Errorf("%s: seed %d: %s\n\twant %s\n\tgot  %s", j.Verdict, seed, q, j.Want, j.Got)
		}
	}
	if same < 150 {
		t.Errorf("%d of 200 are the same", same)
	}
}
