package extension

import (
	"context"
	"errors"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
)

// An error ends a transaction of DuckDB's, which then takes ROLLBACK alone, and not one of BigQuery's, whose handler may look at @@error
// before it rolls back. So such a transaction is rolled back where its handler begins; until the ROLLBACK of the script only statements
// without tables run, whose rows would not be those of the transaction.

// errEnded says what may follow.
var errEnded = errors.New("an error has ended the transaction, whose changes are undone: ROLLBACK TRANSACTION comes before anything " +
	"that names a table, and before COMMIT TRANSACTION")

// endAborted rolls back the transaction of a script that DuckDB has given up.
func (s *session) endAborted(ctx context.Context) error {
	if !s.script.begun || !s.active() {
		return nil
	}
	if _, err := s.rows(ctx, "SELECT 1"); !duckapi.Is(err, duckdb.ErrorTypeTransaction) {
		return err
	}
	if _, err := s.duck.ExecContext(ctx, "ROLLBACK", nil); err != nil {
		return err
	}
	s.transaction(false)
	s.script.begun, s.script.ended = false, true
	return nil
}

// afterEnd looks at a statement that follows the end of its transaction by an error: ROLLBACK finds an empty transaction.
func (s *session) afterEnd(ctx context.Context, src string, st dialect.Statement) error {
	switch {
	case !s.script.ended:
		return nil
	case dialect.Begins(src, st, "ROLLBACK"):
		if _, err := s.duck.ExecContext(ctx, "BEGIN", nil); err != nil {
			return err
		}
		s.transaction(true)
		s.script.ended = false
		return nil
	case dialect.Begins(src, st, "COMMIT"), dialect.Begins(src, st, "BEGIN"), len(dialect.Relations(src, st)) > 0:
		return s.scriptFault(ctx, src, dialect.Opening(src, st.Span), errEnded)
	}
	return nil
}
