package storageread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"

	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/server/wire"
)

// open makes a session of a table.
func (s *Server) open(ctx context.Context, t Table, r *storagepb.CreateReadSessionRequest) (_ *session, err error) {
	o := r.GetReadSession().GetReadOptions()
	some, err := wire.SelectionOf(o.GetSelectedFields())
	if err != nil {
		return nil, invalid("request failed: %v", err)
	}
	now := time.Now()
	if at := r.GetReadSession().GetTableModifiers().GetSnapshotTime(); at != nil {
		if err := at.CheckValid(); err != nil {
			return nil, invalid("request failed: snapshot_time: %v", err)
		}
		if at.AsTime().Before(now.Add(-snapshotSlack)) {
			return nil, invalid("request failed: snapshot_time %s lies back: DuckDB keeps no earlier states of a table",
				at.AsTime().Format(time.RFC3339))
		}
	}
	n := &session{id: newID(), codec: codecOf(o), packed: packed(o), age: s.o.Limits.Age, idle: s.o.Limits.Idle, created: now, used: now}
	defer func() {
		if err != nil {
			n.end(s.o.Logger)
		}
	}()
	if filter := o.GetRowRestriction(); t.Name == "" || strings.TrimSpace(filter) != "" {
		query, err := restricted(t, filter)
		if err != nil {
			return nil, err
		}
		if t, n.drop, err = s.o.Tables.Keep(ctx, query); err != nil {
			return nil, fmt.Errorf("request failed: %w", err)
		}
	}
	fields, expressions, err := some.Of(t.Columns)
	if err != nil {
		return nil, invalid("request failed: %v", err)
	}
	if n.schema, err = schemaOf(fields); err != nil {
		return nil, err
	}
	if n.serialized, err = serializeSchema(n.schema); err != nil {
		return nil, err
	}
	n.table, n.columns = t.Name, strings.Join(expressions, ", ")
	return n, s.divide(ctx, n, t.Fixed, wanted(r, s.o.Limits.Streams))
}

// restricted is a query for the rows of a table, or those of them that a condition is true for.
func restricted(t Table, filter string) (string, error) {
	query := "SELECT * FROM " + t.GoogleSQL
	if strings.TrimSpace(filter) == "" {
		return query, nil
	}
	condition, err := dialect.Parenthesize(filter, dialect.GoogleSQL)
	if err != nil {
		return "", invalid("request failed: row_restriction is no condition: %v", err)
	}
	return query + " WHERE " + condition, nil
}

// wanted is how many streams a session has at most.
func wanted(r *storagepb.CreateReadSessionRequest, most int) int {
	if n := int(r.GetMaxStreamCount()); n > 0 {
		return min(n, most)
	}
	return most
}

// rowsOfAStream is how many rows are worth a stream of their own: some of DuckDB's row groups of 122,880.
const rowsOfAStream = 4 * 122_880

// divide cuts the rows into streams. An empty table has none, as BigQuery's.
func (s *Server) divide(ctx context.Context, n *session, fixed bool, most int) (err error) {
	if fixed {
		return s.lend(ctx, func(c *sql.Conn) error {
			top, err := n.measure(ctx, c)
			n.cut(top, most)
			return err
		})
	}
	pins, err := s.pinned(ctx, n, most)
	if err != nil || len(n.streams) == 0 {
		return errors.Join(err, closeAll(pins))
	}
	n.pins = map[span]*pin{}
	for i, x := range n.streams {
		n.pins[x] = pins[i]
	}
	return nil
}

// pinned makes a transaction for each stream. Those that begin one after the other see the same rows if nothing else began or ended in
// between: DuckDB counts both. Where something did, one transaction will do.
func (s *Server) pinned(ctx context.Context, n *session, most int) (pins []*pin, err error) {
	more := func() error {
		c, err := s.o.DB.Conn(ctx)
		if err == nil {
			pins = append(pins, &pin{turn: make(chan struct{}, 1), conn: c})
		}
		return err
	}
	if err := more(); err != nil {
		return pins, err
	}
	number, err := pins[0].begin(ctx, n.table)
	if err != nil {
		return pins, err
	}
	cut := func() error {
		return extension.WithDuckDBSQL(ctx, pins[0].conn, func(c *sql.Conn) error {
			top, err := n.measure(ctx, c)
			n.cut(top, most)
			return err
		})
	}
	if err := cut(); err != nil || len(n.streams) < 2 {
		return pins, err
	}
	for range len(n.streams) - 1 {
		if err := more(); err != nil { // which may run statements
			return pins, err
		}
	}
	together := true
	for i, p := range pins {
		next, err := p.begin(ctx, n.table)
		if err != nil {
			return pins, err
		}
		together = together && (i == 0 || next == number+1)
		number = next
	}
	if !together {
		most = 1
	}
	err = cut() // anew, since rows may have come in between
	spare := pins[min(len(n.streams), len(pins)):]
	pins = pins[:len(pins)-len(spare)]
	n.streams = n.streams[:min(len(n.streams), len(pins))]
	return pins, errors.Join(err, closeAll(spare))
}

func closeAll(pins []*pin) (err error) {
	for _, p := range pins {
		err = errors.Join(err, p.close())
	}
	return err
}

// lend lends a connection that speaks DuckDB's own SQL.
func (s *Server) lend(ctx context.Context, f func(*sql.Conn) error) error {
	c, err := s.o.DB.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(extension.WithDuckDBSQL(ctx, c, f), c.Close())
}

// begin begins the transaction, anew if there is one, that sees the table as it is now. It gives DuckDB's number of it.
func (p *pin) begin(ctx context.Context, table string) (number uint64, err error) {
	if p.tx != nil {
		if err := p.tx.Rollback(); err != nil {
			return 0, err
		}
	}
	if p.tx, err = p.conn.BeginTx(context.WithoutCancel(ctx), nil); err != nil { // it outlives the request
		return 0, err
	}
	err = extension.WithDuckDBSQL(ctx, p.conn, func(c *sql.Conn) error {
		// It begins in the table's database with the first statement that names it.
		return c.QueryRowContext(ctx, "SELECT coalesce(any_value(x), txid_current()) FROM (SELECT 0::UBIGINT AS x FROM "+table+
			" LIMIT 0)").Scan(&number)
	})
	return number, err
}

// measure counts the rows, and gives the number behind the last one. DuckDB knows the count without a look at the rows, and which of them
// may have a number at or behind it: where none has, the numbers are 0, 1, 2 and so on.
func (n *session) measure(ctx context.Context, c *sql.Conn) (top int64, err error) {
	if err = c.QueryRowContext(ctx, "SELECT count(*) FROM "+n.table).Scan(&n.rows); err != nil {
		return 0, err
	}
	err = c.QueryRowContext(ctx, "SELECT coalesce(max(rowid) + 1, $1) FROM "+n.table+" WHERE rowid >= $1", n.rows).Scan(&top)
	n.gapless = n.rows == top
	return top, err
}

// cut makes the streams.
func (n *session) cut(top int64, most int) {
	n.streams = nil
	if n.rows == 0 {
		return
	}
	count := max(min(int64(most), n.rows/rowsOfAStream), 1)
	for i := range count {
		n.streams = append(n.streams, span{top * i / count, top * (i + 1) / count})
	}
}
