package functiontable

import "slices"

// Option is an option of OPTIONS(…).
type Option struct {
	Name   string
	Type   string   // a GoogleSQL type
	Values []string // what it may be, as it is written; where that is open, an example
	Doc    string
}

// Statement is a statement that takes OPTIONS(…).
type Statement int

// The statements.
const (
	CreateModel Statement = iota
	CreateRemoteModel
	AlterModel
	CreateObjectTable
)

var (
	description = Option{"description", "STRING", []string{"''"}, "for people"}
	labels      = Option{"labels", "ARRAY<STRUCT<STRING, STRING>>", []string{"[('key', 'value')]"}, "pairs"}
	batchSize   = Option{"batch_size", "INT64", []string{"256"}, "rows of one call of the engine, 1 to 1,048,576; measured when left out"}
)

// options are those of each statement, in the order in which messages list them.
var options = map[Statement][]Option{
	CreateModel: {
		{"model_type", "STRING", []string{"'TENSORFLOW'"}, "must be given"},
		{"model_path", "STRING", []string{"'folder/*'"}, "the folder of saved_model.pb, or gs://bucket/folder/*; must be given"},
		{"signature", "STRING", []string{"'serving_default'"}, "the signature to run"},
		{"tags", "ARRAY<STRING>", []string{"['serve']"}, "the graph to load"},
		{"outputs", "ARRAY<STRING>", []string{"['']"}, "the outputs to keep; 'name BYTES' gives a string output as BYTES"},
		batchSize,
		{"custom_ops", "ARRAY<STRING>", []string{"['']"}, "libraries with operations that TensorFlow lacks"},
		description, labels,
	},
	CreateRemoteModel: {
		{"endpoint", "STRING", []string{"'gemini-2.5-flash'", "'gemini-2.5-pro'", "'gemini-2.5-flash-lite'", "'text-embedding-005'",
			"'gemini-embedding-001'", "'multimodalembedding@001'"}, "the name of a model, or a URL; must be given"},
		description, labels,
	},
	AlterModel: {description, labels, batchSize},
	CreateObjectTable: {
		{"object_metadata", "STRING", []string{"'SIMPLE'"}, "must be given"},
		{"uris", "ARRAY<STRING>", []string{"['gs://bucket/folder/*']"}, "where the objects are; must be given"},
		{"max_staleness", "INTERVAL", []string{"INTERVAL 1 DAY"}, "how long a listing is kept: 30 minutes to 7 days"},
		{"metadata_cache_mode", "STRING", []string{"'AUTOMATIC'", "'MANUAL'"}, "who lists anew"},
		description,
		{"friendly_name", "STRING", []string{"''"}, "for people"},
		labels,
		{"expiration_timestamp", "TIMESTAMP", []string{"TIMESTAMP '2030-01-01 00:00:00 UTC'"}, "read, without effect"},
	},
}

// Options gives those of a statement. The caller may change the list.
func Options(of Statement) []Option { return slices.Clone(options[of]) }

// OptionNames gives the names of [Options].
func OptionNames(of Statement) []string {
	names := make([]string, len(options[of]))
	for i, o := range options[of] {
		names[i] = o.Name
	}
	return names
}
