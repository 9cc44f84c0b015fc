package tensorflow

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// TestInspect: what the tiny models say, as saved_model_cli and their script tell it.
func TestInspect(t *testing.T) {
	tests := []struct{ model, want string }{
		{"text_classifier", "in input:string[-1] out dense_1:float32[-1 3] stateless"},
		{"nnlm_like", "in content:string[-1] out embedding:float32[-1 50] stateless"},
		{"swivel_like", "in content:string[-1] out embedding:float32[-1 20] stateless"},
		{"perceptron", "in a:float32[-1] b:float32[-1] c:float32[-1] d:float32[-1] out score:float32[-1 1] stateless"},
		{"fixed_batch", "in x:float32[4 2] out scaled:float32[4 2] y:float32[4] stateless"},
		{"fixed_batch_1", "in x:float32[1 2] out scaled:float32[1 2] y:float32[1] stateless"},
		{"two_outputs_case", "in x:float32[-1] out A:float32[-1] a:float32[-1] stateless"},
		{"many_in_out", "in count:int64[-1] flag:bool[-1] name:string[-1] point:float32[-1 2] " +
			"out Total:float64[-1] double:int64[-1] flipped:float32[-1] label:string[-1] moved:float32[-1 2] stateless"},
		{"no_batch", "in x:float32[-1] out sum:float32[] y:float32[-1] stateless"},
		{"unknown_rank", "in x:float32? out y:float32? stateless"},
		{"unsupported_dtype", "in x:float32[-1] out real:float32[-1] y:complex64[-1] stateless"},
		{"sparse_input", "in x:float32[-1 4] out y:float32[-1] stateless"},
		{"table_assets", "in word:string[-1] out id:int64[-1] word_again:string[-1] stateless assets vocabulary.txt assets vocabulary.txt"},
		{"stateful", "in x:int64[-1] out y:int64[-1] retains"},
		{"keeper", "in x:string[-1] out before:string[-1] retains"},
		{"random", "in x:float32[-1] out y:float32[-1]"},
		{"slow", "in x:float32[-1] out y:float32[-1] stateless"},
		{"transformer_like", "in text:string[-1] out embedding:float32[-1 64] stateless"},
		{"reads_file", "in path:string[-1] out content:string[-1] stateless unsafe ReadFile (reads files of the host)"},
		{"writes_file", "in path:string[-1] out length:int32[-1] retains unsafe WriteFile (writes files of the host)"},
		{"table_host_file", "in x:string[-1] out y:int64[-1] stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			m, err := Inspect(fixtureDir(tt.model))
			if err != nil {
				t.Fatal(err)
			}
			g, s, err := m.Select(nil, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(g, s); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if g.Producer != "2.21.0" || g.GraphDefVersion < 1000 || !slices.Equal(g.Tags, []string{"serve"}) || len(s.Custom) != 0 {
				t.Errorf("producer %s, version %d, tags %v, custom %v", g.Producer, g.GraphDefVersion, g.Tags, s.Custom)
			}
		})
	}
}

func summary(g *MetaGraph, s *Signature) string {
	words := []string{"in"}
	for _, p := range s.Inputs {
		words = append(words, portText(p))
	}
	words = append(words, "out")
	for _, p := range s.Outputs {
		words = append(words, portText(p))
	}
	if s.Stateless {
		words = append(words, "stateless")
	}
	if s.Retains {
		words = append(words, "retains")
	}
	for _, a := range g.Assets {
		words = append(words, "assets", a.File)
	}
	if len(s.Unsafe) > 0 {
		words = append(words, "unsafe "+strings.Join(s.Unsafe, ", "))
	}
	return strings.Join(words, " ")
}

func portText(p Port) string {
	if p.UnknownRank {
		return p.Name + ":" + p.DType.String() + "?"
	}
	return p.Name + ":" + p.DType.String() + fmt.Sprint(p.Shape)
}

// TestRealModelsInspected: the two real models, whose facts saved_model_cli showed.
func TestRealModelsInspected(t *testing.T) {
	m, err := Inspect(realModel(t, "guesslang"))
	if err != nil {
		t.Fatal(err)
	}
	g, s, err := m.Select([]string{"serve"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := summary(g, s); got != "in inputs:string[-1] out classes:string[-1 54] scores:float32[-1 54] stateless" {
		t.Error(got)
	}
	if g.Producer != "2.5.0" || g.GraphDefVersion != 716 || g.MinConsumer != 12 || !slices.Equal(g.InitOps, []string{"group_deps"}) || !m.HasVariables || len(g.Signatures) != 3 {
		t.Errorf("%+v", g)
	}
	m, err = Inspect(realModel(t, "basic-pitch"))
	if err != nil {
		t.Fatal(err)
	}
	g, s, err = m.Select(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	want := "in input_2:float32[-1 43844 1] out contour:float32[-1 172 264] note:float32[-1 172 88] onset:float32[-1 172 88] stateless"
	if got := summary(g, s); got != want {
		t.Error(got)
	}
}

// TestNoModel: each way of not being a model has its own advice.
func TestNoModel(t *testing.T) {
	parent := filepath.Dir(copyModel(t, "same_name", ""))
	const versions = "the highest version"
	tests := []struct {
		name string
		make func(dir string) error
		sub  string
		kind error
		want string
	}{
		{"missing", func(string) error { return nil }, "gone", errNoModel, "no such folder"},
		{"empty", func(string) error { return nil }, "", errNoModel, "the folder is empty"},
		{"text form", write("saved_model.pbtxt", "x"), "", errNoModel, "saved_model.pbtxt), which Mallard does not read. Export it again"},
		{"the file itself", write("saved_model.pb", "x"), "saved_model.pb", errNoModel, "it is a file. Name the folder that holds it"},
		{"another file", write("model.onnx", "x"), "model.onnx", errNoModel, "it is a file. A SavedModel is a folder"},
		{"keras", write("model.keras", "x"), "", errNoModel, "model.keras is a Keras file: export it with model.export(folder)"},
		{"versions", func(dir string) error {
			for _, v := range []string{"9", "10", "x"} {
				if err := os.CopyFS(filepath.Join(dir, v), os.DirFS(fixtureDir("same_name"))); err != nil {
					return err
				}
			}
			return nil
		}, "", errNoModel, "There are 3 models one level below: name one of them, such as " + versions},
		{"other files", write("notes.txt", "x"), "", errNoModel, "the folder has no saved_model.pb"},
		{"pb is a folder", func(dir string) error { return os.Mkdir(filepath.Join(dir, "saved_model.pb"), 0o755) }, "", errNoModel, "saved_model.pb is not a file"},
		{"no bytes", write("saved_model.pb", ""), "", errCorrupt, "it holds no graph"},
		{"junk", write("saved_model.pb", "\xff\xff\xff not a model"), "", errCorrupt, "is damaged or is not a SavedModel"},
		{"a web page", write("saved_model.pb", "<!DOCTYPE html><html>404</html>"), "", errCorrupt, "is damaged or is not a SavedModel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.make(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Inspect(filepath.Join(dir, tt.sub))
			tt.want = strings.ReplaceAll(tt.want, versions, filepath.Join(dir, "10"))
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := Inspect(parent); !errors.Is(err, errNoModel) || !strings.Contains(err.Error(), "one level below: name "+filepath.Join(parent, "same_name")) {
		t.Errorf("the folder above: %v", err)
	}
}

func write(name, text string) func(dir string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644) }
}

// TestTruncated: a model cut anywhere is an error or, at a border of fields, a smaller model; never a panic.
func TestTruncated(t *testing.T) {
	pb := readModel(t, "table_assets")
	failed := 0
	for n := 0; n < len(pb); n += 7 {
		if _, err := inspect(pb[:n]); err != nil {
			failed++
		}
	}
	if failed < len(pb)/7-2 { // the one meta graph is one field: every cut is inside it
		t.Errorf("%d of %d cuts failed", failed, len(pb)/7)
	}
}

func readModel(t testing.TB, name string) []byte {
	t.Helper()
	pb, err := os.ReadFile(filepath.Join(fixtureDir(name), "saved_model.pb"))
	if err != nil {
		t.Fatal(err)
	}
	return pb
}

// field writes a length-delimited field.
func field(num protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), slices.Concat(parts...))
}

func str(num protowire.Number, s string) []byte { return field(num, []byte(s)) }

func node(name, op string, more ...[]byte) []byte {
	return field(1, str(1, name), str(2, op), slices.Concat(more...))
}

// graphOf wraps nodes into a model with one signature that gives the output "y:0".
func graphOf(parts ...[]byte) []byte {
	tensor := slices.Concat(str(1, "y:0"), protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1))
	sig := field(5, str(1, "serving_default"), field(2, field(2, str(1, "y"), field(2, tensor))))
	asset := field(6, field(1, str(1, "asset:0")), str(2, "words.txt"))
	return field(2, field(1, str(4, "serve")), field(2, slices.Concat(parts...)), sig, asset)
}

// with adds fields to a model's one graph.
func with(model []byte, more ...[]byte) []byte {
	_, _, k := protowire.ConsumeTag(model)
	graph, _ := protowire.ConsumeBytes(model[k:])
	return field(2, graph, slices.Concat(more...))
}

// initOp makes the node "init" run at loading.
func initOp() []byte {
	return field(5, str(1, initSignature), field(2, field(2, str(1, initSignature), field(2, str(1, "init:0")))))
}

// feeding is serving_default with an input.
func feeding(tensor string) []byte {
	number := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1)
	return field(5, str(1, "serving_default"), field(2, field(1, str(1, "x"), field(2, str(1, tensor), number)),
		field(2, str(1, "y"), field(2, str(1, "y:0"), number))))
}

func attr(name string, value []byte) []byte { return field(5, str(1, name), field(2, value)) }

// assetNodes are a table filled from an asset whose name lies in a variable, as TensorFlow 2 writes it.
func assetNodes(more ...[]byte) [][]byte {
	return append([][]byte{
		node("y", "InitializeTableFromTextFileV2", str(3, "t"), str(3, "r")), node("t", "HashTableV2"),
		node("r", "ReadVariableOp", str(3, "v"), str(3, "^a")), node("v", "VarHandleOp"), node("a", "AssignVariableOp", str(3, "v"), str(3, "asset")),
		node("asset", "Placeholder"), node("path", "Const"),
	}, more...)
}

// assetGraph adds an op that takes the variable's handle and another path.
func assetGraph(op string) []byte {
	nodes := assetNodes()
	if op != "" {
		nodes = assetNodes(node("b", op, str(3, "v"), str(3, "path")))
	}
	return graphOf(nodes...)
}

// fedGraph wraps nodes and functions into a model with one signature that takes "x:0" and gives "y:0".
func fedGraph(parts ...[]byte) []byte {
	return field(2, field(1, str(4, "serve")), field(2, slices.Concat(parts...)), feeding("x:0"))
}

// nested is a function in an attribute of a function in an attribute, and so on.
func nested(depth int) []byte {
	value := field(10, str(1, "f"))
	for range depth {
		value = field(10, str(1, "f"), field(2, str(1, "h"), field(2, value)))
	}
	return value
}

// chain is "y" behind n nodes.
func chain(n int) [][]byte {
	all := [][]byte{node("y", "Identity", str(3, "n0"))}
	for i := range n {
		all = append(all, node(fmt.Sprint("n", i), "Identity", str(3, fmt.Sprint("n", i+1))))
	}
	return all
}

// ring is functions of which each calls the next.
func ring(n int, body func(string, ...[]byte) []byte, callTo func(string) []byte) (all [][]byte) {
	for i := range n {
		all = append(all, body(fmt.Sprint("f", i), node("p", "PartitionedCall", callTo(fmt.Sprint("f", (i+1)%n)))))
	}
	return all
}

// TestTagsAreASet: TensorFlow loads the first graph whose tags are the wanted ones as a set, and so must be the one that is judged.
func TestTagsAreASet(t *testing.T) {
	graph := func(op string, tags ...string) []byte {
		var info []byte
		for _, tag := range tags {
			info = append(info, str(4, tag)...)
		}
		return field(2, field(1, info), field(2, node("y", op)), feeding("x:0"))
	}
	m, err := inspect(slices.Concat(graph("WriteFile", "serve", "serve"), graph("Const", "serve")))
	if err != nil {
		t.Fatal(err)
	}
	_, s, err := m.Select([]string{"serve"}, "")
	if err != nil || len(s.Unsafe) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestClassification: graphs written by hand, for what no honest exporter writes.
func TestClassification(t *testing.T) {
	body := func(name string, nodes ...[]byte) []byte { // node_def is field 3 of a function
		var b []byte
		for _, n := range nodes {
			_, _, k := protowire.ConsumeTag(n)
			v, _ := protowire.ConsumeBytes(n[k:])
			b = append(b, field(3, v)...)
		}
		return field(2, field(1, field(1, str(1, name), field(2, str(1, "arg"))), b))
	}
	callTo := func(f string) []byte { return attr("f", field(10, str(1, f))) }
	const noPlaceholder, readsTable = "Const", "retains unsafe InitializeTableFromTextFileV2 (reads files of the host)"
	table := func(name, file string) []byte {
		return node(name, "InitializeTableFromTextFileV2", str(3, "t"), str(3, file))
	}
	gradient := func(of, is string) []byte { return field(2, field(2, str(1, of), str(2, is))) }
	implementing := func(name, what string, nodes ...[]byte) []byte { // a function, with its interface
		f := body(name, nodes...)
		_, _, k := protowire.ConsumeTag(f)
		library, _ := protowire.ConsumeBytes(f[k:])
		_, _, k = protowire.ConsumeTag(library)
		def, _ := protowire.ConsumeBytes(library[k:])
		return field(2, field(1, def, attr("api_implements", str(2, what))))
	}
	twoCalls := func(first, second string) [][]byte { // of f: a gives it the name of an asset, b another one
		return [][]byte{node("y", "Add", str(3, first), str(3, second)), node("a", "PartitionedCall", str(3, "asset"), callTo("f")),
			node("b", "PartitionedCall", str(3, "name"), callTo("f")), node("asset", "Placeholder"), node("name", "Const")}
	}
	alike := func(n int) (all [][]byte) { // functions with one interface
		for i := range n {
			all = append(all, implementing(fmt.Sprint("f", i), "i", node("p", "Const")))
		}
		return all
	}
	restoreFile := func(tensor string) []byte { return field(3, str(1, tensor)) }
	tests := []struct {
		name string
		give []byte
		want string
	}{
		{"plain", graphOf(node("y", "Add", str(3, "x"), str(3, "x")), node("x", "Placeholder")), "stateless"},
		{"not reachable", graphOf(node("y", "Const"), node("save", "SaveV2")), "stateless"},
		{"control input", graphOf(node("y", "Const", str(3, "^w")), node("w", "WriteFile")), "retains unsafe WriteFile (writes files of the host)"},
		{"in a function", graphOf(node("y", "PartitionedCall", callTo("f")), body("f", node("p", "PyFunc"))), "retains unsafe PyFunc (runs Python)"},
		{"function as op", graphOf(node("y", "f"), body("f", node("p", "Abort"))), "stateless unsafe Abort (ends the process)"},
		{"function in a list", graphOf(node("y", "Case", attr("branches", field(1, field(9, str(1, "f"))))), body("f", node("p", "ReadFile"))),
			"stateless unsafe ReadFile (reads files of the host)"},
		{"function of a function", graphOf(node("y", "Map", attr("f", field(10, str(1, "g"), field(2, str(1, "h"), field(2, field(10, str(1, "f"))))))), body("f", node("p", "ReadFile"))),
			"retains custom Map unsafe ReadFile (reads files of the host)"},
		{"calls itself", graphOf(node("y", "PartitionedCall", callTo("f")), body("f", node("p", "PartitionedCall", str(3, "arg"), callTo("f")))), "stateless"},
		{"cycle", graphOf(node("y", "Add", str(3, "z")), node("z", "Add", str(3, "y"))), "stateless"},
		{"custom op", graphOf(node("y", "WordpieceTokenizeWithOffsets")), "retains custom WordpieceTokenizeWithOffsets"},
		{"proto file", graphOf(node("y", "DecodeProtoV2", attr("descriptor_source", str(2, "/etc/x.pb")))), "stateless unsafe DecodeProtoV2 (reads files of the host)"},
		{"proto linked in", graphOf(node("y", "DecodeProtoV2", attr("descriptor_source", str(2, "local://")))), "stateless"},
		{"print to a file", graphOf(node("y", "PrintV2", attr("output_stream", str(2, "file:///tmp/x")))), "stateless unsafe PrintV2 (writes files of the host)"},
		{"table from a constant", graphOf(node("y", "InitializeTableFromTextFileV2", str(3, "t"), str(3, "name")), node("t", "HashTableV2"), node("name", "Const")),
			"retains unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"asset through a variable", assetGraph(""), "retains"},
		{"asset overwritten", assetGraph("AssignVariableOp"), "retains unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"asset's variable under another handle", graphOf(assetNodes(node("v2", "VarHandleOp", attr("shared_name", str(2, "v"))))...), "retains unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"table from a recursive argument", graphOf(node("y", "PartitionedCall", str(3, "name"), callTo("f")), node("name", "Const"),
			body("f", node("i", "InitializeTableFromTextFileV2", str(3, "t"), str(3, "arg")), node("p", "PartitionedCall", str(3, "arg"), callTo("f")))),
			"retains unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		// What an attacker writes: it runs though a walk from the outputs does not meet it.
		{"fed, and run for those that wait", fedGraph(node("y", "Const", str(3, "^x")), node("x", "WriteFile")),
			"retains unsafe WriteFile (writes files of the host)"},
		{"fed, and run for another output", fedGraph(node("y", "Identity", str(3, "x:1")), node("x", "PartitionedCall", callTo("f")), body("f", node("p", "ReadFile"))),
			"stateless unsafe ReadFile (reads files of the host)"},
		{"behind what is fed", fedGraph(node("y", "Identity", str(3, "x")), node("x", "ReadFile")), "stateless"},
		{"a gradient", graphOf(node("y", "SymbolicGradient", callTo("f")), body("f", node("p", "Const")), body("g", node("p", "WriteFile")), gradient("f", "g")),
			"stateless unsafe WriteFile (writes files of the host)"},
		{"called in place of another", graphOf(node("y", "PartitionedCall", callTo("f")), implementing("f", "i", node("p", "Const")), implementing("g", "i", node("p", "WriteFile"))),
			"stateless unsafe WriteFile (writes files of the host)"},
		{"called in place of another, with a file of the host", graphOf(append(twoCalls("b", "a"),
			implementing("f", "i", node("p", "Const")), implementing("g", "i", table("p", "arg")))...), "stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"called in place of another, with a file of the host first", graphOf(append(twoCalls("a", "b"),
			implementing("f", "i", node("p", "Const")), implementing("g", "i", table("p", "arg")))...), "stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"called in place of another, with assets", graphOf(append(twoCalls("a", "a"),
			implementing("f", "i", node("p", "Const")), implementing("g", "i", table("p", "arg")))...), "stateless"},
		{"many in place of one", graphOf(append(alike(3000), node("y", "PartitionedCall", callTo("f0")))...), "stateless"},
		{"not called in its place", graphOf(node("y", "PartitionedCall", callTo("f")), implementing("f", "i", node("p", "Const")), implementing("g", "j", node("p", "WriteFile"))), "stateless"},
		{"table of an asset at loading", with(graphOf(node("y", "Const"), table("init", "asset"), node("t", "HashTableV2"), node("asset", noPlaceholder)), initOp()), "stateless"},
		{"asset outside its folder", with(graphOf(node("y", "Const"), table("init", "asset"), node("t", "HashTableV2"), node("asset", noPlaceholder)), initOp(),
			field(6, field(1, str(1, "asset:0")), str(2, "../../../etc/passwd"))), "stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"asset with a whole path", with(graphOf(node("y", "Const"), table("init", "asset"), node("t", "HashTableV2"), node("asset", noPlaceholder)), initOp(),
			field(6, field(1, str(1, "asset:0")), str(2, "/etc/passwd"))), "stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"asset that is not fed", graphOf(table("y", "asset"), node("t", "HashTableV2"), node("asset", noPlaceholder)), readsTable},
		{"variables' path that is not fed at loading", with(graphOf(node("y", "Const"), table("init", "path"), node("t", "HashTableV2"), node("path", noPlaceholder)), initOp(), restoreFile("path:0")),
			"stateless unsafe InitializeTableFromTextFileV2 (reads files of the host)"},
		{"variables' path that is not fed", with(graphOf(table("y", "path"), node("t", "HashTableV2"), node("path", noPlaceholder)), restoreFile("path:0")), readsTable},
		{"variable under a handle without a name", graphOf(assetNodes(node("v2", "_VarHandlesOp"))...), readsTable},
		{"nested beyond any function", graphOf(node("y", "Map", attr("f", nested(maxNesting+8)))), "not a protocol buffer of this kind"},
		{"a long chain", graphOf(chain(50_000)...), "stateless"},
		{"functions that call each other", graphOf(append(ring(500, body, callTo), node("y", "PartitionedCall", callTo("f0")))...), "stateless"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := inspect(tt.give)
			if err != nil && err.Error() == tt.want {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, s, err := m.Select(nil, "")
			if err != nil {
				t.Fatal(err)
			}
			var words []string
			if s.Stateless {
				words = append(words, "stateless")
			}
			if s.Retains {
				words = append(words, "retains")
			}
			if len(s.Custom) > 0 {
				words = append(words, "custom "+strings.Join(s.Custom, ", "))
			}
			if len(s.Unsafe) > 0 {
				words = append(words, "unsafe "+strings.Join(s.Unsafe, ", "))
			}
			if got := strings.Join(words, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestOpTables: the op lists name ops that exist, and every stateful list entry is one the registry calls stateful.
func TestOpTables(t *testing.T) {
	for op := range unsafeOps {
		if _, ok := coreOps()[op]; !ok && op != "EagerPyFunc" && op != "PyFuncStateless" {
			t.Errorf("unsafeOps: TensorFlow has no %s", op)
		}
	}
	for op := range effects {
		if _, ok := coreOps()[op]; !ok {
			t.Errorf("effects: TensorFlow has no %s", op)
		}
	}
	if n := len(coreOps()); n < 1500 {
		t.Errorf("%d ops", n)
	}
}

func FuzzInspect(f *testing.F) {
	for _, name := range []string{"same_name", "sparse_input", "multi_signature", "table_host_file", "reads_file", "table_assets"} {
		f.Add(readModel(f, name))
	}
	f.Add(graphOf(node("y", "PartitionedCall")))
	f.Fuzz(func(t *testing.T, pb []byte) {
		m, err := inspect(pb)
		if err != nil {
			return
		}
		for _, g := range m.Graphs {
			for _, s := range g.Signatures {
				_ = s.Check(nil)
				if !slices.IsSortedFunc(s.Outputs, func(a, b Port) int { return strings.Compare(a.Name, b.Name) }) {
					t.Errorf("outputs not sorted: %v", s.Outputs)
				}
			}
			if _, _, err := m.Select(g.Tags, ""); err != nil && !errors.Is(err, ErrNoSignature) && !errors.Is(err, errNoTags) {
				t.Error(err)
			}
		}
	})
}

// A type that cannot be served is not mended by another first dimension.
func TestOtherOutputsNameTheFault(t *testing.T) {
	for _, tt := range []struct {
		outputs []Port
		want    string
	}{
		{[]Port{{Name: "y", DType: 8, Shape: []int64{-1}}}, "Export the model with an output that is a tensor of numbers, BOOLEANs or strings"},
		{[]Port{{Name: "y", DType: 1, Shape: []int64{3}}}, "Export the model with an output whose first dimension is the rows'"},
		{[]Port{{Name: "y", DType: 8, Shape: []int64{-1}}, {Name: "z", DType: 1, Shape: []int64{-1}}}, "Choose others with OPTIONS(outputs=['z'])"},
	} {
		s := &Signature{Outputs: tt.outputs}
		if got := s.otherOutputs(-1, nil); got != tt.want {
			t.Errorf("%v: %s", tt.outputs, got)
		}
	}
}
