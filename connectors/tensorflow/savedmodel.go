package tensorflow

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
	Composite   string // "sparse" or the composite tensor's kind; "" is a dense tensor
}
