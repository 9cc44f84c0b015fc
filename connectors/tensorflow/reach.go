package tensorflow

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// reach walks a graph backwards from some nodes, into the functions it calls.
// It is linear in the graph: every node and every function is seen once.
type reach struct {
	g         *wireGraph
	nodes     map[string]*wireNode
	functions map[string]*wireFunction
	stopped   map[string]bool // tensors that are fed from outside: what lies behind them does not run for their sake
	seen      map[string]bool
	called    map[called]bool
	ops       map[string]bool
	unsafe    map[string]bool
	files     []use            // file-reading ops, judged when every call is known
	calls     map[scope][]call // who calls a function, or another one of its group
	trusted   map[string]bool  // tensors that hold the name of one of the model's own files

	bodies  map[scope]map[string]*wireNode
	owned   map[tensorKey]bool     // answers of own
	users   map[string][]*wireNode // of a variable's handle; nil until asked for
	handles map[string]int         // handles per variable
}

// scope is the function that a name is in, nil for the graph itself.
type scope = *wireFunction

// called is a function that was walked, and in which part.
type called struct {
	f       scope
	instead bool
}

type use struct {
	node *wireNode
	in   scope
}

type call struct {
	inputs []string // nil: not known which argument is which
	in     scope
}

// phase is a run that TensorFlow makes of a graph. They differ in what it feeds: elsewhere the graph's own value holds.
type phase int

const (
	predicting   phase = iota
	initialising       // the names of assets are fed
	restoring          // they and the name of the variables are
)

func newReach(g *wireGraph, p phase) *reach {
	g.index()
	r := &reach{g: g, nodes: g.nodeByName, functions: g.functionByName, bodies: map[scope]map[string]*wireNode{},
		stopped: map[string]bool{}, seen: map[string]bool{}, called: map[called]bool{}, ops: map[string]bool{}, unsafe: map[string]bool{},
		calls: map[scope][]call{}, trusted: map[string]bool{}, owned: map[tensorKey]bool{}}
	for _, a := range g.assets {
		r.trust(a.Tensor, p != predicting)
	}
	if g.restoreFile != "" {
		r.trust(g.restoreFile, p == restoring)
	}
	for _, a := range g.assets { // its name is joined to that of the folder of assets
		if !filepath.IsLocal(filepath.FromSlash(a.File)) {
			delete(r.trusted, nodeOf(a.Tensor))
		}
	}
	return r
}

// trust notes a tensor that holds a file's name where it is fed. Where it is not, only a placeholder holds nothing else.
func (r *reach) trust(tensor string, fed bool) {
	n := r.nodes[nodeOf(tensor)]
	if fed || n != nil && placeholder(n) {
		r.trusted[nodeOf(tensor)] = true
	}
}

// placeholder reports a node without a value of its own.
func placeholder(n *wireNode) bool { return n.op == "Placeholder" || n.op == "PlaceholderV2" }

// index makes the maps that every walk shares.
func (g *wireGraph) index() {
	if g.nodeByName != nil {
		return
	}
	g.nodeByName = make(map[string]*wireNode, len(g.nodes))
	for i := range g.nodes {
		g.nodeByName[g.nodes[i].name] = &g.nodes[i]
	}
	g.functionByName = make(map[string]*wireFunction, len(g.functions))
	g.alike = map[string][]*wireFunction{}
	for i := range g.functions {
		f := &g.functions[i]
		g.functionByName[f.name] = f
		if f.implements != "" {
			g.alike[f.implements] = append(g.alike[f.implements], f)
		}
	}
}

// stop marks a tensor as fed.
func (r *reach) stop(tensor string) { r.stopped[tensorKeyOf(tensor)] = true }

// fed reports that an input is not computed. A fed node still runs for another of its outputs, and, unless it is a placeholder, for those
// that wait for it.
func (r *reach) fed(input string, n *wireNode) bool {
	if strings.HasPrefix(input, "^") {
		return placeholder(n) && r.stopped[tensorKeyOf(n.name)]
	}
	return r.stopped[tensorKeyOf(input)]
}

// from walks from the named nodes.
func (r *reach) from(names []string) {
	todo := slices.Clone(names)
	for len(todo) > 0 {
		input := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		name := nodeOf(input)
		n := r.nodes[name]
		if n == nil || r.seen[name] || r.fed(input, n) {
			continue
		}
		r.seen[name] = true
		r.visit(n, nil)
		todo = append(todo, n.inputs...)
	}
}

// step is a node to look at, and where it is.
type step struct {
	n       *wireNode
	in      scope
	instead bool // of a function that stands for another one: it must be safe, but says nothing of the model on this machine
}

// visit notes an op and walks the functions that it calls, and those that TensorFlow may call in their place.
func (r *reach) visit(n *wireNode, in scope) {
	todo := []step{{n, in, false}}
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		enter := func(name string, inputs []string) bool {
			f := r.functions[name]
			if f == nil {
				return false
			}
			r.calls[r.group(f)] = append(r.calls[r.group(f)], call{inputs, s.in})
			todo = append(todo, r.bodiesOf(called{f, s.instead})...)
			return true
		}
		op := s.n.op
		if !enter(op, s.n.inputs) && !s.instead {
			r.ops[op] = true
		}
		for _, f := range s.n.funcs {
			enter(f.name, arguments(s.n, f.attr))
		}
		reason := unsafeOps[op]
		if reason == "" {
			reason = unsafeAttr(op, s.n.text)
		}
		if reason != "" {
			r.unsafe[op+" ("+reason+")"] = true
		}
		if _, ok := fileOps[op]; ok {
			r.files = append(r.files, use{s.n, s.in})
		}
	}
}

// bodiesOf gives the nodes that a call may run and that were not walked yet: those of the function, of the one for its gradient, and of all
// that have its interface.
func (r *reach) bodiesOf(c called) (steps []step) {
	for todo := []called{c}; len(todo) > 0; {
		c, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if r.called[c] {
			continue
		}
		r.called[c] = true
		for i := range c.f.nodes { // every node of a body may run: stateful ones do even when nothing uses them
			steps = append(steps, step{&c.f.nodes[i], c.f, c.instead})
		}
		for _, name := range r.g.gradients[c.f.name] {
			if f := r.functions[name]; f != nil {
				r.calls[r.group(f)] = append(r.calls[r.group(f)], call{})
				todo = append(todo, called{f, true})
			}
		}
		alike := r.g.alike[c.f.implements]
		switch first := (called{r.group(c.f), true}); {
		case len(alike) < 2:
		case c != first:
			todo = append(todo, first)
		default: // once for all of them
			for _, f := range alike {
				todo = append(todo, called{f, true})
			}
		}
	}
	return steps
}

// group gives one function for all with the same interface: a call of one of them may be a call of any.
func (r *reach) group(f scope) scope {
	if alike := r.g.alike[f.implements]; len(alike) > 0 {
		return alike[0]
	}
	return f
}

// arguments gives the inputs that become a function's arguments; nil when that is not plain.
func arguments(n *wireNode, attr string) []string {
	switch {
	case (n.op == "PartitionedCall" || n.op == "StatefulPartitionedCall") && attr == "f":
		return n.inputs
	case (n.op == "If" || n.op == "StatelessIf" || n.op == "Case" || n.op == "StatelessCase") && len(n.inputs) > 0:
		return n.inputs[1:]
	}
	return nil
}

// settle judges the file-reading ops, once every call is known.
func (r *reach) settle() {
	for _, u := range r.files {
		i := fileOps[u.node.op]
		if i >= len(u.node.inputs) || !r.own(u.node.inputs[i], u.in, 0) {
			r.unsafe[u.node.op+" ("+readsFiles+")"] = true
		}
	}
}

// own reports whether a tensor is the name of a file of the model's own: an
// asset or the variables, perhaps handed on through calls. Each question is
// answered once, and one that leads back to itself with no.
func (r *reach) own(tensor string, in scope, depth int) bool {
	if depth > maxNesting || strings.HasPrefix(tensor, "^") {
		return false
	}
	key := tensorKey{in, nodeOf(tensor)}
	if yes, asked := r.owned[key]; asked {
		return yes
	}
	r.owned[key] = false
	yes := r.ownNode(key.node, in, depth)
	r.owned[key] = yes
	return yes
}

type tensorKey struct {
	in   scope
	node string
}

func (r *reach) ownNode(name string, in scope, depth int) bool {
	if in == nil {
		if r.trusted[name] {
			return true
		}
		n := r.nodes[name]
		if n == nil || len(n.inputs) == 0 {
			return false
		}
		switch n.op {
		case "Identity":
			return r.own(n.inputs[0], nil, depth+1)
		case "ReadVariableOp":
			return r.ownVariable(nodeOf(n.inputs[0]), depth+1)
		}
		return false
	}
	if arg := slices.Index(in.args, name); arg >= 0 {
		calls := r.calls[r.group(in)]
		if !in.plain || len(calls) == 0 || len(calls) > 64 {
			return false
		}
		for _, c := range calls {
			if arg >= len(c.inputs) || !r.own(c.inputs[arg], c.in, depth+1) {
				return false
			}
		}
		return true
	}
	n := r.bodyNode(in, name)
	return n != nil && n.op == "Identity" && len(n.inputs) > 0 && r.own(n.inputs[0], in, depth+1)
}

// bodyNode finds a node of a function.
func (r *reach) bodyNode(in scope, name string) *wireNode {
	body := r.bodies[in]
	if body == nil {
		body = make(map[string]*wireNode, len(in.nodes))
		for i := range in.nodes {
			body[in.nodes[i].name] = &in.nodes[i]
		}
		r.bodies[in] = body
	}
	return body[name]
}

// ownVariable reports whether a variable can hold nothing but the name of a file
// of the model's own: TensorFlow 2 keeps an asset's name in one. So nothing but
// plain assigns of such names and reads may use it, under this or another handle.
func (r *reach) ownVariable(handle string, depth int) bool {
	n := r.nodes[handle]
	if n == nil || n.op != "VarHandleOp" {
		return false
	}
	if r.users == nil {
		r.indexVariables()
	}
	if r.handles[variableName(n)] != 1 || r.handles[anyVariable] > 0 {
		return false
	}
	assigned := false
	for _, u := range r.users[handle] {
		switch u.op {
		case "ReadVariableOp", "VarIsInitializedOp":
		case "AssignVariableOp":
			if len(u.inputs) < 2 || nodeOf(u.inputs[0]) != handle || nodeOf(u.inputs[1]) == handle || !r.own(u.inputs[1], nil, depth) {
				return false
			}
			assigned = true
		default:
			return false
		}
	}
	return assigned
}

// anyVariable stands for handles of variables whose names were not read.
const anyVariable = "\x00"

// variableName is the name under which a variable lives at run time.
func variableName(n *wireNode) string {
	if name := n.text["shared_name"]; name != "" {
		return name
	}
	return n.name
}

// indexVariables notes who uses which handle, and how many handles share a name.
func (r *reach) indexVariables() {
	r.users, r.handles = map[string][]*wireNode{}, map[string]int{}
	count := func(nodes []wireNode) {
		for i := range nodes {
			switch nodes[i].op {
			case "VarHandleOp":
				r.handles[variableName(&nodes[i])]++
			case "_VarHandlesOp":
				r.handles[anyVariable]++
			}
		}
	}
	count(r.g.nodes)
	for i := range r.g.functions {
		count(r.g.functions[i].nodes)
	}
	for i := range r.g.nodes {
		for _, in := range r.g.nodes[i].inputs {
			if h := r.nodes[nodeOf(in)]; h != nil && h.op == "VarHandleOp" && !strings.HasPrefix(in, "^") {
				r.users[h.name] = append(r.users[h.name], &r.g.nodes[i])
			}
		}
	}
}

func (r *reach) sorted() []string { return slices.Sorted(maps.Keys(r.ops)) }

// variables reports whether a variable can be reached.
func (r *reach) variables() bool {
	for _, op := range []string{"VarHandleOp", "Variable", "VariableV2", "_VarHandlesOp"} {
		if r.ops[op] {
			return true
		}
	}
	return false
}

// classify judges a signature by what it reaches, and by what runs at loading.
func (s *Signature) classify(r, loading *reach) {
	s.Stateless = true
	for _, op := range s.Ops {
		stateful, core := coreOps()[op]
		if !core {
			// Nothing is known of it: it may keep and it may vary.
			s.Custom = append(s.Custom, op)
			s.Stateless, s.Retains = false, true
			continue
		}
		if !stateful {
			continue
		}
		switch effects[op] {
		case keeps:
			s.Stateless, s.Retains = false, true
		case varies:
			s.Stateless = false
		case holds:
			s.Retains = true
		}
	}
	for op := range loading.ops {
		if _, core := coreOps()[op]; !core && !slices.Contains(s.Custom, op) {
			s.Custom = append(s.Custom, op)
		}
	}
	slices.Sort(s.Custom)
	all := maps.Clone(r.unsafe)
	maps.Copy(all, loading.unsafe)
	s.Unsafe = slices.Sorted(maps.Keys(all))
}
