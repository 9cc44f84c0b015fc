package storageread

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow/array"
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
	b := batches{schema: n.schema, codec: n.codec, near: near(to.Context())}
	defer b.release()
	out := sender{n: n, to: to, sent: offset, about: offset + about}
	if !n.gapless {
		out.about = about
	}
	// The next message is made while one is sent: a client takes its time.
	made, gone, ended := make(chan message, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(made)
		defer r.Release()
		ended <- b.produce(r, made, gone)
	}()
	// A message goes out when the next one is there, the last one when the query has ended: so the end of the stream follows it at once.
	// Python's client waits for 0.2 s more where it finds the rows read and the stream not ended.
	var last *message
	for m := range made {
		if err == nil && last != nil {
			if err = out.send(*last); err != nil {
				close(gone)
			}
		}
		last = &m
	}
	if err = errors.Join(err, <-ended); err == nil && last != nil {
		err = out.send(*last)
	}
	return err
}

// message is a part of a stream.
type message struct {
	text []byte
	rows int64
}

// produce makes messages of what a query gives, until it ends or the reader of them is gone.
func (b *batches) produce(r array.RecordReader, to chan<- message, gone <-chan struct{}) (err error) {
	defer func() { // no call's own goroutine, which would do so
		if p := recover(); p != nil {
			err = fmt.Errorf("a fault of the server's: %v", p)
		}
	}()
	put := func() error {
		text, rows, err := b.message()
		if err != nil {
			return err
		}
		select {
		case to <- message{text, rows}:
			return nil
		case <-gone:
			return errGone
		}
	}
	for r.Next() {
		if !b.add(r.RecordBatch()) {
			continue
		}
		if err := put(); err != nil {
			return leaving(err)
		}
	}
	if err := r.Err(); err != nil || b.rows == 0 {
		return err
	}
	return leaving(put())
}

// errGone says that nobody reads any more.
var errGone = errors.New("the reader is gone")

// leaving is no error where the reader is gone: the sender has its own.
func leaving(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
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

func (o *sender) send(of message) (err error) {
	text, rows := of.text, of.rows
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
