package storageread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/peer"

	"github.com/mallardml/mallard/extension/arrowquery"
)

// ReadRows implements [storagepb.BigQueryReadServer].
func (s *Server) ReadRows(r *storagepb.ReadRowsRequest, to storagepb.BigQueryRead_ReadRowsServer) error {
	n, x, err := s.stream(r.GetReadStream())
	if err != nil {
		return err
	}
	if r.GetOffset() < 0 {
		return invalid("offset must not be negative")
	}
	ctx := to.Context()
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return statusOf(ctx.Err())
	}
	if !n.enter() {
		_, _, err := s.stream(r.GetReadStream())
		return err
	}
	defer n.leave(s.o.Logger)
	return statusOf(s.read(ctx, n, x, r.GetOffset(), to))
}

func (s *Server) read(ctx context.Context, n *session, x span, offset int64, to storagepb.BigQueryRead_ReadRowsServer) error {
	query, rows := n.query(x, offset)
	if rows == 0 {
		return nil
	}
	if p := n.pins[x]; p != nil {
		select {
		case p.turn <- struct{}{}:
			defer func() { <-p.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
		// An interrupted statement would end the transaction, so a reader that has gone is noticed when a message is sent.
		return n.send(context.WithoutCancel(ctx), p.conn, query, offset, rows, to)
	}
	c, err := s.o.DB.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(n.send(ctx, c, query, offset, rows, to), c.Close())
}

// query reads the rows of a stream from an offset on, of which there are about so many.
func (n *session) query(x span, offset int64) (query string, rows int64) {
	skip := ""
	if n.gapless {
		x.from += min(offset, x.to-x.from)
	} else if offset > 0 {
		skip = fmt.Sprintf(" OFFSET %d", offset)
	}
	where := fmt.Sprintf(" WHERE rowid >= %d AND rowid < %d", x.from, x.to)
	if n.gapless && x == (span{0, n.rows}) {
		where = ""
	}
	return "SELECT " + n.columns + " FROM " + n.table + where + skip, x.to - x.from
}

// send runs the query and sends its rows. about is how many rows there are in all, if no number of a row is missing.
func (n *session) send(ctx context.Context, c *sql.Conn, query string, offset, about int64,
	to storagepb.BigQueryRead_ReadRowsServer) (err error) {
	r, err := arrowquery.QueryDuckDB(ctx, c, query)
	if err != nil {
		return err
	}
	defer r.Release()
	b := batches{schema: n.schema, codec: n.codec, near: near(to.Context())}
	defer b.release()
	out := sender{n: n, to: to, sent: offset, about: offset + about}
	if !n.gapless {
		out.about = about
	}
	for r.Next() {
		if !b.add(r.RecordBatch()) {
			continue
		}
		if err := out.send(&b); err != nil {
			return err
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if b.rows == 0 {
		return nil
	}
	return out.send(&b)
}

// near reports whether a client is on this machine.
func near(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	at, ok := p.Addr.(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

// sender sends messages.
type sender struct {
	n           *session
	to          storagepb.BigQueryRead_ReadRowsServer
	sent, about int64 // rows
	begun       bool
}

func (o *sender) send(b *batches) error {
	text, rows, err := b.message()
	if err != nil {
		return err
	}
	size := int64(0)
	if o.n.packed {
		if text, size, err = pack(text); err != nil {
			return err
		}
	}
	start := o.progress()
	o.sent += rows
	//lint:ignore SA1019 old clients read the count there
	batch := &storagepb.ArrowRecordBatch{SerializedRecordBatch: text, RowCount: rows}
	m := &storagepb.ReadRowsResponse{
		Rows:     &storagepb.ReadRowsResponse_ArrowRecordBatch{ArrowRecordBatch: batch},
		Stats:    &storagepb.StreamStats{Progress: &storagepb.StreamStats_Progress{AtResponseStart: start, AtResponseEnd: o.progress()}},
		RowCount: rows,
	}
	if o.n.packed {
		m.UncompressedByteSize = &size
	}
	if !o.begun {
		o.begun = true
		m.Schema = &storagepb.ReadRowsResponse_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: o.n.serialized}}
	}
	return o.to.Send(m)
}

func (o *sender) progress() float64 { return min(float64(o.sent)/float64(max(o.about, 1)), 1) }
