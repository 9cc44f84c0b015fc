package tensorflow

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// saved_model.pb is foreign: the reader below takes what it needs of
// saved_model.proto, meta_graph.proto, graph.proto and function.proto, skips
// the rest (weights held in constants above all) and allocates no more than a
// small multiple of what it has read.

var errWire = errors.New("not a protocol buffer of this kind")

// maxNesting bounds functions named in attributes of functions named in attributes.
const maxNesting = 32

type wireGraph struct {
	tags        []string
	tfVersion   string
	producer    int
	minConsumer int
	nodes       []wireNode
	functions   []wireFunction
	collections map[string][]string // node lists only
	signatures  []wireSignature
	assets      []Asset
	restoreOp   string
	restoreFile string              // tensor fed with the path of the variables
	gradients   map[string][]string // functions that stand for the gradient of one

	nodeByName     map[string]*wireNode
	functionByName map[string]*wireFunction
	alike          map[string][]*wireFunction // functions by the interface that they implement
}

// maxSignatures bounds the walks through a graph: there is one per signature.
const maxSignatures = 1000

type wireNode struct {
	name, op string
	inputs   []string
	funcs    []wireFunc
	text     map[string]string // string attributes that decide safety
}

type wireFunc struct{ attr, name string }

type wireFunction struct {
	name  string
	args  []string
	plain bool // every argument is one tensor
	nodes []wireNode
	// implements is an interface: TensorFlow calls another function with the same one in place of this one where that suits the processor.
	implements string
}

type wireSignature struct {
	name, method string
	inputs       []Port
	outputs      []Port
}

// fields calls f for every field of a message; v is the value of a varint or
// fixed field, b the bytes of a length-delimited one.
func fields(msg []byte, f func(num protowire.Number, v uint64, b []byte) error) error {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return errWire
		}
		msg = msg[n:]
		var v uint64
		var b []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(msg)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(msg)
			if b == nil {
				b = []byte{}
			}
		default:
			n = protowire.ConsumeFieldValue(num, typ, msg)
		}
		if n < 0 {
			return errWire
		}
		msg = msg[n:]
		if err := f(num, v, b); err != nil {
			return err
		}
	}
	return nil
}

// mapEntry reads an entry of a map<string, message>.
func mapEntry(msg []byte) (key string, value []byte, err error) {
	err = fields(msg, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			key = string(b)
		case 2:
			value = b
		}
		return nil
	})
	return key, value, err
}

func readSavedModel(pb []byte) ([]wireGraph, error) {
	var gs []wireGraph
	err := fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		if num != 2 {
			return nil
		}
		if b == nil {
			return errWire
		}
		g, err := readMetaGraph(b)
		gs = append(gs, g)
		return err
	})
	return gs, err
}

func readMetaGraph(pb []byte) (g wireGraph, err error) {
	g.collections = map[string][]string{}
	err = fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1: // meta_info_def
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case 4:
					g.tags = append(g.tags, string(b))
				case 5:
					g.tfVersion = string(b)
				}
				return nil
			})
		case 2:
			return g.readGraph(b)
		case 3: // saver_def
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case 1:
					g.restoreFile = string(b)
				case 3:
					g.restoreOp = string(b)
				}
				return nil
			})
		case 4:
			key, value, err := mapEntry(b)
			if err != nil {
				return err
			}
			return fields(value, func(num protowire.Number, _ uint64, b []byte) error {
				if num != 1 { // node_list
					return nil
				}
				return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
					if num == 1 {
						g.collections[key] = append(g.collections[key], string(b))
					}
					return nil
				})
			})
		case 5:
			if len(g.signatures) == maxSignatures {
				return fmt.Errorf("more than %d signatures", maxSignatures)
			}
			s, err := readSignature(b)
			g.signatures = append(g.signatures, s)
			return err
		case 6:
			return g.readAsset(b)
		}
		return nil
	})
	return g, err
}

func (g *wireGraph) readAsset(pb []byte) error {
	var a Asset
	err := fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			p, err := readTensorInfo(b)
			a.Tensor = p.Tensor
			return err
		case 2:
			a.File = string(b)
		}
		return nil
	})
	g.assets = append(g.assets, a)
	return err
}

func (g *wireGraph) readGraph(pb []byte) error {
	return fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			n, err := readNode(b)
			g.nodes = append(g.nodes, n)
			return err
		case 2: // library
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case 1:
					f, err := readFunction(b)
					g.functions = append(g.functions, f)
					return err
				case 2:
					return g.readGradient(b)
				}
				return nil
			})
		case 4: // versions
			return fields(b, func(num protowire.Number, v uint64, _ []byte) error {
				switch num {
				case 1:
					g.producer = int(int32(v))
				case 2:
					g.minConsumer = int(int32(v))
				}
				return nil
			})
		}
		return nil
	})
}

// readGradient reads a GradientDef, two names of functions.
func (g *wireGraph) readGradient(pb []byte) error {
	var of, is string
	err := fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			of = string(b)
		case 2:
			is = string(b)
		}
		return nil
	})
	if g.gradients == nil {
		g.gradients = map[string][]string{}
	}
	g.gradients[of] = append(g.gradients[of], is)
	return err
}

func readNode(pb []byte) (n wireNode, err error) {
	err = fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			n.name = string(b)
		case 2:
			n.op = string(b)
		case 3:
			n.inputs = append(n.inputs, string(b))
		case 5:
			key, value, err := mapEntry(b)
			if err != nil {
				return err
			}
			return n.readAttr(key, value, 0)
		}
		return nil
	})
	return n, err
}

// readAttr keeps the functions that an attribute names, and the few texts that decide safety.
func (n *wireNode) readAttr(key string, pb []byte, depth int) error {
	if depth > maxNesting {
		return errWire
	}
	return fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1: // list: functions in field 9
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				if num == 9 {
					return n.readFunc(key, b, depth)
				}
				return nil
			})
		case 2:
			if keptAttrs[key] {
				if n.text == nil {
					n.text = map[string]string{}
				}
				n.text[key] = string(b)
			}
		case 10:
			return n.readFunc(key, b, depth)
		}
		return nil
	})
}

func (n *wireNode) readFunc(key string, pb []byte, depth int) error {
	return fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1:
			n.funcs = append(n.funcs, wireFunc{key, string(b)})
		case 2:
			_, value, err := mapEntry(b)
			if err != nil {
				return err
			}
			return n.readAttr("", value, depth+1)
		}
		return nil
	})
}

func readFunction(pb []byte) (f wireFunction, err error) {
	f.plain = true
	err = fields(pb, func(num protowire.Number, _ uint64, b []byte) error {
		switch num {
		case 1: // signature, an OpDef
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				switch num {
				case 1:
					f.name = string(b)
				case 2:
					arg := ""
					err := fields(b, func(num protowire.Number, _ uint64, b []byte) error {
						switch num {
						case 1:
							arg = string(b)
						case 5, 6:
							f.plain = f.plain && len(b) == 0
						}
						return nil
					})
					f.args = append(f.args, arg)
					return err
				}
				return nil
			})
		case 3:
			n, err := readNode(b)
			f.nodes = append(f.nodes, n)
			return err
		case 5:
			key, value, err := mapEntry(b)
			if err != nil || key != "api_implements" {
				return err
			}
			return fields(value, func(num protowire.Number, _ uint64, b []byte) error {
				if num == 2 {
					f.implements = string(b)
				}
				return nil
			})
		}
		return nil
	})
	return f, err
}

func readSignature(pb []byte) (s wireSignature, err error) {
	name, value, err := mapEntry(pb)
	if err != nil {
		return s, err
	}
	s.name = name
	err = fields(value, func(num protowire.Number, _ uint64, b []byte) error {
		if num == 3 {
			s.method = string(b)
		}
		if num != 1 && num != 2 {
			return nil
		}
		key, value, err := mapEntry(b)
		if err != nil {
			return err
		}
		p, err := readTensorInfo(value)
		p.Name = key
		if num == 1 {
			s.inputs = append(s.inputs, p)
		} else {
			s.outputs = append(s.outputs, p)
		}
		return err
	})
	return s, err
}

func readTensorInfo(pb []byte) (p Port, err error) {
	shape := false
	err = fields(pb, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 1:
			p.Tensor = string(b)
		case 2:
			p.DType = DType(int32(v))
		case 3:
			shape = true
			return p.readShape(b)
		case 4:
			p.Composite = "sparse tensor"
			return fields(b, func(num protowire.Number, _ uint64, b []byte) error {
				if num == 1 { // of the three tensors, the one with the values stands for all
					p.Tensor = string(b)
				}
				return nil
			})
		case 5:
			p.Composite = "composite tensor"
		}
		return nil
	})
	if !shape {
		p.UnknownRank = true
	}
	return p, err
}

func (p *Port) readShape(pb []byte) error {
	return fields(pb, func(num protowire.Number, v uint64, b []byte) error {
		switch num {
		case 2:
			size := int64(0)
			err := fields(b, func(num protowire.Number, v uint64, _ []byte) error {
				if num == 1 {
					size = int64(v)
				}
				return nil
			})
			if size < 0 {
				size = -1
			}
			p.Shape = append(p.Shape, size)
			return err
		case 3:
			p.UnknownRank = v != 0
		}
		return nil
	})
}
