package extension_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
)

// asked asks for n distinct prompts from a number on, and counts those that got their answer.
func asked(from, n int) string {
	return fmt.Sprintf("SELECT count(*) FILTER (ml_generate_text_status = '') FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q' || i AS prompt FROM range(%d, %d) t(i)), STRUCT(TRUE AS flatten_json_output))", from, from+n)
}

const createG = "CREATE MODEL g REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')"

// TestCacheExpires: an answer that is too old is asked again, and the new one is used.
func TestCacheExpires(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	cfg.Cache.TTL = mallard.Duration(time.Hour)
	file := filepath.Join(t.TempDir(), "mallard.db") // the database and the schema of the cache have one name
	db := open(t, file, cfg)
	exec(t, db, createG)
	one[int](t, db, asked(0, 4))
	exec(t, db, "UPDATE mallard.mallard_answers.answers SET created = created - INTERVAL 2 HOUR WHERE answer LIKE '%q1%' OR answer LIKE '%q2%'")
	if n := one[int](t, db, "SELECT count(*) FROM mallard.mallard_answers.answers WHERE created < now() - INTERVAL 1 HOUR"); n != 2 {
		t.Fatalf("%d answers were made old, want 2", n)
	}
	for range 2 {
		if n := one[int](t, db, asked(0, 4)); n != 4 {
			t.Errorf("%d answers", n)
		}
		if s.Count() != 6 {
			t.Errorf("%d requests so far, want 6", s.Count())
		}
	}
	if n := one[int](t, db, "SELECT count(*) FROM ml_cache()"); n != 4 {
		t.Errorf("%d answers are kept, want 4: what has expired goes when it is asked again", n)
	}
	// At the next start what has expired goes with the first answer.
	exec(t, db, "UPDATE mallard.mallard_answers.answers SET created = created - INTERVAL 2 HOUR")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, file, cfg)
	one[int](t, db, asked(10, 1))
	if n := one[int](t, db, "SELECT count(*) FROM ml_cache()"); n != 1 {
		t.Errorf("%d answers are kept, want 1", n)
	}
}

// TestCacheIsBounded: the oldest answers go, the newest stay.
func TestCacheIsBounded(t *testing.T) {
	tests := []struct {
		name  string
		bound mallard.CacheConfig
	}{
		{"rows", mallard.CacheConfig{MaxRows: 16}},
		{"bytes", mallard.CacheConfig{MaxBytes: 16 << 10}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, cfg := emulator(t, vertextest.Options{})
			cfg.Cache = tt.bound
			db := open(t, "", cfg)
			exec(t, db, createG)
			for i := range 6 {
				one[int](t, db, asked(10*i, 10))
			}
			rows := one[int64](t, db, "SELECT count(*) FROM ml_cache()")
			bytes := one[int64](t, db, "SELECT sum(strlen(question) + strlen(model) + strlen(endpoint) + strlen(answer))::BIGINT FROM mallard_answers.answers")
			if tt.bound.MaxRows > 0 && rows > tt.bound.MaxRows || tt.bound.MaxBytes > 0 && bytes > tt.bound.MaxBytes || rows < 10 || rows >= 60 {
				t.Errorf("%d answers of %d bytes are kept", rows, bytes)
			}
			before := s.Count()
			one[int](t, db, asked(50, 10))
			if n := s.Count() - before; n != 0 {
				t.Errorf("%d of the newest answers were asked again", n)
			}
			one[int](t, db, asked(0, 10))
			if n := s.Count() - before; n != 10 {
				t.Errorf("%d of the oldest answers were asked again, want 10", n)
			}
		})
	}
}

// TestCacheTableOfTwoAnswers: of two answers to one question, as statements that run at the same time leave them, the newer is
// used; and a table that was dropped is made again.
func TestCacheTableOfTwoAnswers(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	db := open(t, "", cfg)
	exec(t, db, createG)
	one[int](t, db, asked(0, 3))
	exec(t, db, "INSERT INTO mallard_answers.answers SELECT a.* REPLACE (replace(answer, 'q1', v.text) AS answer, created + v.age AS created) "+
		"FROM mallard_answers.answers a, (VALUES ('newer', INTERVAL 1 MINUTE), ('older', -INTERVAL 1 MINUTE)) v(text, age)")
	const query = "SELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL g, (SELECT 'q1' AS prompt), STRUCT(TRUE AS flatten_json_output))"
	if text := one[string](t, db, query); !strings.Contains(text, "newer") {
		t.Errorf("the answer is %q, not the newer", text)
	}
	if s.Count() != 3 {
		t.Errorf("%d requests, want 3", s.Count())
	}
	exec(t, db, "DROP TABLE mallard_answers.answers")
	for i := range 3 {
		if n := one[int](t, db, asked(0, 3)); n != 3 {
			t.Errorf("run %d after the drop: %d answers", i, n)
		}
	}
	if n := one[int](t, db, "SELECT count(*) FROM ml_cache()"); n != 3 {
		t.Errorf("%d answers are kept after the drop, want 3", n)
	}
}

// TestCacheReadOnly: a database that is open for reading gives the answers it has, and goes on giving them after one that
// it cannot keep.
func TestCacheReadOnly(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	file := filepath.Join(t.TempDir(), "m.db")
	db := open(t, file, cfg)
	exec(t, db, createG, "CREATE TABLE p AS SELECT 'q' || i AS prompt FROM range(2500) t(i)")
	const query = "SELECT count(*) FILTER (ml_generate_text_status = '') FROM ML.GENERATE_TEXT(MODEL g, TABLE p, STRUCT(TRUE AS flatten_json_output))"
	one[int](t, db, query)
	exec(t, db, "DELETE FROM mallard_answers.answers WHERE answer LIKE '%q7\\\\n%' OR answer LIKE '%q7\"%'")
	missing := 2500 - one[int64](t, db, "SELECT count(*) FROM ml_cache()")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if missing == 0 || missing > 10 {
		t.Fatalf("%d answers were deleted, want a few", missing)
	}

	db = open(t, file+"?access_mode=read_only", cfg)
	before := s.Count()
	var notices []string
	ctx := extension.WithNotices(t.Context(), func(text string) { notices = append(notices, text) })
	var n int
	if err := db.QueryRowContext(ctx, query).Scan(&n); err != nil || n != 2500 {
		t.Errorf("%d answers, %v", n, err)
	}
	if got := s.Count() - before; got != missing {
		t.Errorf("%d requests, want %d: all other answers are in the file", got, missing)
	}
	if all := strings.Join(notices, "\n"); !strings.Contains(all, "open for reading") {
		t.Errorf("the notice does not say that the answer was not kept: %q", all)
	}
	if _, err := db.ExecContext(context.Background(), "SELECT ML_CACHE_CLEAR()"); err == nil {
		t.Error("ML_CACHE_CLEAR() says nothing about a database that it cannot write")
	}
}

// TestCacheInMemory: without a file answers are kept while the database is open.
func TestCacheInMemory(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	db := open(t, "", cfg)
	exec(t, db, createG)
	for range 2 {
		one[int](t, db, asked(0, 3))
	}
	if s.Count() != 3 {
		t.Errorf("%d requests in two runs, want 3", s.Count())
	}
	other := open(t, "", cfg)
	exec(t, other, createG)
	one[int](t, other, asked(0, 3))
	if s.Count() != 6 {
		t.Errorf("%d requests, want 6: another database in memory knows nothing of the first", s.Count())
	}
}

// TestCacheTableOfTheUsers: a table of another form in the cache's place is named, and nothing fails.
func TestCacheTableOfTheUsers(t *testing.T) {
	_, cfg := emulator(t, vertextest.Options{})
	db := open(t, "", cfg)
	exec(t, db, createG, "CREATE SCHEMA mallard_answers", "CREATE TABLE mallard_answers.answers(x INTEGER)")
	var notices []string
	ctx := extension.WithNotices(t.Context(), func(text string) { notices = append(notices, text) })
	var n int
	if err := db.QueryRowContext(ctx, asked(0, 3)).Scan(&n); err != nil || n != 3 {
		t.Errorf("%d answers, %v", n, err)
	}
	if all := strings.Join(notices, "\n"); !strings.Contains(strings.ToLower(all), "the cache was not used") {
		t.Errorf("no word about the cache: %q", all)
	}
}

// TestOldAnswers: a file of an earlier version has its answers in the schema mallard, where they are used further.
func TestOldAnswers(t *testing.T) {
	s, cfg := emulator(t, vertextest.Options{})
	file := filepath.Join(t.TempDir(), "old.db")
	db := open(t, file, cfg)
	exec(t, db, createG)
	one[int](t, db, asked(0, 3))
	exec(t, db, "CREATE SCHEMA mallard", "CREATE TABLE mallard.answers AS FROM mallard_answers.answers", "DROP SCHEMA mallard_answers CASCADE")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, file, cfg)
	one[int](t, db, asked(0, 4))
	if n := s.Count(); n != 4 {
		t.Errorf("%d requests, want 4: three answers are there", n)
	}
	if n := one[int](t, db, "SELECT count(*) FROM mallard.answers"); n != 4 {
		t.Errorf("%d answers in the old place, want 4", n)
	}
}
