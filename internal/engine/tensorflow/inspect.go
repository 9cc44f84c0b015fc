package tensorflow

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/modelspec"
)

// Inspect implements [engine.Kind].
func (k Kind) Inspect(dir string, o engine.Import) (*modelspec.Spec, error) {
	s, err := k.inspect(dir, o)
	switch {
	case errors.Is(err, tensorflow.ErrNoSignature) && o.Signature != "":
		err = &engine.OptionError{Option: "signature", Err: err}
	case errors.Is(err, tensorflow.ErrNoOutput) && len(o.Outputs) > 0:
		err = &engine.OptionError{Option: "outputs", Err: err}
	}
	return s, err
}

func (k Kind) inspect(dir string, o engine.Import) (*modelspec.Spec, error) {
	sm, err := tensorflow.Inspect(dir)
	if err != nil {
		return nil, err
	}
	graph, sig, err := sm.Select(o.Tags, o.Signature)
	if err != nil {
		return nil, err
	}
	var names []string // nil is all
	binary := map[string]bool{}
	for _, out := range o.Outputs {
		name, asBytes := outputName(out)
		names = append(names, name)
		binary[name] = asBytes
		if err := hasOutput(sig, name); err != nil {
			return nil, err
		}
	}
	if err := sig.Check(names); err != nil {
		return nil, err
	}
	if err := sig.CheckReach(k.c.AllowOps); err != nil {
		return nil, err
	}
	if len(sig.Custom) > 0 && len(o.CustomOps) == 0 {
		return nil, fmt.Errorf("its graph needs operations that TensorFlow does not have (%s); name the library that brings them with "+
			"OPTIONS(custom_ops=['….so'])", strings.Join(sig.Custom, ", "))
	}
	s := &modelspec.Spec{
		Type: k.ModelType(), Path: o.Path, Signature: sig.Name, Tags: graph.Tags, Stateless: sig.Stateless,
		BatchSize: o.BatchSize, Description: o.Description, Labels: o.Labels,
	}
	for _, file := range o.CustomOps {
		if file, err = filepath.Abs(file); err != nil {
			return nil, err
		}
		d, err := tensorflow.OpsDigest(file)
		if err != nil {
			return nil, err
		}
		s.CustomOps, s.OpsDigests = append(s.CustomOps, file), append(s.OpsDigests, d)
	}
	for _, p := range sig.Inputs {
		s.Inputs = append(s.Inputs, modelspec.Port{Name: p.Name, DType: p.DType.String(), Shape: p.Shape})
	}
	s.FixedBatch = fixedBatch(sig.Inputs)
	for _, p := range sig.Defaults {
		s.Defaults = append(s.Defaults, p.Name)
	}
	for _, p := range sig.Outputs { // in byte-wise order, as BigQuery gives them
		asBytes, wanted := binary[p.Name]
		if names != nil && !wanted {
			continue
		}
		if asBytes && p.DType != tensorflow.String {
			return nil, fmt.Errorf("output `%s` is %s; BYTES can be asked of string outputs only", p.Name, p.DType)
		}
		s.Outputs = append(s.Outputs, modelspec.Port{Name: p.Name, DType: p.DType.String(), Shape: p.Shape, Binary: asBytes})
	}
	return s, nil
}

// hasOutput refuses a name that is no output of the signature.
func hasOutput(sig *tensorflow.Signature, name string) error {
	all := make([]string, len(sig.Outputs))
	for i, p := range sig.Outputs {
		if all[i] = p.Name; p.Name == name {
			return nil
		}
	}
	return fmt.Errorf("%w `%s`; signature `%s` has `%s`", tensorflow.ErrNoOutput, name, sig.Name, strings.Join(all, "`, `"))
}

// outputName reads an element of OPTIONS(outputs): a name, and BYTES behind it for a string output as bytes.
func outputName(s string) (name string, asBytes bool) {
	for _, suffix := range []string{" BYTES", " BLOB"} {
		if n := len(s) - len(suffix); n > 0 && strings.EqualFold(s[n:], suffix) {
			return strings.TrimSpace(s[:n]), true
		}
	}
	return s, false
}

// Describe implements [engine.Kind]: what `saved_model_cli show --all` tells.
func (Kind) Describe(dir string) ([]engine.Tensor, error) {
	sm, err := tensorflow.Inspect(dir)
	if err != nil {
		return nil, err
	}
	var all []engine.Tensor
	for _, g := range sm.Graphs {
		for _, s := range g.Signatures {
			for i, p := range slices.Concat(s.Inputs, s.Outputs) {
				all = append(all, engine.Tensor{
					Tags: g.Tags, Signature: s.Name, Method: s.Method, Output: i >= len(s.Inputs),
					Name: p.Name, DType: p.DType.String(), Shape: shape(p), Tensor: p.Tensor, SQLType: sqlType(p),
				})
			}
		}
	}
	return all, nil
}

// shape writes a shape as TensorFlow's documentation does: [None, 3].
func shape(p tensorflow.Port) string {
	if p.UnknownRank {
		return "unknown rank"
	}
	dims := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		dims[i] = fmt.Sprint(d)
		if d < 0 {
			dims[i] = "None"
		}
	}
	return "[" + strings.Join(dims, ", ") + "]"
}

// sqlType gives the DuckDB type of a port under ML.PREDICT, or "" for one that cannot be served.
func sqlType(p tensorflow.Port) string {
	d, ok := fromTF[p.DType]
	if !ok || p.UnknownRank || len(p.Shape) == 0 || p.Composite != "" {
		return ""
	}
	fp := functions.Port{Name: p.Name, DType: d, Shape: p.Shape}
	return fp.SQLType(functions.BigQuery)
}
