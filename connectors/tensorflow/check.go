package tensorflow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
)

// maxBatch bounds the rows of a run of a fixed size: fewer are filled up to it.
const maxBatch = 1 << 20

// Check refuses what Mallard cannot run: sparse or composite tensors, unsupported types, tensors of unknown rank or without
// a batch dimension, signatures without inputs. outputs limits the check to the outputs wanted; nil means all.
func (s *Signature) Check(outputs []string) error {
	refused := func(hint, format string, args ...any) error {
		return &Error{Op: "signature `" + s.Name + "`", Kind: errUnsupported, Msg: fmt.Sprintf(format, args...), Hint: hint}
	}
	tensors := map[string]string{}
	batch := s.batch()
	for _, p := range s.Inputs {
		msg := p.refusal()
		switch {
		case msg != "":
		case len(p.Shape) == 0:
			msg = "is one value for all rows and has no default, so no column can give it"
		case p.Shape[0] == 0 || p.Shape[0] > 0 && p.Shape[0] != batch:
			msg = fmt.Sprintf("has shape %s: its first dimension must be the rows', as it is of the other inputs", shapeText(p.Shape))
		case p.Shape[0] > maxBatch:
			msg = fmt.Sprintf("has shape %s: one run would take %s", shapeText(p.Shape), amount.Of(p.Shape[0], "row"))
		}
		if msg != "" {
			return refused("", "input `%s` (tensor %s) %s", p.Name, p.Tensor, msg)
		}
		if other, twice := tensors[tensorKeyOf(p.Tensor)]; twice {
			return refused("Export the model with an input for each", "inputs `%s` and `%s` are the same tensor %s", other, p.Name, p.Tensor)
		}
		tensors[tensorKeyOf(p.Tensor)] = p.Name
	}
	if len(s.Inputs) == 0 {
		return refused("Export it with an input whose first dimension is the rows'",
			"it has no inputs that a row gives, so its outputs are the same for all rows")
	}
	if len(s.Outputs) == 0 {
		return refused("", "it has no outputs")
	}
	for _, p := range s.Outputs {
		if len(outputs) > 0 && !slices.Contains(outputs, p.Name) {
			continue
		}
		if msg := p.outputRefusal(batch); msg != "" {
			return refused(s.otherOutputs(batch, outputs), "output `%s` (tensor %s) %s", p.Name, p.Tensor, msg)
		}
	}
	return nil
}

// CheckReach refuses what would reach outside the model, but for the ops that are allowed.
func (s *Signature) CheckReach(allowed []string) error {
	var bad []string
	for _, op := range s.Unsafe { // their names come with a reason behind a blank
		if name, _, _ := strings.Cut(op, " "); !slices.Contains(allowed, name) {
			bad = append(bad, op)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &Error{Op: "signature `" + s.Name + "`", Kind: errUnsupported,
		Msg:  "its graph reaches outside the model: " + strings.Join(bad, ", "),
		Hint: "A model from a source you trust may do so with [tensorflow] allow_ops in the configuration"}
}

// batch is the first dimension that the inputs agree on, or -1: any. One row at a time suits inputs of any number of them.
func (s *Signature) batch() int64 {
	fixed, open := int64(-1), false
	for _, p := range s.Inputs {
		if len(p.Shape) == 0 {
			continue
		}
		open = open || p.Shape[0] < 0
		if fixed < 0 {
			fixed = p.Shape[0]
		}
	}
	if open && fixed > 1 {
		return -1
	}
	return fixed
}

// refusal says what is wrong with a tensor, whatever it is for.
func (p *Port) refusal() string {
	switch {
	case p.Composite != "":
		return "is a " + p.Composite + ", which is not supported"
	case !p.DType.Supported():
		return "has type " + p.DType.String() + ", which is not supported"
	case p.UnknownRank:
		return "has an unknown number of dimensions"
	case len(p.Shape) > maxRank:
		return fmt.Sprintf("has %s, more than %d", amount.Of(len(p.Shape), "dimension"), maxRank)
	}
	return ""
}

// outputRefusal is refusal for an output of a signature whose inputs have this first dimension.
func (p *Port) outputRefusal(batch int64) string {
	msg := p.refusal()
	if msg == "" && (len(p.Shape) == 0 || p.Shape[0] >= 0 && p.Shape[0] != batch) {
		msg = fmt.Sprintf("has no batch dimension: its shape is %s, whatever the number of rows", shapeText(p.Shape))
	}
	return msg
}

// otherOutputs names those of the outputs wanted (nil means all) that can be had.
func (s *Signature) otherOutputs(batch int64, wanted []string) string {
	var good []string
	for _, p := range s.Outputs {
		if p.outputRefusal(batch) == "" && (len(wanted) == 0 || slices.Contains(wanted, p.Name)) {
			good = append(good, p.Name)
		}
	}
	if len(good) == 0 && len(wanted) > 0 {
		return s.otherOutputs(batch, nil)
	}
	switch {
	case len(good) > 0:
	case !slices.ContainsFunc(s.Outputs, func(p Port) bool { return p.refusal() == "" }): // it is not their first dimension
		return "Export the model with an output that is a tensor of numbers, BOOLEANs or strings"
	default:
		return "Export the model with an output whose first dimension is the rows'"
	}
	return "Choose others with OPTIONS(outputs=[" + literals(good) + "])"
}

// tensorKeyOf writes a tensor's name in one form: "x" is "x:0".
func tensorKeyOf(tensor string) string {
	op, index := splitTensor(tensor)
	return op + ":" + strconv.Itoa(index)
}

// shapeText writes a shape as TensorFlow's users do: [None, 3].
func shapeText(shape []int64) string {
	parts := make([]string, len(shape))
	for i, d := range shape {
		parts[i] = "None"
		if d >= 0 {
			parts[i] = fmt.Sprint(d)
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// quoted lists names in backquotes.
func quoted(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// literals lists names as SQL strings.
func literals(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = "'" + strings.ReplaceAll(n, "'", "''") + "'"
	}
	return strings.Join(all, ", ")
}

// signatureOptions says how each of some signatures is chosen, and of many the first.
func signatureOptions(names []string) string {
	const few = 4
	if len(names) > few {
		return "one, such as OPTIONS(signature=" + literals(names[:1]) + ")"
	}
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = "OPTIONS(signature=" + literals([]string{n}) + ")"
	}
	return strings.Join(all, " or ")
}
