package tutorial_test

import (
	"database/sql"
	"image"
	_ "image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/tutorial"
)

func TestMain(m *testing.M) { leak.Main(m) }

// TestWrite: the tables have rows and the public tables' columns, titles are missing as there, and the posters are pictures.
func TestWrite(t *testing.T) {
	w, err := tutorial.Write(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := mallard.NewConnector(w.Tables, mallard.Options{Dialect: mallard.DuckDB})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	for query, want := range map[string]int64{
		"SELECT count(*) FROM hacker_news.full":                                                                                 1000,
		"SELECT count(*) FROM hacker_news.full WHERE title IS NULL AND type <> 'comment'":                                       0,
		"SELECT count(DISTINCT id) FROM hacker_news.full":                                                                       1000,
		"SELECT count(*) FROM imdb.reviews WHERE review IS NOT NULL":                                                            1000,
		"SELECT count(*) FROM duckdb_columns() WHERE table_name = 'full' AND schema_name = 'hacker_news'":                       14,
		"SELECT count(*) FROM usa_names.usa_1910_2013":                                                                          4 * 10 * 104,
		"SELECT count(*) FROM samples.shakespeare":                                                                              60,
		"SELECT count(*) FROM (SELECT state, gender, year, name FROM usa_names.usa_1910_2013 GROUP BY ALL HAVING count(*) > 1)": 0,
	} {
		var got int64
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", query, got, err, want)
		}
	}
	posters, err := filepath.Glob(filepath.Join(w.Buckets["cloud-samples-data"],
		"vertex-ai/dataset-management/datasets/classic-movie-posters/*"))
	if err != nil || len(posters) != 3 {
		t.Fatal(posters, err)
	}
	for _, p := range posters {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := image.Decode(f); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(w.Buckets["cloud-training-demos"], "txtclass/export/exporter/1549825580/saved_model.pb")); err != nil {
		t.Error(err)
	}
}
