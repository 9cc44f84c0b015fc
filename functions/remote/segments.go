package remote

import (
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/udf"
)

// several reports whether the row of a payload may give several rows: whether its object is a video, or may be one. The others
// are known to give one without being asked.
func (s *Spec) several(payload string) bool {
	switch {
	case !s.segments || payload == "":
		return false
	case !isDeferred(payload):
		return strings.HasPrefix(payload, `{"video":`)
	}
	r, err := readDeferred(payload)
	return err != nil || r.Parts[0].several()
}

// several reports whether the part may be a video. It looks at no object, and [Spec.medium] holds itself to it.
func (p part) several() bool {
	mime := p.MIME
	if t := typeByName(p.URI); mime == "" || mime == "application/octet-stream" && t != "" {
		mime = t
	}
	return !p.isText() && (mime == "" || strings.HasPrefix(mime, "video/"))
}

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

// rowKey is the key of a row: what it is called between the functions.
type rowKey struct {
	valid   bool // an outer join leaves keys NULL
	several bool // the row may give several rows
	group   uint32
	row     int
}

// severalMark is in the key of a row that may give several rows.
const severalMark = 1 << 31

func (k rowKey) uint64() uint64 {
	v := uint64(k.group)<<32 | uint64(k.row)
	if k.several {
		v |= severalMark
	}
	return v
}

// readKeys reads the keys of a chunk: its second column.
func readKeys(chunk mapping.DataChunk) []rowKey {
	keys := make([]rowKey, mapping.DataChunkGetSize(chunk))
	if len(keys) == 0 {
		return keys
	}
	v := mapping.DataChunkGetVector(chunk, 1)
	data, mask := mapping.VectorGetData(v), mapping.VectorGetValidity(v)
	for r := range keys {
		if udf.Valid(mask, r) {
			k := *udf.At[uint64](data, r)
			keys[r] = rowKey{valid: true, several: k&severalMark != 0, group: uint32(k >> 32), row: int(k & (severalMark - 1))}
		}
	}
	return keys
}

// keyed are the rows of a group in a chunk.
type keyed struct{ numbers, places []int }

// byGroup sorts the keys by their groups. Nearly always all are of one.
func byGroup(keys []rowKey) map[uint32]keyed {
	groups := map[uint32]keyed{}
	for r, k := range keys {
		if k.valid {
			g := groups[k.group]
			groups[k.group] = keyed{append(g.numbers, k.row), append(g.places, r)}
		}
	}
	return groups
}
