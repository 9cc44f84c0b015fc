package extension

import (
	"database/sql/driver"
)

// tx forgets, at its end, what only the transaction knew.
type tx struct {
	driver.Tx
	s *session
}

func (t *tx) end() {
	t.s.transaction(false)
	t.s.in.epoch.Add(1)
	t.s.in.named.Add(1)
}

// Commit implements [driver.Tx].
func (t *tx) Commit() error {
	defer t.end()
	return t.Tx.Commit()
}

// Rollback implements [driver.Tx].
func (t *tx) Rollback() error {
	defer t.end()
	return t.Tx.Rollback()
}
