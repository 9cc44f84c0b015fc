package remote

import (
	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/udf"
)

// segments is the function that says how many rows each row gives: (version, key) to a key for each. It waits for the answers
// of those only that nothing else can tell of.
type segments struct{ host Host }

func registerSegments(conn mapping.Connection, name string, host Host) error {
	return register(conn, name, []udf.Type{key, key}, false, googlesql.ArrayOf(scalar(googlesql.Int64)), (&segments{host}).bind)
}

func (s *segments) bind(b *udf.Binding) (udf.Call, error) {
	c, err := bindSpec(b, s.host)
	if err != nil {
		return nil, err
	}
	return &segmentsCall{c}, nil
}

type segmentsCall struct{ *bound }

// Execute gives the keys of a chunk.
func (c *segmentsCall) Execute(chunk mapping.DataChunk, out mapping.Vector) (err error) {
	st := c.host.Statement(c.conn)
	defer st.Guard(&err)
	defer udf.Rescue(&err) // or other threads would wait for rows that nobody asks any more
	keys := readKeys(chunk)
	values := make([]any, len(keys))
	waits := make([]rowKey, len(keys)) // the keys that may give several rows
	for r, k := range keys {
		switch {
		case k.several:
			waits[r] = k
		case k.valid:
			values[r] = []any{int64(k.uint64())}
		default:
			values[r] = []any{nil} // the row stays
		}
	}
	for id, rows := range byGroup(waits) {
		g := st.Find(id)
		if g == nil {
			return dispatch.ErrEnded
		}
		await := g.Await
		if len(rows.numbers) < len(keys) {
			await = g.AwaitSome
		}
		verdicts, err := await(rows.numbers)
		if err != nil {
			return err
		}
		for i, v := range verdicts {
			k := rowKey{group: id, row: g.Hold(v)}
			list := make([]any, len(v.Lines))
			for n := range list {
				list[n] = int64(k.uint64())
				k.row++
			}
			values[rows.places[i]] = list
		}
	}
	return writeVector(googlesql.ArrayOf(scalar(googlesql.Int64)), out, 0, values)
}
