package jsonfn

import "strings"

// Step is one part of a path that somebody else read: in an object the key counts, in an array the index, -1 for none.
type Step struct {
	Key   string
	Index int

	Subscript bool // it was written [index]
}

// QueryAt is [Query] of a path that is read already.
func QueryAt(text string, steps []Step) (json string, ok bool) {
	r := reader{s: text}
	if !r.follow(steps) {
		return "", false
	}
	return r.compact()
}

// ValueAt is [Value] of a path that is read already.
func ValueAt(text string, steps []Step) (value string, ok bool) {
	r := reader{s: text}
	if !r.follow(steps) {
		return "", false
	}
	return r.content()
}

// ElementsAt gives the elements of the array that the steps lead to; ok is false when there is none.
func ElementsAt(text string, steps []Step) (all []Element, ok bool) {
	r := reader{s: text}
	if !r.follow(steps) || !r.accept('[') {
		return nil, false
	}
	all = []Element{}
	if r.accept(']') {
		return all, true
	}
	for {
		var e Element
		var b strings.Builder
		first, before := r.peek(), r.i
		if !r.value(&b) {
			return nil, false
		}
		e.JSON = b.String()
		e.Compound = first == '{' || first == '['
		at := reader{s: text, i: before}
		e.Value, e.Scalar = at.content()
		all = append(all, e)
		if !r.accept(',') {
			return all, r.accept(']')
		}
	}
}

// Element is an element of an array: its JSON, and its text if it is a scalar that is not null.
type Element struct {
	JSON, Value      string
	Scalar, Compound bool
}

func (r *reader) follow(steps []Step) bool {
	for _, s := range steps {
		switch {
		case r.peek() == '[' && s.Index >= 0:
			if !r.element(s.Index) {
				return false
			}
		case !r.member(s.Key):
			return false
		}
	}
	return true
}
