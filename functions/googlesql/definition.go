package googlesql

import (
	"database/sql"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"github.com/mallardml/mallard/internal/udf"
)

// definition says what a function takes and returns, and computes it.
type definition struct {
	params  []udf.Type
	varargs udf.Type
	result  udf.Type
	bind    func(*udf.Binding) (execute, error)
}

// perStatement makes a function of one that is made anew for each statement. It may be called by several goroutines.
func perStatement(make func() definition) definition {
	d := make()
	d.bind = func(b *udf.Binding) (execute, error) { return make().bind(b) }
	return d
}

// execute computes a chunk.
type execute func(chunk mapping.DataChunk, out mapping.Vector) error

// Execute implements [udf.Call].
func (f execute) Execute(chunk mapping.DataChunk, out mapping.Vector) error { return f(chunk, out) }

// Close implements [udf.Call].
func (f execute) Close() {}

func bound(f execute) func(*udf.Binding) (execute, error) {
	return func(*udf.Binding) (execute, error) { return f, nil }
}

// argument is an argument of a chunk.
type argument[T any] struct {
	column udf.Column
	read   func(i int) T
	nulls  bool // its values tell NULL themselves
}

func argumentOf[T any](k kind[T], chunk mapping.DataChunk, i int) argument[T] {
	v := mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
	return argument[T]{udf.Read(v), k.read(v), k.nulls}
}

// null reports whether a row's NULL makes the result NULL.
func (a argument[T]) null(i int) bool { return !a.nulls && a.column.Null(i) }

// each computes the rows of a chunk: null tells those whose result is NULL.
func each[R any](k kind[R], chunk mapping.DataChunk, out mapping.Vector, null func(i int) bool, f func(i int) (R, error)) error {
	for i := range int(mapping.DataChunkGetSize(chunk)) {
		if null(i) {
			setNull(out, i, k.of)
			continue
		}
		r, err := f(i)
		if err != nil {
			return err
		}
		if err := k.write(out, i, r); err != nil {
			return err
		}
	}
	return nil
}

func unary[A, R any](f func(A) (R, error)) definition {
	ka, k := kindOf[A](), kindOf[R]()
	return definition{params: []udf.Type{ka.of}, result: k.of, bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		a := argumentOf(ka, chunk, 0)
		return each(k, chunk, out, a.null, func(i int) (R, error) { return f(a.read(i)) })
	})}
}

func binary[A, B, R any](f func(A, B) (R, error)) definition {
	ka, kb, k := kindOf[A](), kindOf[B](), kindOf[R]()
	return definition{params: []udf.Type{ka.of, kb.of}, result: k.of, bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		a, b := argumentOf(ka, chunk, 0), argumentOf(kb, chunk, 1)
		return each(k, chunk, out, func(i int) bool { return a.null(i) || b.null(i) }, func(i int) (R, error) { return f(a.read(i), b.read(i)) })
	})}
}

func ternary[A, B, C, R any](f func(A, B, C) (R, error)) definition {
	ka, kb, kc, k := kindOf[A](), kindOf[B](), kindOf[C](), kindOf[R]()
	return definition{params: []udf.Type{ka.of, kb.of, kc.of}, result: k.of,
		bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
			a, b, c := argumentOf(ka, chunk, 0), argumentOf(kb, chunk, 1), argumentOf(kc, chunk, 2)
			null := func(i int) bool { return a.null(i) || b.null(i) || c.null(i) }
			return each(k, chunk, out, null, func(i int) (R, error) { return f(a.read(i), b.read(i), c.read(i)) })
		})}
}

func quaternary[A, B, C, D, R any](f func(A, B, C, D) (R, error)) definition {
	ka, kb, kc, kd, k := kindOf[A](), kindOf[B](), kindOf[C](), kindOf[D](), kindOf[R]()
	params := []udf.Type{ka.of, kb.of, kc.of, kd.of}
	return definition{params: params, result: k.of, bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		a, b, c, d := argumentOf(ka, chunk, 0), argumentOf(kb, chunk, 1), argumentOf(kc, chunk, 2), argumentOf(kd, chunk, 3)
		null := func(i int) bool { return a.null(i) || b.null(i) || c.null(i) || d.null(i) }
		return each(k, chunk, out, null, func(i int) (R, error) { return f(a.read(i), b.read(i), c.read(i), d.read(i)) })
	})}
}

func quinary[A, B, C, D, E, R any](f func(A, B, C, D, E) (R, error)) definition {
	ka, kb, kc, kd, ke, k := kindOf[A](), kindOf[B](), kindOf[C](), kindOf[D](), kindOf[E](), kindOf[R]()
	params := []udf.Type{ka.of, kb.of, kc.of, kd.of, ke.of}
	return definition{params: params, result: k.of, bind: bound(func(chunk mapping.DataChunk, out mapping.Vector) error {
		a, b, c, d, e := argumentOf(ka, chunk, 0), argumentOf(kb, chunk, 1), argumentOf(kc, chunk, 2), argumentOf(kd, chunk, 3),
			argumentOf(ke, chunk, 4)
		null := func(i int) bool { return a.null(i) || b.null(i) || c.null(i) || d.null(i) || e.null(i) }
		return each(k, chunk, out, null, func(i int) (R, error) { return f(a.read(i), b.read(i), c.read(i), d.read(i), e.read(i)) })
	})}
}

func merge(tables ...map[string]definition) map[string]definition {
	all := map[string]definition{}
	for _, t := range tables {
		for name, d := range t {
			if _, twice := all[name]; twice {
				panic("two functions " + name)
			}
			all[name] = d
		}
	}
	return all
}

func some[T any](v T) sql.Null[T] { return sql.Null[T]{V: v, Valid: true} }
