package extension

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/quote"
)

// recordFormat marks a view as a model, and the form of its spec.
const recordFormat = "mallard/1"

// record is what the catalog keeps of a model: the JSON in the column spec of the view of its name.
type record struct {
	// ID stays over CREATE OR REPLACE. A stored view carries it, so that it finds its model again when its file is
	// attached beside another one that has a model of the same name.
	ID        string   `json:"id"`
	Type      string   `json:"type"`
	Path      string   `json:"path"`
	Digest    string   `json:"digest,omitempty"`
	Signature string   `json:"signature,omitempty"`
	Tags      []string `json:"tags,omitempty"`
	Inputs    []port   `json:"inputs,omitempty"`
	Outputs   []port   `json:"outputs,omitempty"`
	// Defaults are the inputs that keep the default that the graph has for them: no column gives them.
	Defaults []string `json:"defaults,omitempty"`
	// Of remote models: where they are asked, and the columns of INPUT and OUTPUT.
	Endpoint      string   `json:"endpoint,omitempty"`
	Connection    string   `json:"connection,omitempty"`
	InputColumns  []column `json:"input_columns,omitempty"`
	OutputColumns []column `json:"output_columns,omitempty"`

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

// remote reports whether the model is asked over a connection.
func (r *record) remote() bool { return r.Type == "REMOTE" }

// column is a column of INPUT(…) or OUTPUT(…), with its GoogleSQL type.
type column struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// port is one input or output in a record.
type port struct {
	Name   string  `json:"name"`
	DType  string  `json:"dtype"`
	Shape  []int64 `json:"shape"`
	Binary bool    `json:"binary,omitempty"`
}

// encode gives the record's JSON.
func (r *record) encode() string {
	b, err := json.Marshal(r)
	if err != nil { // strings, numbers and times only
		panic("extension: model record: " + err.Error())
	}
	return string(b)
}

// decodeRecord reads what encode wrote. A record of another format or with unknown types is refused, not guessed at.
func decodeRecord(format, spec string) (*record, error) {
	if format != recordFormat {
		return nil, fmt.Errorf("its record has format %q and this Mallard reads %q; create the model again", format, recordFormat)
	}
	var r record
	if err := json.Unmarshal([]byte(spec), &r); err != nil {
		return nil, fmt.Errorf("its record cannot be read (%v); create the model again", err)
	}
	if _, err := ports(r.Inputs); err != nil {
		return nil, err
	}
	if _, err := ports(r.Outputs); err != nil {
		return nil, err
	}
	if r.remote() {
		if r.Endpoint == "" || r.Connection == "" {
			return nil, fmt.Errorf("its record lacks endpoint or connection; create the model again")
		}
		return &r, nil
	}
	if len(r.Inputs) == 0 || len(r.Outputs) == 0 || r.Digest == "" {
		return nil, fmt.Errorf("its record lacks inputs, outputs or the digest of its files; create the model again")
	}
	return &r, nil
}

// ports gives a record's ports as package functions knows them.
func ports(in []port) ([]functions.Port, error) {
	out := make([]functions.Port, len(in))
	for i, p := range in {
		d, ok := dtypeNamed(p.DType)
		if !ok {
			return nil, fmt.Errorf("its record gives `%s` the unknown type %q; create the model again", p.Name, p.DType)
		}
		out[i] = functions.Port{Name: p.Name, DType: d, Shape: p.Shape, Binary: p.Binary}
	}
	return out, nil
}

// viewSQL is the query of the view that holds the record.
func (r *record) viewSQL() string {
	return "SELECT " + quote.Text(recordFormat) + " AS mallard_model, " + quote.Text(r.encode()) + " AS spec"
}
