// Package modelspec is what the catalog keeps of a model: the JSON in the view of its name.
package modelspec

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/quote"
)

// Format marks a view as a model, and the form of its spec.
const Format = "mallard/1"

// Spec is what the catalog keeps of a model: the JSON in the column spec of the view of its name.
type Spec struct {
	// ID stays over CREATE OR REPLACE. A stored view carries it, so that it finds its model again when its file is
	// attached beside another one that has a model of the same name.
	ID        string   `json:"id"`
	Type      string   `json:"type"`
	Path      string   `json:"path"`
	Digest    string   `json:"digest,omitempty"`
	Signature string   `json:"signature,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Inputs    []Port   `json:"inputs,omitempty"`
	Outputs   []Port   `json:"outputs,omitempty"`
	// Defaults are the inputs that keep the default that the graph has for them: no column gives them.
	Defaults []string `json:"defaults,omitempty"`
	// Of remote models: where they are asked, and the columns of INPUT and OUTPUT.
	Endpoint      string   `json:"endpoint,omitempty"`
	Connection    string   `json:"connection,omitempty"`
	InputColumns  []Column `json:"input_columns,omitempty"`
	OutputColumns []Column `json:"output_columns,omitempty"`

	Stateless   bool              `json:"stateless,omitempty"`
	BatchSize   int               `json:"batch_size,omitempty"`
	FixedBatch  int               `json:"fixed_batch,omitempty"`
	CustomOps   []string          `json:"custom_ops,omitempty"`
	OpsDigests  []string          `json:"custom_ops_digests,omitempty"` // of these files, when the model was made
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Created     time.Time         `json:"created"`
	Modified    time.Time         `json:"modified"`
}

// Remote reports whether the model is asked over a connection.
func (r *Spec) Remote() bool { return r.Type == "REMOTE" }

// Column is a column of INPUT(…) or OUTPUT(…), with its GoogleSQL type.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Port is one input or output in a spec.
type Port struct {
	Name   string  `json:"name"`
	DType  string  `json:"dtype"`
	Shape  []int64 `json:"shape"`
	Binary bool    `json:"binary,omitempty"`
}

// Encode gives the spec's JSON.
func (r *Spec) Encode() string {
	b, err := json.Marshal(r)
	if err != nil { // strings, numbers and times only
		panic("modelspec: " + err.Error())
	}
	return string(b)
}

// Decode reads what Encode wrote. A spec of another format or with unknown types is refused, not guessed at.
func Decode(format, spec string) (*Spec, error) {
	if format != Format {
		return nil, fmt.Errorf("its record has format %q and this Mallard reads %q; create the model again", format, Format)
	}
	var r Spec
	if err := json.Unmarshal([]byte(spec), &r); err != nil {
		return nil, fmt.Errorf("its record cannot be read (%v); create the model again", err)
	}
	if _, err := Ports(r.Inputs); err != nil {
		return nil, err
	}
	if _, err := Ports(r.Outputs); err != nil {
		return nil, err
	}
	if r.Remote() {
		if r.Endpoint == "" || r.Connection == "" {
			return nil, fmt.Errorf("its record lacks endpoint or connection; create the model again")
		}
		return &r, nil
	}
	if len(r.Inputs) == 0 || len(r.Outputs) == 0 || r.Digest == "" {
		return nil, fmt.Errorf("its record lacks inputs, outputs or the digest of its files; create the model again")
	}
	if r.BatchSize < 0 || r.BatchSize > MaxBatch || r.FixedBatch < 0 || r.FixedBatch > MaxBatch {
		return nil, fmt.Errorf("its record gives a run %s, or %s where the model fixes them; create the model again",
			amount.Of(r.BatchSize, "row"), amount.Of(r.FixedBatch, "row"))
	}
	return &r, nil
}

// MaxBatch is the most rows of one run that a model may ask for.
const MaxBatch = 1 << 20

// Ports gives a spec's ports as package functions knows them.
func Ports(in []Port) ([]functions.Port, error) {
	out := make([]functions.Port, len(in))
	for i, p := range in {
		d, ok := functions.DTypeNamed(p.DType)
		if !ok {
			return nil, fmt.Errorf("its record gives `%s` the unknown type %q; create the model again", p.Name, p.DType)
		}
		if len(p.Shape) == 0 || slices.Min(p.Shape) < -1 {
			return nil, fmt.Errorf("its record gives `%s` the shape %v; create the model again", p.Name, p.Shape)
		}
		out[i] = functions.Port{Name: p.Name, DType: d, Shape: p.Shape, Binary: p.Binary}
	}
	return out, nil
}

// ViewSQL is the query of the view that holds the spec.
func (r *Spec) ViewSQL() string {
	return "SELECT " + quote.Text(Format) + " AS mallard_model, " + quote.Text(r.Encode()) + " AS spec"
}

// OfView reads the spec out of the text of a view, as DuckDB prints it.
func OfView(sql string) (*Spec, bool) {
	_, rest, ok := strings.Cut(sql, "SELECT '"+Format+"' AS mallard_model, '")
	if !ok {
		return nil, false
	}
	var b strings.Builder
	for {
		piece, after, ok := strings.Cut(rest, "'")
		if !ok {
			return nil, false
		}
		b.WriteString(piece)
		if !strings.HasPrefix(after, "'") {
			break
		}
		b.WriteByte('\'')
		rest = after[1:]
	}
	rec, err := Decode(Format, b.String())
	return rec, err == nil
}

// PortsText shows ports the way SQL declares columns: `input STRING, ids ARRAY<INT64>`.
func PortsText(ps []Port) string {
	all, err := Ports(ps)
	if err != nil {
		return ""
	}
	parts := make([]string, len(all))
	for i := range all {
		parts[i] = all[i].Name + " " + all[i].SQLType(functions.BigQuery)
	}
	return strings.Join(parts, ", ")
}

// ColumnsText shows the columns of INPUT and OUTPUT as they were declared.
func ColumnsText(cs []Column) string {
	parts := make([]string, len(cs))
	for i, c := range cs {
		parts[i] = c.Name + " " + c.Type
	}
	return strings.Join(parts, ", ")
}
