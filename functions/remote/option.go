package remote

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/functiontable"
)

// OptionError is a wrong argument, with its place.
type OptionError struct {
	Msg      string
	Pos, End int
	Unknown  string   // the argument that there is none of, or ""
	Known    []string // then, those that there are
}

// Error is the message, without the place.
func (e *OptionError) Error() string { return e.Msg }

// SafetySetting sets the threshold of one category of harm.
type SafetySetting struct {
	Category  string `json:"category"`
	Threshold string `json:"threshold"`
}

// Options are the checked arguments of a call, with defaults in place. Pointers are nil where the API's own default holds.
type Options struct {
	MaxOutputTokens  *int64
	Temperature      *float64
	TopP             *float64
	TopK             *int64
	StopSequences    []string
	GroundWithSearch bool
	SafetySettings   []SafetySetting
	RequestType      string // "", "dedicated" or "shared"
	UseChatMode      *bool
	ModelParams      json.RawMessage // an object, with camel-case keys, without contents
	Flatten          bool
	Prompt           *string // of object tables

	TaskType             string
	OutputDimensionality int64
	StartSecond          *float64
	EndSecond            *float64
	IntervalSeconds      *float64

	OutputSchema []googlesql.Field // of AI.GENERATE_TABLE and AI.GENERATE
	Title        string            // of AI.EMBED
	Categories   []Category        // of AI.CLASSIFY
}

// readers check the arguments of all functions and keep their values. Which function and family takes which argument is in the
// table of functions, package googlesql.
var readers = map[string]func(o *Options, f Family, v any) error{
	"max_output_tokens": func(o *Options, f Family, v any) error {
		limit := int64(4096)
		switch f {
		case Gemini:
			limit = 8192
		case OpenAI: // the server knows its own bound
			limit = math.MaxInt32
		}
		n, err := wantInt(v, 1, limit)
		o.MaxOutputTokens = &n
		return err
	},
	"temperature": func(o *Options, f Family, v any) error {
		limit := 1.0
		if f == OpenAI {
			limit = 2
		}
		x, err := wantFloat(v, 0, limit)
		o.Temperature = &x
		return err
	},
	"top_p": func(o *Options, _ Family, v any) error {
		x, err := wantFloat(v, 0, 1)
		o.TopP = &x
		return err
	},
	// Older pages have it for Gemini too, and so do scripts.
	"top_k": func(o *Options, f Family, v any) error {
		limit := int64(40)
		if f == OpenAI { // the server knows its own bound
			limit = math.MaxInt32
		}
		n, err := wantInt(v, 1, limit)
		o.TopK = &n
		return err
	},
	"stop_sequences": func(o *Options, _ Family, v any) (err error) {
		o.StopSequences, err = wantStrings(v)
		if err == nil && len(o.StopSequences) > 5 {
			err = fmt.Errorf("has %s; the API takes at most 5", amount.Of(len(o.StopSequences), "string"))
		}
		return err
	},
	"ground_with_google_search": func(o *Options, f Family, v any) (err error) {
		o.GroundWithSearch, err = wantBool(v)
		if err == nil && o.GroundWithSearch && f != Gemini {
			err = fmt.Errorf("is TRUE; only Gemini models of Vertex AI search")
		}
		return err
	},
	"safety_settings": readSafety,
	"request_type":    readRequestType,
	"use_chat_mode": func(o *Options, _ Family, v any) error {
		b, err := wantBool(v)
		o.UseChatMode = &b
		return err
	},
	"model_params": readModelParams,
	"prompt": func(o *Options, _ Family, v any) error {
		s, err := wantString(v)
		o.Prompt = &s
		return err
	},
	"flatten_json_output": func(o *Options, _ Family, v any) (err error) {
		o.Flatten, err = wantBool(v)
		return err
	},
	"task_type": func(o *Options, _ Family, v any) (err error) {
		o.TaskType, err = wantOneOf(v, "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
			"QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY")
		return err
	},
	"output_dimensionality": func(o *Options, f Family, v any) (err error) {
		limit := int64(3072)
		switch f {
		case TextEmbedding:
			limit = 768
		case OpenAIEmbedding: // the server knows its own bound
			limit = math.MaxInt32
		}
		o.OutputDimensionality, err = wantInt(v, 1, limit)
		if f == Multimodal && err == nil && !slices.Contains([]int64{128, 256, 512, 1408}, o.OutputDimensionality) {
			err = fmt.Errorf("is %d; it must be 128, 256, 512 or 1408", o.OutputDimensionality)
		}
		return err
	},
	"start_second": func(o *Options, _ Family, v any) error {
		x, err := wantFloat(v, 0, 120)
		o.StartSecond = &x
		return err
	},
	"end_second": func(o *Options, _ Family, v any) error {
		x, err := wantFloat(v, 0, 120)
		o.EndSecond = &x
		return err
	},
	"interval_seconds": func(o *Options, _ Family, v any) error {
		x, err := wantFloat(v, 4, 120)
		if err == nil && x == 120 {
			err = fmt.Errorf("is 120; it must be at least 4 and below 120")
		}
		o.IntervalSeconds = &x
		return err
	},
	"output_schema": func(o *Options, _ Family, v any) error {
		s, err := wantString(v)
		if err == nil {
			o.OutputSchema, err = ParseColumns(s)
		}
		return err
	},
	"categories": readCategories,
	"title": func(o *Options, _ Family, v any) (err error) {
		o.Title, err = wantString(v)
		return err
	},
	// Those of ML.PREDICT change nothing for a remote model, as in BigQuery.
	"threshold": func(_ *Options, _ Family, v any) error {
		_, err := wantFloat(v, math.Inf(-1), math.Inf(1))
		return err
	},
	"keep_original_columns": func(_ *Options, _ Family, v any) error {
		_, err := wantBool(v)
		return err
	},
	"trial_id": func(_ *Options, _ Family, v any) error {
		_, err := wantInt(v, math.MinInt64, math.MaxInt64)
		return err
	},
}

// arguments lists what a function takes, by name, but for what says whom to ask.
func arguments(function string) (map[string]functiontable.Argument, error) {
	f, ok := functiontable.Named(function)
	if !ok || f.Models == "" {
		return nil, fmt.Errorf("%s is not a function over remote models", function)
	}
	all := map[string]functiontable.Argument{}
	for _, a := range f.Named("") {
		if readers[a.Name] != nil {
			all[a.Name] = a
		}
	}
	return all, nil
}

// takes reports whether models of the family take an argument.
func takes(a functiontable.Argument, f Family) bool {
	return a.Models == nil || slices.Contains(a.Models, f.String())
}

// Suits reports, as an error, that a model of the family cannot serve the function.
func Suits(function string, f Family) error {
	ok := false
	switch function {
	case "ML.PREDICT":
		ok = f == Custom
		if !ok {
			return fmt.Errorf("ML.PREDICT needs a model with INPUT and OUTPUT on a custom endpoint, this is %s; use ML.GENERATE_TEXT or "+
				"ML.GENERATE_EMBEDDING", f.Model())
		}
	case "ML.GENERATE_TEXT", "AI.GENERATE_TEXT":
		ok = f.Text()
	case "AI.GENERATE_TABLE", "AI.GENERATE", "AI.GENERATE_BOOL", "AI.GENERATE_INT", "AI.GENERATE_DOUBLE", "AI.IF", "AI.SCORE", "AI.CLASSIFY":
		if ok = f == Gemini || f == OpenAI; !ok && f.Text() {
			return fmt.Errorf("%s needs a Gemini model, this is %s; use AI.GENERATE_TEXT", function, f.Model())
		}
	case "ML.GENERATE_EMBEDDING", "AI.GENERATE_EMBEDDING", "AI.EMBED":
		if ok = f.Embedding(); !ok {
			return fmt.Errorf("%s needs an embedding model, such as text-embedding-005; this is %s", function, f.Model())
		}
	default:
		return fmt.Errorf("%s is not a function over remote models", function)
	}
	if ok {
		return nil
	}
	return fmt.Errorf("%s needs a text model, such as gemini-2.5-flash; this is %s", function, f.Model())
}

// ParseOptions checks the arguments of a call. An error is an *OptionError that names the argument and what it may be.
func ParseOptions(function string, family Family, options []Option) (Options, error) {
	o := Options{Flatten: function == "ML.GENERATE_EMBEDDING"}
	known, err := arguments(function)
	if err != nil {
		return o, err
	}
	seen := map[string]Option{}
	for _, opt := range options {
		name := strings.ToLower(opt.Name)
		fail := func(format string, args ...any) error {
			return &OptionError{Msg: function + ": " + fmt.Sprintf(format, args...), Pos: opt.Pos, End: opt.End}
		}
		a, ok := known[name]
		if !ok {
			list := ArgumentNames(function, family)
			return o, &OptionError{Msg: fmt.Sprintf("%s: there is no argument `%s`; it takes %s", function, opt.Name, strings.Join(list, ", ")),
				Pos: opt.Pos, End: opt.End, Unknown: opt.Name, Known: list}
		}
		if !takes(a, family) {
			return o, fail("argument `%s` is not for %s models; they take %s", opt.Name, family, strings.Join(ArgumentNames(function, family), ", "))
		}
		if _, twice := seen[name]; twice {
			return o, fail("argument `%s` is given twice", opt.Name)
		}
		seen[name] = opt
		if err := readers[name](&o, family, opt.Value); err != nil {
			return o, fail("argument `%s` %s", opt.Name, err)
		}
	}
	if _, ok := seen["model_params"]; ok {
		for name, opt := range seen {
			if known[name].Single {
				return o, &OptionError{Msg: fmt.Sprintf("%s: `%s` cannot stand beside model_params; put it into model_params", function, opt.Name),
					Pos: opt.Pos, End: opt.End}
			}
		}
	} else if function == "ML.GENERATE_TEXT" || function == "AI.GENERATE_TEXT" || function == "AI.GENERATE_TABLE" {
		o.textDefaults(family)
	}
	start, end := seen["start_second"], seen["end_second"]
	switch {
	case (o.StartSecond == nil) != (o.EndSecond == nil):
		given := start
		if o.StartSecond == nil {
			given = end
		}
		return o, &OptionError{Msg: function + ": `start_second` and `end_second` need each other; give both", Pos: given.Pos, End: given.End}
	case o.StartSecond != nil && *o.StartSecond >= *o.EndSecond:
		return o, &OptionError{Msg: fmt.Sprintf("%s: `start_second` is %v; it must be below `end_second`, which is %v", function, *o.StartSecond,
			*o.EndSecond), Pos: start.Pos, End: start.End}
	}
	if function == "AI.GENERATE_TABLE" && len(o.OutputSchema) == 0 {
		return o, &OptionError{Msg: "AI.GENERATE_TABLE needs the argument `output_schema`, such as 'title STRING, year INT64'", Pos: -1, End: -1}
	}
	return o, nil
}

// textDefaults puts BigQuery's defaults where they differ from the API's own.
func (o *Options) textDefaults(f Family) {
	if f == Open {
		return
	}
	if o.MaxOutputTokens == nil {
		n := int64(1024)
		o.MaxOutputTokens = &n
	}
	if f == Claude {
		return
	}
	if o.Temperature == nil {
		o.Temperature = new(float64)
	}
	if o.TopP == nil {
		p := 0.95
		o.TopP = &p
	}
}

// Compare asks for embeddings that suit a comparison, where the models of a family know of tasks.
func (o *Options) Compare(f Family) {
	if o.TaskType == "" && slices.Contains(ArgumentNames("AI.EMBED", f), "task_type") {
		o.TaskType = "SEMANTIC_SIMILARITY"
	}
}

// ArgumentNames lists the named arguments of a function that models of a family take, sorted.
func ArgumentNames(function string, f Family) []string {
	var all []string
	known, _ := arguments(function) // an unknown function takes none
	for name, a := range known {
		if takes(a, f) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func readRequestType(o *Options, f Family, v any) error {
	s, err := wantOneOf(v, "DEDICATED", "SHARED", "UNSPECIFIED")
	if s == "DEDICATED" && f != Gemini {
		return fmt.Errorf("is DEDICATED; provisioned throughput is Vertex AI's")
	}
	if s != "UNSPECIFIED" {
		o.RequestType = strings.ToLower(s)
	}
	return err
}

var (
	harms = []string{"HARM_CATEGORY_HATE_SPEECH", "HARM_CATEGORY_DANGEROUS_CONTENT", "HARM_CATEGORY_HARASSMENT",
		"HARM_CATEGORY_SEXUALLY_EXPLICIT"}
	thresholds = []string{"BLOCK_NONE", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "HARM_BLOCK_THRESHOLD_UNSPECIFIED"}
)

func readSafety(o *Options, _ Family, v any) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("is %s; it must be an ARRAY<STRUCT<category STRING, threshold STRING>>", typeName(v))
	}
	seen := map[string]bool{}
	for _, e := range list {
		fields, ok := e.([]Option)
		if !ok || len(fields) != 2 {
			return fmt.Errorf("has %s in it; it must be an ARRAY<STRUCT<category STRING, threshold STRING>>", typeName(e))
		}
		// The fields may be unnamed, and only the first STRUCT of an array needs names.
		category, threshold := fields[0].Value, fields[1].Value
		if strings.EqualFold(fields[0].Name, "threshold") || strings.EqualFold(fields[1].Name, "category") {
			category, threshold = threshold, category
		}
		c, err := wantOneOf(category, harms...)
		if err != nil {
			return fmt.Errorf("has a category that %w", err)
		}
		t, err := wantOneOf(threshold, thresholds...)
		if err != nil {
			return fmt.Errorf("has a threshold that %w", err)
		}
		if seen[c] {
			return fmt.Errorf("has the category %s twice", c)
		}
		seen[c] = true
		o.SafetySettings = append(o.SafetySettings, SafetySetting{c, t})
	}
	return nil
}

func readModelParams(o *Options, f Family, v any) error {
	s, err := wantString(v)
	if err != nil {
		return fmt.Errorf("%w literal with a JSON object", err)
	}
	body, err := object([]byte(s))
	if err != nil {
		return fmt.Errorf("is not a JSON object: %v", err)
	}
	if f == Gemini || f == EmbedContent {
		body = camelKeys(body).(map[string]any)
	}
	for _, key := range []string{"contents", "content", "messages", "prompt", "instances"} {
		if _, ok := body[key]; ok {
			return fmt.Errorf("has the key %s, which comes from the rows; leave it out", key)
		}
	}
	o.ModelParams, err = json.Marshal(body)
	return err
}

// readCategories reads an ARRAY of texts, or of pairs of a text and what it means.
func readCategories(o *Options, _ Family, v any) error {
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		return fmt.Errorf("must be an ARRAY of categories, such as ['news', 'sport'] or [('news', 'of the day'), ('sport', 'of all kinds')]")
	}
	for i, e := range list {
		var c Category
		switch x := e.(type) {
		case string:
			c.Name = x
		case []Option:
			if len(x) == 2 {
				c.Name, _ = x[0].Value.(string)
				c.Meaning, _ = x[1].Value.(string)
			}
		case []any:
			if len(x) == 2 {
				c.Name, _ = x[0].(string)
				c.Meaning, _ = x[1].(string)
			}
		}
		if c.Name == "" {
			return fmt.Errorf("has the element %d, which is neither a STRING nor a STRUCT of two", i+1)
		}
		o.Categories = append(o.Categories, c)
	}
	return nil
}
