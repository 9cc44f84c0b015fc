package remote

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/dispatch"
)

// Spec is one call of a function over a remote model: all that asking needs to know. It must not be copied or changed
// after [Spec.Init], and is safe for concurrent use.
type Spec struct {
	Func    string // ML.PREDICT, ML.GENERATE_TEXT, ML.GENERATE_EMBEDDING, AI.…
	Model   string // its name in SQL, for messages, usage and the cache
	Version int64  // unique in the process; a literal in the SQL that SQL writes

	Endpoint   string // the full URL without the method
	Name       string // of the model at its provider; "" is the last part of Endpoint
	TokenField string // what chat completions call the bound on tokens; "" is max_tokens
	Family     Family // Auto tells it from Endpoint
	Connection *dispatch.Connection
	// Service gives the provider; it is called once per statement, at the first request, and the caller caches.
	Service func(ctx context.Context) (Service, error)

	Options Options
	// Inputs and Outputs are the columns of INPUT(…) and OUTPUT(…), for ML.PREDICT.
	Inputs, Outputs []googlesql.Field
	// Objects says that the input is an object table: columns uri and content_type take the place of prompt or content.
	Objects bool
	// Versioned says that such an input has a column generation, too.
	Versioned bool
	// Titled says that the input of an embedding has a column title; it is sent with task type RETRIEVAL_DOCUMENT.
	Titled bool
	// Media says that the content of a multimodal embedding is no plain text, so that rows have segments. Objects implies it.
	Media bool
	// Load reads an object that the provider cannot: any URI that is not gs:// (or https:// for Gemini). It bounds the size.
	// Only rows that are asked are loaded, side by side. Without it such rows get a status.
	Load func(ctx context.Context, o Object) (data []byte, mimeType string, err error)
	// Stat tells the content type and the version of an object that the provider reads itself and whose row does not say; ""
	// where nobody knows. nil leaves the type to the object's name.
	Stat func(ctx context.Context, o Object) (mimeType, version string, err error)
	// Inline says that the provider reads no objects at all: every one goes inside the request.
	Inline bool

	Limits dispatch.Limits // over the connection's, over the table's
	Price  dispatch.Price  // the zero price takes the connection's
	Retry  dispatch.Retry  // over the connection's
	Cache  dispatch.Cache  // nil for none
	// CacheAlways keeps the answers of models asked with a temperature above zero, too.
	CacheAlways bool

	codec      codec
	columns    []googlesql.Field // results without the status
	status     string            // name of the status column
	statusAt   int               // its place among the results
	statusNull bool              // success is NULL, not ''
	segments   bool              // a row may give several rows
	limits     dispatch.Limits
	price      dispatch.Price
	priced     bool // the price is known
	retry      dispatch.Retry
	method     string // for the cache's keys
	parameters json.RawMessage
	cacheable  bool
	call       *dispatch.Call
}

// codec turns rows into requests and answers into results: the part that differs by function and family.
type codec interface {
	// payload is what is asked for a row, the same for rows that are the same; it may be a deferredRow's. A status says why
	// nothing can be asked. The row's values belong to the caller: they are views that end with the call.
	payload(ctx context.Context, row []any) (payload, status string)
	// finish gives the payload of a row that was put off, reading its objects.
	finish(ctx context.Context, r deferredRow) (payload, status string)
	// call asks for rows.
	call(ctx context.Context, svc Service, payloads []string) ([]dispatch.Answer, error)
	// values gives the results of an answer, a line per segment, without the status. A status says what is wrong with it.
	values(body json.RawMessage) (lines [][]any, status string)
	// missing is the results of a row without an answer.
	missing() []any
}

// batches reports whether a request can have several rows at all.
func (s *Spec) batches() bool { return s.method == "predict" || s.method == "embeddings" }

// modelName is the model's name at its provider, by which limits and prices are found.
func (s *Spec) modelName() string {
	if s.Name != "" {
		return s.Name
	}
	return ModelName(s.Endpoint)
}

func (s *Spec) tokenField() string {
	if s.TokenField != "" {
		return s.TokenField
	}
	return "max_tokens"
}

// Results are the columns that the call adds, in their order.
func (s *Spec) Results() []googlesql.Field {
	all := make([]googlesql.Field, 0, len(s.columns)+1)
	all = append(all, s.columns[:s.statusAt]...)
	all = append(all, googlesql.Field{Name: s.status, Type: scalar(googlesql.String)})
	return append(all, s.columns[s.statusAt:]...)
}

// InputColumns names the columns that the call reads from its input, with the DuckDB type that suits a parameter in each.
func (s *Spec) InputColumns() []InputColumn {
	var all []InputColumn
	switch {
	case s.Func == "ML.PREDICT":
		for _, c := range s.Inputs {
			all = append(all, InputColumn{c.Name, c.Type.DuckDB()})
		}
		return all
	case s.Objects:
		all = []InputColumn{{"uri", "VARCHAR"}, {"content_type", "VARCHAR"}}
		if s.Versioned {
			all = append(all, InputColumn{"generation", "BIGINT"})
		}
		return all
	case s.Family.Text():
		return []InputColumn{{"prompt", "VARCHAR"}}
	}
	all = append(all, InputColumn{"content", "VARCHAR"})
	if s.titled() {
		all = append(all, InputColumn{"title", "VARCHAR"})
	}
	return all
}

// caches reports whether answers are kept.
func (s *Spec) caches() bool { return s.Cache != nil && s.cacheable }

// InputColumn is a column that a call reads.
type InputColumn struct{ Name, DuckDB string }

func (s *Spec) titled() bool {
	return s.Titled && !s.Objects && s.Options.TaskType == "RETRIEVAL_DOCUMENT"
}

// resultType is what the awaiting function returns. Fields are named by position, unless people will see the STRUCT.
func (s *Spec) resultType(named bool) googlesql.Type {
	t := googlesql.Type{Kind: googlesql.Struct, Fields: s.Results()}
	if !named {
		for i := range t.Fields {
			t.Fields[i].Name = fmt.Sprintf("o%d", i)
		}
	}
	return t
}
