package extension

import (
	"context"
	"database/sql/driver"
)

// BeginTx implements [driver.ConnBeginTx].
func (n *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	t, err := n.Conn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	n.session.transaction(true)
	return &tx{t, n}, nil
}

// tx forgets, at its end, what only the transaction knew.
type tx struct {
	driver.Tx
	n *conn
}

func (t *tx) end() {
	t.n.session.transaction(false)
	t.n.in.epoch.Add(1)
	t.n.in.named.Add(1)
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
