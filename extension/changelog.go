package extension

import (
	"slices"
	"sync"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/planner"
)

// changeLog knows when tables were last changed, for FOR SYSTEM_TIME AS OF: DuckDB keeps no history. It begins when the database is
// opened, and takes a statement of which it does not know what it changes for one that changes everything.
type changeLog struct {
	mu     sync.Mutex
	opened time.Time
	all    time.Time            // the last change of unknown tables
	tables map[string]time.Time // by the planner's keys
}

func newChangeLog() *changeLog {
	return &changeLog{opened: time.Now(), tables: map[string]time.Time{}}
}

// maxChanges bounds the log: beyond them the oldest are forgotten.
const maxChanges = 10_000

// note takes note of a change that is over, or has been committed.
func (l *changeLog) note(keys []string) {
	if len(keys) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if slices.Contains(keys, planner.AnyTable) {
		l.all = now
		return
	}
	for _, k := range keys {
		l.tables[k] = now
	}
	if len(l.tables) > maxChanges {
		l.all, l.tables = now, map[string]time.Time{}
	}
}

// last tells when a table was last changed.
func (l *changeLog) last(key string) (at time.Time, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, by = l.opened, "the database was opened at "
	if l.all.After(at) {
		at, by = l.all, "a statement that may have changed the table ran at "
	}
	for k, t := range l.tables {
		if planner.Covers(k, key) && !t.Before(at) {
			at, by = t, ""
		}
	}
	return at, by
}

// changesRows reports whether statements of a kind may change the rows of tables.
func changesRows(t duckdb.StmtType) bool {
	switch t {
	case duckdb.STATEMENT_TYPE_SELECT, duckdb.STATEMENT_TYPE_SET, duckdb.STATEMENT_TYPE_VARIABLE_SET, duckdb.STATEMENT_TYPE_TRANSACTION,
		duckdb.STATEMENT_TYPE_RELATION, duckdb.STATEMENT_TYPE_LOGICAL_PLAN:
		return false
	}
	return true
}
