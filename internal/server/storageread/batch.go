package storageread

import (
	"bytes"
	"fmt"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// codec is how the buffers of batches are compressed.
type codec = storagepb.ArrowSerializationOptions_CompressionCodec

func codecOf(o *storagepb.ReadSession_TableReadOptions) codec {
	return o.GetArrowSerializationOptions().GetBufferCompression()
}

// serializeSchema gives the message of a schema alone, without the end of a stream.
func serializeSchema(s *arrow.Schema) ([]byte, error) {
	p := ipc.GetSchemaPayload(s, memory.DefaultAllocator)
	defer p.Release()
	var out bytes.Buffer
	_, err := p.WritePayload(&out)
	return out.Bytes(), err
}

// A message to the client has about so many rows or bytes, whichever comes first: DuckDB's batches of 2,048 rows cost each message its fixed
// price too often, and large ones let the client wait.
const (
	messageRows  = 16 * 2048
	messageBytes = 4 << 20
)

// batches gathers DuckDB's batches into messages.
type batches struct {
	schema *arrow.Schema
	codec  codec
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
	b.parts, b.rows, b.bytes = nil, 0, 0
}

// message makes a message of the batches, and forgets them.
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
	options := []ipc.Option{ipc.WithSchema(b.schema)}
	switch b.codec {
	case storagepb.ArrowSerializationOptions_LZ4_FRAME:
		options = append(options, ipc.WithLZ4())
	case storagepb.ArrowSerializationOptions_ZSTD:
		options = append(options, ipc.WithZstd())
	}
	p, err := ipc.GetRecordBatchPayload(whole, options...)
	if err != nil {
		return nil, 0, err
	}
	defer p.Release()
	out := bytes.NewBuffer(make([]byte, 0, b.bytes+b.bytes/16+4096))
	_, err = p.WritePayload(out)
	return out.Bytes(), b.rows, err
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
	whole, err := array.Concatenate(parts, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer whole.Release()
	return retyped(whole.Data(), to)
}
