package answercache

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/mallardml/mallard/internal/dispatch"
)

// TestClockJumps: an answer is used for no longer than the bound allows, also when the clock was wrong as it was kept, and a clock that is
// wrong for a while loses none that is not too old by it.
func TestClockJumps(t *testing.T) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // a database in memory for each
	c := New(db, Options{TTL: time.Hour})
	right := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	key := []dispatch.Key{{Model: "m", Endpoint: "e"}}
	for i, step := range []struct {
		at   time.Time
		put  bool
		want string // the answer, "" for one that is to be asked
	}{
		{right, true, "0"},
		{right.Add(-30 * time.Minute), false, "0"}, // a clock that is put right by a little
		{right.Add(30 * time.Minute), false, "0"},
		{right.AddDate(-56, 0, 0), false, ""}, // one that begins in 1970
		{right.AddDate(-56, 0, 0), true, "4"},
		{right.Add(59 * time.Minute), false, "0"},
		{right.Add(61 * time.Minute), false, ""},
		{right.AddDate(4, 0, 0), true, "7"}, // and one that is years ahead
		{right.Add(2 * time.Hour), false, ""},
		{right.Add(2 * time.Hour), true, "9"},
		{right.Add(2*time.Hour + time.Minute), false, "9"},
		{right.AddDate(4, 0, 0), false, "7"},
	} {
		c.now = func() time.Time { return step.at }
		if step.put {
			err := c.Put(t.Context(), []dispatch.Entry{{Key: key[0], Answer: dispatch.Answer{Body: []byte(fmt.Sprint(i))}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		if got[0] != nil {
			text = string(got[0].Body)
		}
		if text != step.want {
			t.Errorf("step %d: answer %q, want %q", i, text, step.want)
		}
	}
}
