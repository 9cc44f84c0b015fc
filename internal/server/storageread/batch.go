package storageread

import (
	"bytes"
	"fmt"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/pierrec/lz4/v4"
)

// codec is how the buffers of batches are compressed.
type codec = storagepb.ArrowSerializationOptions_CompressionCodec

func codecOf(o *storagepb.ReadSession_TableReadOptions) codec {
	return o.GetArrowSerializationOptions().GetBufferCompression()
}

// packed reports whether messages are to be compressed as a whole.
func packed(o *storagepb.ReadSession_TableReadOptions) bool {
	return o.GetResponseCompressionCodec() == storagepb.ReadSession_TableReadOptions_RESPONSE_COMPRESSION_CODEC_LZ4
}

// pack compresses the text of a message. Where that makes it no smaller, size is -1 and it stays as it is.
func pack(text []byte) (out []byte, size int64, err error) {
	out = make([]byte, len(text))
	n, err := lz4.CompressBlock(text, out, nil)
	if err != nil || n == 0 {
		return text, -1, err
	}
	return out[:n], int64(len(text)), nil
}

// serializeSchema gives the message of a schema alone, without the end of a stream.
func serializeSchema(s *arrow.Schema) ([]byte, error) {
	p := ipc.GetSchemaPayload(s, memory.DefaultAllocator)
	defer p.Release()
	var out bytes.Buffer
	_, err := p.WritePayload(&out)
	return out.Bytes(), err
}

// A message to the client has about so many rows or bytes, whichever comes first: DuckDB's batches of 2,048 rows cost each message its
// fixed price too often, and large ones let the client wait. Of the buffers that gRPC keeps for use again the largest have 1 MiB.
const (
	messageRows  = 16 * 2048
	messageBytes = 900 << 10
)

// worth is what of its size a message may keep at most when it is compressed, for a client on this machine: there compressing takes longer
// than sending. The first message is always compressed as asked, and tells.
const worth = 0.5

// batches gathers DuckDB's batches into messages. What it allocates serves one message after the other.
type batches struct {
	schema *arrow.Schema
	codec  codec
	near   bool // the client is on this machine
	arena  arena
	outs   [buffers]bytes.Buffer // of the messages that are at hand, in turn
	out    *bytes.Buffer         // the one that is written
	turn   int
	writer *ipc.Writer
	parts  []arrow.RecordBatch
	rows   int64
	bytes  uint64
}

// add takes a batch, and says whether a message is due.
func (b *batches) add(r arrow.RecordBatch) (due bool) {
	r.Retain()
	b.parts = append(b.parts, r)
	b.rows += r.NumRows()
	for _, c := range r.Columns() {
		b.bytes += sizeOf(c.Data())
	}
	return b.rows >= messageRows || b.bytes >= messageBytes
}

// sizeOf is the number of bytes of the values.
func sizeOf(d arrow.ArrayData) (n uint64) {
	for _, b := range d.Buffers() {
		if b != nil {
			n += uint64(b.Len())
		}
	}
	for _, c := range d.Children() {
		n += sizeOf(c)
	}
	return n
}

func (b *batches) release() {
	for _, p := range b.parts {
		p.Release()
	}
	clear(b.parts)
	b.parts, b.rows, b.bytes = b.parts[:0], 0, 0
}

// buffers is how many messages are at hand at once: one that is made, one that waits, one that is kept back and one that is sent.
const buffers = 4

// message makes a message of the batches, and forgets them. Its text holds until three more are made.
func (b *batches) message() (text []byte, rows int64, err error) {
	defer b.release()
	columns := make([]arrow.Array, b.schema.NumFields())
	for i, f := range b.schema.Fields() {
		data, err := b.column(i, f.Type)
		if err != nil {
			return nil, 0, fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns[i] = array.MakeFromData(data)
		data.Release()
		defer columns[i].Release()
	}
	whole := array.NewRecordBatch(b.schema, columns, b.rows)
	defer whole.Release()
	b.out = &b.outs[b.turn]
	b.turn = (b.turn + 1) % buffers
	first := b.writer == nil
	if first {
		b.use(b.codec)
	}
	b.out.Reset()
	if err := b.writer.Write(whole); err != nil {
		return nil, 0, err
	}
	if first && b.near && float64(b.out.Len()) > worth*float64(b.bytes) {
		b.use(storagepb.ArrowSerializationOptions_COMPRESSION_UNSPECIFIED)
	}
	return b.out.Bytes(), b.rows, nil
}

// use makes a writer that compresses so. One serves many messages, since compressors are costly to make.
func (b *batches) use(c codec) {
	options := []ipc.Option{ipc.WithSchema(b.schema), ipc.WithAllocator(&b.arena)}
	switch c {
	case storagepb.ArrowSerializationOptions_LZ4_FRAME:
		options = append(options, ipc.WithLZ4())
	case storagepb.ArrowSerializationOptions_ZSTD:
		options = append(options, ipc.WithZstd())
	}
	b.writer = ipc.NewWriterWithPayloadWriter(&messageWriter{b: b}, options...)
}

// messageWriter writes the messages of batches alone. It implements [ipc.PayloadWriter].
type messageWriter struct {
	b     *batches
	begun bool // the schema has passed
}

// Start implements [ipc.PayloadWriter].
func (*messageWriter) Start() error { return nil }

// Close implements [ipc.PayloadWriter].
func (*messageWriter) Close() error { return nil }

// WritePayload implements [ipc.PayloadWriter].
func (w *messageWriter) WritePayload(p ipc.Payload) error {
	if !w.begun {
		w.begun = true
		return nil
	}
	_, err := p.WritePayload(w.b.out)
	return err
}

// column gives the values of a column as BigQuery's type.
func (b *batches) column(i int, to arrow.DataType) (*array.Data, error) {
	if len(b.parts) == 1 {
		return retyped(b.parts[0].Column(i).Data(), to)
	}
	parts := make([]arrow.Array, len(b.parts))
	for k, p := range b.parts {
		parts[k] = p.Column(i)
	}
	whole, err := array.Concatenate(parts, &b.arena)
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	return retyped(whole.Data(), to)
}

// arena is memory of one goroutine that is used again: the buffers of a message are about as large as those of the one before. It
// implements [memory.Allocator].
type arena struct{ free [][]byte }

// Allocate implements [memory.Allocator].
func (a *arena) Allocate(size int) []byte {
	for i, b := range a.free {
		if cap(b) >= size && cap(b) <= 2*size+4096 {
			last := len(a.free) - 1
			a.free[i], a.free = a.free[last], a.free[:last]
			return b[:size]
		}
	}
	return memory.DefaultAllocator.Allocate(size + size/8)[:size] // the next one may be a little longer
}

// Reallocate implements [memory.Allocator].
func (a *arena) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	larger := a.Allocate(size)
	copy(larger, b)
	a.Free(b)
	return larger
}

// most bounds the buffers that wait.
const most = 64

// Free implements [memory.Allocator].
func (a *arena) Free(b []byte) {
	if cap(b) > 0 && len(a.free) < most {
		a.free = append(a.free, b)
	}
}
