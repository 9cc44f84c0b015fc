package tensorflow

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mallardml/mallard/internal/amount"
)

// SavedModel is what a model's saved_model.pb says about it.
type SavedModel struct {
	Dir          string
	Graphs       []MetaGraph // one per tag set, in the file's order
	HasVariables bool        // variables/variables.index is there
}

// MetaGraph is one graph of a SavedModel, chosen by its tags.
type MetaGraph struct {
	Tags            []string    // sorted
	Producer        string      // TensorFlow version that wrote it
	GraphDefVersion int         // producer version of the graph's format
	MinConsumer     int         // least GraphDef version a reader must know
	Signatures      []Signature // sorted by name, without TensorFlow's own (__saved_model_init_op)
	Assets          []Asset
	InitOps         []string // node names run once at loading
	UsesVariables   bool     // the graph holds variables, so it needs the variables folder
}

// Asset is a file of the model's assets folder and the tensor that holds its name.
type Asset struct {
	Tensor string
	File   string
}

// Signature is a named entry point. The classification covers every op that
// its outputs reach, function bodies included, and the initialisers.
type Signature struct {
	Name, Method string
	Inputs       []Port   // sorted by name, byte-wise
	Defaults     []Port   // inputs that no row can give, and that the graph has a default for: they are not fed
	Outputs      []Port   // sorted by name, byte-wise
	Ops          []string // reachable op types, sorted
	Stateless    bool     // the same row always gives the same values, so repeated inputs may be inferred once
	Retains      bool     // an op may keep a fed buffer, so Run copies its inputs
	Unsafe       []string // reachable ops that touch host files, sockets or Python, with the reason: "ReadFile (reads files of the host)"
	Custom       []string // reachable ops that are not TensorFlow's own, as far as we know: they need OPTIONS(custom_ops)
}

// Port is an input or output of a signature.
type Port struct {
	Name        string // key in the signature
	Tensor      string // tensor in the graph, "op:0"
	DType       DType
	Shape       []int64 // -1 unknown
	UnknownRank bool
	Composite   string // "sparse tensor" or "composite tensor"; "" is a dense tensor
}

// maxModelFile is protobuf's own limit for one message.
const maxModelFile = 1<<31 - 1

// initSignature is the signature under which TensorFlow 2 hides the initialiser.
const initSignature = "__saved_model_init_op"

// Inspect reads a model's saved_model.pb. It needs no TensorFlow and runs nothing of the model.
func Inspect(dir string) (*SavedModel, error) {
	op := "read model " + dir
	file := filepath.Join(dir, "saved_model.pb")
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, noModel(op, dir)
	case !st.Mode().IsRegular():
		return nil, &Error{Op: op, Kind: errNoModel, Msg: "saved_model.pb is not a file"}
	case st.Size() > maxModelFile:
		return nil, &Error{Op: op, Kind: errCorrupt, Msg: fmt.Sprintf("saved_model.pb has %s, more than the 2 GiB that the format allows",
			amount.Of(st.Size(), "byte"))}
	}
	pb, err := os.ReadFile(file)
	if err != nil {
		return nil, &Error{Op: op, Kind: errNoModel, Msg: err.Error()}
	}
	m, err := inspect(pb)
	if err != nil {
		return nil, &Error{Op: op, Kind: errCorrupt, Msg: "saved_model.pb is damaged or is not a SavedModel: " + err.Error(),
			Hint: "Copy the model again, or export it again with tf.saved_model.save"}
	}
	m.Dir = dir
	m.HasVariables = isFile(filepath.Join(dir, "variables", "variables.index"))
	return m, nil
}

// noModel explains why a folder holds no model: the common mistakes have an answer of their own.
func noModel(op, dir string) error {
	e := &Error{Op: op, Kind: errNoModel, Hint: "A SavedModel is a folder with saved_model.pb, variables/ and assets/ in it"}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Msg = "no such folder"
		return e
	case err != nil:
		e.Msg = err.Error()
		return e
	case !st.IsDir():
		e.Msg = "it is a file"
		if filepath.Base(dir) == "saved_model.pb" {
			e.Hint = "Name the folder that holds it: " + filepath.Dir(dir)
		}
		return e
	case isFile(filepath.Join(dir, "saved_model.pbtxt")):
		e.Msg = "the model is in text form (saved_model.pbtxt), which Mallard does not read"
		e.Hint = "Export it again with tf.saved_model.save, which writes saved_model.pb"
		return e
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		e.Msg = err.Error()
		return e
	}
	if len(entries) == 0 {
		e.Msg = "the folder is empty"
		return e
	}
	e.Msg = "the folder has no saved_model.pb"
	var below []string
	for _, d := range entries {
		switch sub := filepath.Join(dir, d.Name()); {
		case isFile(filepath.Join(sub, "saved_model.pb")):
			below = append(below, sub)
		case strings.HasSuffix(d.Name(), ".keras"), strings.HasSuffix(d.Name(), ".h5"):
			e.Hint = d.Name() + " is a Keras file: export it with model.export(folder)"
		}
	}
	switch len(below) {
	case 0:
	case 1:
		e.Hint = "The model is one level below: name " + below[0]
	default:
		e.Hint = fmt.Sprintf("There are %s one level below: name one of them, such as %s", amount.Of(len(below), "model"), newest(below))
	}
	return e
}

// newest gives the folder with the highest number for its name, as TensorFlow Serving chooses among versions; else the first.
func newest(dirs []string) string {
	best, most := dirs[0], int64(-1)
	for _, d := range dirs {
		if n, err := strconv.ParseInt(filepath.Base(d), 10, 64); err == nil && n > most {
			best, most = d, n
		}
	}
	return best
}

func inspect(pb []byte) (*SavedModel, error) {
	gs, err := readSavedModel(pb)
	if err != nil {
		return nil, err
	}
	if len(gs) == 0 {
		return nil, errors.New("it holds no graph")
	}
	m := &SavedModel{}
	for i := range gs {
		m.Graphs = append(m.Graphs, gs[i].describe())
	}
	return m, nil
}

func (g *wireGraph) describe() MetaGraph {
	slices.Sort(g.tags)
	g.tags = slices.Compact(g.tags) // a set, as TensorFlow's loader takes it: the graph that is chosen must be the one that it loads
	d := MetaGraph{Tags: g.tags, Producer: g.tfVersion, GraphDefVersion: g.producer, MinConsumer: g.minConsumer, Assets: g.assets}
	for _, s := range g.signatures {
		if s.name == initSignature {
			for _, p := range s.outputs {
				d.InitOps = append(d.InitOps, nodeOf(p.Tensor))
			}
		}
	}
	if len(d.InitOps) == 0 { // as TensorFlow's loader: the signature goes before the collections
		d.InitOps = g.collections["saved_model_main_op"]
	}
	if len(d.InitOps) == 0 {
		d.InitOps = g.collections["legacy_init_op"]
	}
	loading := newReach(g, initialising)
	loading.from(d.InitOps)
	loading.settle()
	if g.restoreOp != "" {
		restore := newReach(g, restoring)
		restore.from([]string{nodeOf(g.restoreOp)})
		restore.settle()
		maps.Copy(loading.ops, restore.ops)
		maps.Copy(loading.unsafe, restore.unsafe)
	}
	for _, s := range g.signatures {
		if s.name == initSignature || s.name == "__saved_model_train_op" {
			continue
		}
		byName := func(a, b Port) int { return strings.Compare(a.Name, b.Name) }
		slices.SortFunc(s.inputs, byName)
		slices.SortFunc(s.outputs, byName)
		r := newReach(g, predicting)
		inputs, defaults := g.fed(s.inputs)
		for _, p := range inputs {
			r.stop(p.Tensor)
		}
		for _, p := range s.outputs {
			r.from([]string{p.Tensor})
		}
		r.settle()
		sig := Signature{Name: s.name, Method: s.method, Inputs: inputs, Defaults: defaults, Outputs: s.outputs, Ops: r.sorted()}
		sig.classify(r, loading)
		d.UsesVariables = d.UsesVariables || r.variables()
		d.Signatures = append(d.Signatures, sig)
	}
	slices.SortFunc(d.Signatures, func(a, b Signature) int { return strings.Compare(a.Name, b.Name) })
	return d
}

// fed parts the inputs of a signature: a placeholder with a default keeps that default where its value cannot come from a
// row, since it has no dimensions, or a fixed number of elements beside inputs with any number of rows.
func (g *wireGraph) fed(inputs []Port) (fed, defaults []Port) {
	g.index()
	open, batched := false, false
	for _, p := range inputs {
		open = open || len(p.Shape) > 0 && p.Shape[0] < 0
		batched = batched || len(p.Shape) > 0
	}
	for _, p := range inputs {
		n := g.nodeByName[nodeOf(p.Tensor)]
		one := len(p.Shape) == 0 && (!p.UnknownRank || batched) || len(p.Shape) > 0 && p.Shape[0] >= 0 && open
		if n != nil && n.op == "PlaceholderWithDefault" && one {
			defaults = append(defaults, p)
			continue
		}
		fed = append(fed, p)
	}
	return fed, defaults
}

// nodeOf gives the node of a tensor name: "a/b:1" and "^a/b" are of a/b.
func nodeOf(tensor string) string {
	tensor = strings.TrimPrefix(tensor, "^")
	if i := strings.IndexByte(tensor, ':'); i >= 0 {
		return tensor[:i]
	}
	return tensor
}

// Select finds a graph and a signature, or says what there is. nil tags and "" choose as LoadOptions does.
func (m *SavedModel) Select(tags []string, signature string) (*MetaGraph, *Signature, error) {
	g := m.graph(tags)
	op := "read model " + m.Dir
	if g == nil {
		var have []string
		for i := range m.Graphs {
			have = append(have, "OPTIONS(tags=["+literals(m.Graphs[i].Tags)+"])")
		}
		msg := "the model has no graph with the tags [" + strings.Join(tags, ", ") + "]"
		if len(tags) == 0 {
			msg = "the model has several graphs and none is tagged [serve]"
		}
		return nil, nil, &Error{Op: op, Kind: errNoTags, Msg: msg, Hint: "Choose " + strings.Join(have, " or ")}
	}
	if len(g.Signatures) == 0 {
		return nil, nil, &Error{Op: op, Kind: ErrNoSignature, Msg: "the model has no signature",
			Hint: "Export it with tf.saved_model.save(model, folder, signatures=…)"}
	}
	var have []string
	for i := range g.Signatures {
		s := &g.Signatures[i]
		if s.Name == signature || signature == "" && (s.Name == "serving_default" || len(g.Signatures) == 1) {
			return g, s, nil
		}
		have = append(have, s.Name)
	}
	msg := "the model has no signature `" + signature + "`"
	if signature == "" {
		msg = "the model has several signatures and none is `serving_default`"
	}
	return nil, nil, &Error{Op: op, Kind: ErrNoSignature, Msg: msg, Hint: "It has " + quoted(have) + ": choose " + signatureOptions(have)}
}

func (m *SavedModel) graph(tags []string) *MetaGraph {
	want := slices.Clone(tags)
	if len(want) == 0 {
		if len(m.Graphs) == 1 {
			return &m.Graphs[0]
		}
		want = []string{"serve"}
	}
	slices.Sort(want)
	for i := range m.Graphs {
		if slices.Equal(m.Graphs[i].Tags, want) {
			return &m.Graphs[i]
		}
	}
	return nil
}

// pick chooses outputs by name, in the order asked for; all in byte-wise order when none is named.
func (s *Signature) pick(dir string, names []string) ([]Port, error) {
	if len(names) == 0 {
		return s.Outputs, nil
	}
	var ports []Port
	for _, name := range names {
		i := slices.IndexFunc(s.Outputs, func(p Port) bool { return p.Name == name })
		if i < 0 {
			var have []string
			for _, p := range s.Outputs {
				have = append(have, p.Name)
			}
			return nil, &Error{Op: "read model " + dir, Kind: ErrNoOutput, Msg: "signature `" + s.Name + "` has no output `" + name + "`",
				Hint: "It has " + quoted(have)}
		}
		ports = append(ports, s.Outputs[i])
	}
	return ports, nil
}

// loadHint says what may be wrong when TensorFlow cannot load the graph.
func (s *Signature) loadHint() string {
	if len(s.Custom) > 0 {
		return "The graph uses ops that are not TensorFlow's own: " + strings.Join(s.Custom, ", ") +
			". Name their library in the option CUSTOM_OPS"
	}
	return ""
}
