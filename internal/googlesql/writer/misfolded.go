package writer

import (
	"regexp"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
)

// epoch is 1970-01-01 00:00:00 as [civil] reads it.
const epoch = 1970<<26 | 1<<22 | 1<<17

var mentionsDate = regexp.MustCompile(`(?i)\bdate\b`)

// misfolded refuses a constant that holds the DATETIME 1970-01-01 and was written with a DATE. The library of 2025 computes a
// constant DATE that is wanted as a DATETIME inside an assertion, which release builds leave out, so that every date becomes
// 1970-01-01.
func (w *writer) misfolded(at *resolved.ParseLocationRangeProto, v *resolved.ValueProto) {
	start, end := int(at.GetStart()), int(at.GetEnd())
	if !holdsEpoch(v) || start > end || end > len(w.names.Text) || !mentionsDate.MatchString(w.names.Text[start:end]) {
		return
	}
	panic(&Error{What: "a constant DATE that is wanted as a DATETIME, which this release of Google's library computes wrongly,", Pos: start,
		End: end, Misfolded: true})
}

func holdsEpoch(v *resolved.ValueProto) bool {
	switch x := v.GetValue().(type) {
	case *resolved.ValueProto_DatetimeValue:
		return x.DatetimeValue.GetBitFieldDatetimeSeconds() == epoch && x.DatetimeValue.GetNanos() == 0
	case *resolved.ValueProto_ArrayValue:
		for _, e := range x.ArrayValue.GetElement() {
			if holdsEpoch(e) {
				return true
			}
		}
	case *resolved.ValueProto_StructValue:
		for _, f := range x.StructValue.GetField() {
			if holdsEpoch(f) {
				return true
			}
		}
	}
	return false
}
