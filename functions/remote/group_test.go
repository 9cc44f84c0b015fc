package remote

import (
	"testing"

	"github.com/mallardml/mallard/internal/dispatch"
)

// What the tests of the runtime with real codecs need of it.
const (
	chunkRows       = dispatch.ChunkRows
	mediaMemory     = dispatch.LoadMemory
	perObject       = dispatch.PerObject
	rememberedBytes = dispatch.RememberedBytes
	endGrace        = dispatch.EndGrace
)

type verdict = dispatch.Verdict

// group gives the group of a call in a statement.
func group(t testing.TB, st *dispatch.Statement, s *Spec) *dispatch.Group {
	t.Helper()
	g, err := st.Group(s, s.call)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// submitted takes note of rows: their only column, or their columns.
func submitted(st *dispatch.Statement, s *Spec, g *dispatch.Group, rows []any) int {
	all := make([]dispatch.Row, len(rows))
	for i, v := range rows {
		columns, ok := v.([]any)
		if !ok {
			columns = []any{v}
		}
		payload, status := s.codec.payload(st.Context(), columns)
		all[i] = s.row(st.Context(), payload, status)
	}
	return g.Submit(all)
}
