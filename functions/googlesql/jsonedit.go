package googlesql

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mallardml/mallard/internal/jsonfn"
)

// jsonEdits are the functions that change a JSON at its paths.
var jsonEdits = map[string]definition{
	"json_set":    anyValues(func() func([]value) (sql.Null[jsonText], error) { return jsonSet }),
	"json_remove": anyValues(func() func([]value) (sql.Null[jsonText], error) { return jsonRemove }),
	"json_array_append": anyValues(func() func([]value) (sql.Null[jsonText], error) {
		return func(all []value) (sql.Null[jsonText], error) {
			return jsonArrayEdit("JSON_ARRAY_APPEND", all, appendTo)
		}
	}),
	"json_array_insert": anyValues(func() func([]value) (sql.Null[jsonText], error) {
		return func(all []value) (sql.Null[jsonText], error) {
			return jsonArrayEdit("JSON_ARRAY_INSERT", all, insertInto)
		}
	}),
}

// slot is a place in a JSON that can be set.
type slot struct {
	get func() any
	set func(any)
}

// walk gives the place of a path. make makes what is missing on the way: NULLs become objects or arrays, and fields and
// elements are added; without it, and where something else is in the way, ok is false.
func walk(root *any, steps []jsonfn.Step, make bool) (s slot, ok bool) {
	s = slot{func() any { return *root }, func(v any) { *root = v }}
	for _, step := range steps {
		v := s.get()
		if v == nil && make {
			if v = any(object{}); step.Index >= 0 {
				v = &array{}
			}
			s.set(v)
		}
		switch x := v.(type) {
		case object:
			if _, has := x[step.Key]; !has && !make {
				return s, false
			}
			s = slot{func() any { return x[step.Key] }, func(v any) { x[step.Key] = v }}
		case *array:
			i := step.Index
			if i < 0 || i >= len(x.elements) && (!make || i > maxElements) {
				return s, false
			}
			s = slot{func() any {
				if i >= len(x.elements) {
					return nil
				}
				return x.elements[i]
			}, func(v any) {
				for i >= len(x.elements) {
					x.elements = append(x.elements, nil)
				}
				x.elements[i] = v
			}}
		default:
			return s, false
		}
	}
	return s, true
}

// maxElements bounds the arrays that paths make.
const maxElements = 1 << 20

// reachable reports whether walk can make the place of a path, before anything is made.
func reachable(root any, steps []jsonfn.Step) bool {
	v := root
	for _, step := range steps {
		if v == nil {
			return true
		}
		next, ok := child(v, step)
		switch v.(type) {
		case object:
			if step.Index >= 0 {
				return false
			}
		case *array:
			if step.Index < 0 {
				return false
			}
		default:
			return false
		}
		if !ok {
			return true
		}
		v = next
	}
	return true
}

// editing reads the first argument; ok is false when it is NULL.
func editing(v value) (root any, ok bool, err error) {
	t, ok := v.data.(jsonText)
	if !ok {
		return nil, false, nil
	}
	root, err = valueOf(t)
	return root, err == nil, err
}

func edited(v any) (sql.Null[jsonText], error) { return some(jsonText(jsonString(v))), nil }

// editPath reads a path of an editing function; nil is a NULL one.
func editPath(fn string, v value) (*path, error) {
	s, ok := v.data.(string)
	if !ok {
		return nil, nil
	}
	p, err := readPath(s, false)
	if err == nil && p.lax {
		err = errors.New("JSONPath must start with '$'")
	}
	if err != nil {
		return nil, fmt.Errorf("Invalid input to %s: %w", fn, err)
	}
	edited := *p // p is kept for others
	edited.steps = slices.Clone(p.steps)
	for i := range edited.steps { // a subscript is one of an array, and a key one of an object
		if s := &edited.steps[i]; s.Subscript {
			s.Key = noKey
		} else {
			s.Index = -1
		}
	}
	return &edited, nil
}

// noKey is the key of a subscript: no text of JSON's has it.
const noKey = "\xff"

// pairs splits the arguments behind the first: paths and values in turn, and an option at the end.
func pairs(all []value) (pairs []value, option, null bool) {
	rest := all[1:]
	option = true
	if len(rest)%2 == 1 {
		var ok bool
		option, ok = rest[len(rest)-1].data.(bool)
		null = !ok
		rest = rest[:len(rest)-1]
	}
	return rest, option, null
}

func jsonSet(all []value) (sql.Null[jsonText], error) {
	root, ok, err := editing(all[0])
	rest, create, null := pairs(all)
	if err != nil || !ok || null {
		return sql.Null[jsonText]{}, err
	}
	for i := 0; i < len(rest); i += 2 {
		p, err := editPath("JSON_SET", rest[i])
		if err != nil {
			return sql.Null[jsonText]{}, err
		}
		v, err := rest[i+1].json(false)
		if err != nil {
			return sql.Null[jsonText]{}, err
		}
		if p == nil || create && !reachable(root, p.steps) {
			continue
		}
		if s, ok := walk(&root, p.steps, create); ok {
			s.set(v)
		}
	}
	return edited(root)
}

func jsonRemove(all []value) (sql.Null[jsonText], error) {
	root, ok, err := editing(all[0])
	if err != nil || !ok {
		return sql.Null[jsonText]{}, err
	}
	for _, a := range all[1:] {
		p, err := editPath("JSON_REMOVE", a)
		if err != nil {
			return sql.Null[jsonText]{}, err
		}
		if p == nil {
			continue
		}
		if len(p.steps) == 0 {
			return sql.Null[jsonText]{}, errors.New("The JSONPath cannot be '$'")
		}
		last := p.steps[len(p.steps)-1]
		s, ok := walk(&root, p.steps[:len(p.steps)-1], false)
		if !ok {
			continue
		}
		switch x := s.get().(type) {
		case object:
			delete(x, last.Key)
		case *array:
			if last.Index >= 0 && last.Index < len(x.elements) {
				x.elements = slices.Delete(x.elements, last.Index, last.Index+1)
			}
		}
	}
	return edited(root)
}

// jsonArrayEdit is JSON_ARRAY_APPEND or JSON_ARRAY_INSERT; an array of SQL's is put in element by element, unless the option
// says otherwise.
func jsonArrayEdit(fn string, all []value, put func(root *any, steps []jsonfn.Step, values []any)) (sql.Null[jsonText], error) {
	root, ok, err := editing(all[0])
	rest, each, null := pairs(all)
	if err != nil || !ok || null {
		return sql.Null[jsonText]{}, err
	}
	for i := 0; i < len(rest); i += 2 {
		p, err := editPath(fn, rest[i])
		if err != nil {
			return sql.Null[jsonText]{}, err
		}
		v, err := rest[i+1].json(false)
		if err != nil {
			return sql.Null[jsonText]{}, err
		}
		if p == nil {
			continue
		}
		values := []any{v}
		if _, isArray := rest[i+1].data.([]value); isArray && each {
			if list, ok := v.(*array); ok {
				values = list.elements
			}
		}
		put(&root, p.steps, values)
	}
	return edited(root)
}

func appendTo(root *any, steps []jsonfn.Step, values []any) {
	s, ok := walk(root, steps, false)
	if !ok {
		return
	}
	switch x := s.get().(type) {
	case nil:
		s.set(&array{slices.Clone(values)})
	case *array:
		x.elements = append(x.elements, values...)
	}
}

func insertInto(root *any, steps []jsonfn.Step, values []any) {
	if len(steps) == 0 || steps[len(steps)-1].Index < 0 {
		return
	}
	i := steps[len(steps)-1].Index
	s, ok := walk(root, steps[:len(steps)-1], false)
	if !ok || i > maxElements {
		return
	}
	if s.get() == nil {
		s.set(&array{})
	}
	x, ok := s.get().(*array)
	if !ok {
		return
	}
	for len(x.elements) < i {
		x.elements = append(x.elements, nil)
	}
	x.elements = slices.Insert(x.elements, i, values...)
}

// jsonStripNulls is JSON_STRIP_NULLS(json, path, include_arrays, remove_empty).
func jsonStripNulls(t jsonText, text string, arrays, empty bool) (jsonText, error) {
	p, err := readPath(text, false)
	if err != nil {
		return "", fmt.Errorf("Invalid input to JSON_STRIP_NULLS: %w", err)
	}
	root, err := valueOf(t)
	if err != nil {
		return "", err
	}
	if s, ok := walk(&root, p.steps, false); ok {
		v, _ := stripped(s.get(), arrays, empty)
		s.set(v)
	}
	return jsonText(jsonString(root)), nil
}

// stripped gives a value without NULLs; keep is false for one that is to be left out itself.
func stripped(v any, arrays, empty bool) (out any, keep bool) {
	switch x := v.(type) {
	case nil:
		return nil, false
	case object:
		for k, e := range x {
			if s, keep := stripped(e, arrays, empty); keep {
				x[k] = s
			} else {
				delete(x, k)
			}
		}
		if empty && len(x) == 0 {
			return nil, false
		}
	case *array:
		kept := []any{}
		for _, e := range x.elements {
			s, keep := stripped(e, arrays, empty)
			if keep || !arrays {
				kept = append(kept, s)
			}
		}
		x.elements = kept
		if empty && len(kept) == 0 {
			return nil, false
		}
	}
	return v, true
}

// jsonKeys is JSON_KEYS(json, max_depth, mode): the names of all fields, as paths, each once.
func jsonKeys(t jsonText, depth sql.Null[int64], mode string) ([]string, error) {
	if depth.Valid && depth.V <= 0 {
		return nil, errors.New("max_depth must be positive.")
	}
	words := strings.Fields(strings.ToLower(mode))
	lax, recursive := slices.Contains(words, "lax"), slices.Contains(words, "recursive")
	for _, w := range words {
		if w != "strict" && w != "lax" && w != "recursive" {
			return nil, errors.New("Invalid JSON mode specified")
		}
	}
	if len(words) == 0 || recursive && !lax || slices.Contains(words, "strict") && len(words) > 1 {
		return nil, errors.New("Invalid JSON mode specified")
	}
	v, err := valueOf(t)
	if err != nil {
		return nil, err
	}
	all := map[string]bool{}
	var collect func(v any, before string, level int64, inArray bool)
	collect = func(v any, before string, level int64, inArray bool) {
		switch x := v.(type) {
		case object:
			if depth.Valid && level >= depth.V {
				return
			}
			for k, e := range x {
				if strings.Contains(k, ".") {
					k = `"` + strings.ReplaceAll(k, `"`, `\"`) + `"`
				}
				all[before+k] = true
				collect(e, before+k+".", level+1, false)
			}
		case *array:
			if lax && (!inArray || recursive) {
				for _, e := range x.elements {
					collect(e, before, level, true)
				}
			}
		}
	}
	collect(v, "", 0, false)
	return slices.Sorted(maps.Keys(all)), nil
}
