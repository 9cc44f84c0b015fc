package functions

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/mallardml/mallard/internal/quote"
)

// PredictName names the function that returns these outputs: a hash of its return type, because DuckDB can neither drop a
// function nor tell apart two of one name whose results differ.
func PredictName(outputs []Port, types Types) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s", types, resultText(outputs, types)))
	return "mallard_predict_" + hex.EncodeToString(h[:8])
}

// PredictSQL writes what stands before and after an input query to turn it into a prediction: outputs under their names,
// then every column of the query. It expects the function fn to be registered for the model's outputs.
//
// Struct fields are named by position, since `__p.*` mixes up names that differ only in case. Inputs are taken from the
// alias of the query, so that a column of an outer query can never be meant. The text after begins with a line break: the
// query may end in a comment.
func (m *Model) PredictSQL(fn string, types Types) (before, after string) {
	var b strings.Builder
	b.WriteString("(SELECT ")
	for i, o := range m.Outputs {
		fmt.Fprintf(&b, "__p.o%d AS %s, ", i, quote.Name(o.Name))
	}
	fmt.Fprintf(&b, "* EXCLUDE (__p) FROM (SELECT system.main.%s(%d", fn, m.Version)
	for _, in := range m.Inputs {
		b.WriteString(", __q." + quote.Name(in.Name))
	}
	b.WriteString(") AS __p, * FROM (")
	after = "\n) AS __q))"
	if m.tune.materialize.Load() && !m.wide() {
		// Full chunks and all threads for a slow model, at the price of holding the input and of its order.
		b.WriteString("WITH __q AS MATERIALIZED (")
		after = "\n) SELECT * FROM __q) AS __q))"
	}
	return b.String(), after
}

// wide reports whether the rows are so large that an input query must not be held: a million images would fill any disk.
func (m *Model) wide() bool {
	for i := range m.Inputs {
		p := &m.Inputs[i]
		n := int64(p.DType.Size())
		for _, d := range p.inner() {
			if d < 0 && p.picture() {
				return true
			}
			n *= max(d, 1)
		}
		if n > 64<<10 {
			return true
		}
	}
	return false
}

// InputTypes gives the DuckDB type that suits each input, for parameters that would otherwise have none. It leaves out
// inputs that images feed, as several types do.
func (m *Model) InputTypes() map[string]string {
	types := make(map[string]string, len(m.Inputs))
	for i := range m.Inputs {
		p := &m.Inputs[i]
		if p.picture() {
			continue
		}
		t := scalarText(p, BigQuery)
		if p.DType == Uint64 {
			t = "UBIGINT"
		}
		if !p.scalar() {
			t += strings.Repeat("[]", len(p.inner()))
		}
		types[p.Name] = t
	}
	return types
}
