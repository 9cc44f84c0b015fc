package planner

import "github.com/duckdb/duckdb-go/v2/mapping"

// inputKind is what the columns of an input tell of it.
type inputKind struct {
	titled  bool // texts have titles
	objects bool // the rows are objects of an object table, and no texts
	media   bool // the column content is an ObjectRef, or the JSON of one, and no text

	versioned bool // objects have a column generation
	similar   bool // the embeddings are for AI.SIMILARITY
}

func kindOfInput(columns []Column) inputKind {
	has := func(name string) bool {
		_, ok := named(columns, name)
		return ok
	}
	content, ok := named(columns, "content")
	generation, versioned := named(columns, "generation")
	return inputKind{
		titled:    has("title"),
		objects:   has("uri") && has("content_type") && !has("prompt") && !ok,
		versioned: versioned && generation.Type.Kind == mapping.TypeBigInt,
		media:     content.Type.Kind == mapping.TypeStruct || content.Type.Alias == "JSON",
	}
}
