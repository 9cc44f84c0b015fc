package functiontable

import "slices"

// The families of models that the arguments of functions know.
const (
	gemini          = "Gemini"
	claude          = "Claude"
	llama           = "Llama"
	mistral         = "Mistral"
	open            = "open"
	openAI          = "OpenAI-compatible"
	textEmbedding   = "text embedding"
	geminiEmbedding = "Gemini embedding"
	embedContent    = "Gemini embedding 2"
	multimodal      = "multimodal embedding"
	openAIEmbedding = "OpenAI-compatible embedding"
)

const (
	anImage   = "; an image is what ML.DECODE_IMAGE gives"
	aVector   = "; a vector is an ARRAY<FLOAT64>, or an ARRAY<STRUCT<key STRING, value FLOAT64>>, both of one kind"
	aRef      = "; an ObjectRef is the column ref of an object table, or what OBJ.MAKE_REF gives"
	textModel = "a text model"
	embedding = "an embedding model"
	objectRef = "STRUCT<uri STRING, version STRING, authorizer STRING, details JSON>"
	vector    = "ARRAY<FLOAT64>"
	syntax    = "bigqueryml-syntax-" // how the pages of ML functions begin
	objects   = "objectref_functions#obj"
)

// named makes an argument that is given by name and may be left out.
func named(name, of, doc string, models ...string) Argument {
	return Argument{Name: name, Type: of, Named: true, Optional: true, Models: models, Doc: doc}
}

// single is named, of a parameter that model_params replaces.
func single(name, of, doc string, models ...string) Argument {
	a := named(name, of, doc, models...)
	a.Single = true
	return a
}

var (
	flatten     = named("flatten_json_output", "BOOL", "parts of the answer in columns of their own, not the response as JSON")
	modelParams = named("model_params", "STRING", "a JSON object: the request's body without its contents")
	requestType = named("request_type", "STRING", "'DEDICATED', 'SHARED' or 'UNSPECIFIED'", gemini, openAI)
	schema      = named("output_schema", "STRING", "columns and types, such as 'title STRING, year INT64'")
	endpoint    = named("endpoint", "STRING", "a model's name or URL")
	connection  = named("connection_id", "STRING", "a connection of the configuration; the default one when left out")
	dimensions  = named("output_dimensionality", "INT64",
		"1 to 768 (text embedding), 1 to 3,072 (Gemini), 128, 256, 512 or 1,408 (multimodal)",
		textEmbedding, geminiEmbedding, embedContent, multimodal, openAIEmbedding)
	title    = named("title", "STRING", "of the document")
	taskType = named("task_type", "STRING", "'RETRIEVAL_QUERY', 'RETRIEVAL_DOCUMENT', 'SEMANTIC_SIMILARITY', 'CLASSIFICATION', 'CLUSTERING', "+
		"'QUESTION_ANSWERING', 'FACT_VERIFICATION' or 'CODE_RETRIEVAL_QUERY'", textEmbedding, geminiEmbedding, embedContent)

	text = []Argument{
		single("max_output_tokens", "INT64", "1 to 8,192 (Gemini) or 4,096; 1,024 when left out"),
		single("temperature", "FLOAT64", "0 to 1", gemini, llama, mistral, open, openAI),
		single("top_p", "FLOAT64", "0 to 1"),
		single("top_k", "INT64", "1 to 40", gemini, claude, open, openAI),
		single("stop_sequences", "ARRAY<STRING>", "at most 5", gemini, llama, mistral, openAI),
		single("ground_with_google_search", "BOOL", "whether the model may search", gemini, openAI),
		single("safety_settings", "ARRAY<STRUCT<category STRING, threshold STRING>>", "thresholds of harm", gemini),
		requestType,
		named("use_chat_mode", "BOOL", "the form of the request; both are tried when left out", open),
		modelParams,
		named("prompt", "STRING", "what to ask of each object; needed over an object table", gemini, openAI),
	}
	embeddings = []Argument{
		taskType,
		dimensions,
		named("start_second", "FLOAT64", "0 to 120, with end_second: the part of a video", multimodal),
		named("end_second", "FLOAT64", "0 to 120, with start_second", multimodal),
		named("interval_seconds", "FLOAT64", "4 to below 120: how long a segment of a video is", multimodal),
	}
	prompt = Argument{Name: "prompt", Type: "STRING", Doc: "a text, or a tuple or STRUCT of texts and ObjectRefs"}
	image  = Argument{Name: "image", Type: "BYTES", Doc: "what ML.DECODE_IMAGE gives"}
	ref    = Argument{Name: "ref", Type: objectRef}
	pair   = []Argument{{Name: "a", Type: vector}, {Name: "b", Type: vector}}
)

// functions is the table. The order of arguments is that of a call.
var functions = slices.Concat(modelFunctions, askingFunctions, scalarFunctions, tableFunctions, systemFunctions)

var modelFunctions = []Function{
	{Name: "ML.PREDICT", Kind: Model, Plain: "ML_PREDICT", Models: "any model that is imported, or on a custom endpoint",
		Args: []Argument{named("threshold", "FLOAT64", "read, without effect"), named("keep_original_columns", "BOOL", "read, without effect"),
			named("trial_id", "INT64", "read, without effect")},
		Result: "the model's outputs, then the columns of the input", Doc: "predicts a row at a time", Page: syntax + "predict"},
	{Name: "ML.GENERATE_TEXT", Kind: Model, Plain: "ML_GENERATE_TEXT", Models: textModel,
		Args:   slices.Concat(text, []Argument{flatten}),
		Result: "the answer and its status, then the columns of the input", Doc: "asks a model for a text", Page: syntax + "generate-text"},
	{Name: "AI.GENERATE_TEXT", Kind: Model, Models: textModel, Args: text,
		Result: "result, full_response and status, then the columns of the input", Doc: "asks a model for a text",
		Page: syntax + "ai-generate-text"},
	{Name: "AI.GENERATE_TABLE", Kind: Model, Models: gemini, Args: slices.Concat(text, []Argument{schema}),
		Result: "the columns of output_schema, full_response and status, then the columns of the input",
		Doc:    "asks a model for columns", Page: syntax + "ai-generate-table"},
	{Name: "ML.GENERATE_EMBEDDING", Kind: Model, Plain: "ML_GENERATE_EMBEDDING",
		Models: embedding + ", or an imported model with one string input and one vector output",
		Args:   slices.Concat(embeddings, []Argument{flatten}),
		Result: "the embedding and its status, then the columns of the input", Doc: "makes an embedding of a text or an object",
		Page: syntax + "generate-embedding"},
	{Name: "AI.GENERATE_EMBEDDING", Kind: Model, Models: embedding, Args: embeddings,
		Result: "embedding and status, then the columns of the input", Doc: "makes an embedding of a text or an object",
		Page: syntax + "ai-generate-embedding"},
}

var askingFunctions = []Function{
	{Name: "AI.GENERATE", Kind: Asking, Models: gemini, Args: []Argument{prompt, endpoint, connection, modelParams, schema,
		requestType},
		Result: "STRUCT<result STRING, full_response JSON, status STRING>", Doc: "asks an endpoint for a text", Page: syntax + "ai-generate"},
	generate("BOOL", "BOOL", "a truth value"),
	generate("INT", "INT64", "a whole number"),
	generate("DOUBLE", "FLOAT64", "a number"),
	{Name: "AI.IF", Kind: Asking, Models: gemini, Args: []Argument{prompt, endpoint, connection},
		Result: "BOOL", Doc: "whether a condition in plain words holds", Page: syntax + "ai-if"},
	{Name: "AI.SCORE", Kind: Asking, Models: gemini, Args: []Argument{prompt, endpoint, connection},
		Result: "FLOAT64", Doc: "a score by a scale in plain words", Page: syntax + "ai-score"},
	{Name: "AI.CLASSIFY", Kind: Asking, Models: gemini,
		Args: []Argument{{Name: "input", Type: "STRING", Doc: prompt.Doc}, named("categories", "ARRAY<STRING>",
			"constants, or tuples of a category and what it means"),
			endpoint, connection},
		Result: "STRING", Doc: "the one of the categories that suits", Page: syntax + "ai-classify"},
	{Name: "AI.EMBED", Kind: Asking, Models: embedding,
		Args:   []Argument{{Name: "content", Type: "STRING"}, endpoint, connection, modelParams, dimensions, taskType, title},
		Result: "STRUCT<result ARRAY<FLOAT64>, status STRING>", Doc: "makes an embedding of a text", Page: syntax + "ai-embed"},
	{Name: "AI.SIMILARITY", Kind: Asking, Models: embedding,
		Args: []Argument{{Name: "content1", Type: "STRING"}, {Name: "content2", Type: "STRING"}, endpoint, connection, modelParams, dimensions,
			taskType, title},
		Result: "FLOAT64", Doc: "the cosine of the embeddings of two texts", Page: syntax + "ai-similarity"},
}

func generate(suffix, result, what string) Function {
	return Function{Name: "AI.GENERATE_" + suffix, Kind: Asking, Models: gemini,
		Args:   []Argument{prompt, endpoint, connection, modelParams, requestType},
		Result: "STRUCT<result " + result + ", full_response JSON, status STRING>", Doc: "asks an endpoint for " + what,
		Page: syntax + "ai-generate"}
}

var scalarFunctions = []Function{
	{Name: "ML.DECODE_IMAGE", Kind: Scalar, Plain: "ml_decode_image", Args: []Argument{{Name: "bytes", Type: "BYTES"}},
		Result: "BYTES", Doc: "an image of the bytes of a JPEG, PNG or BMP file, with values 0 to 1", Page: syntax + "decode-image",
		Takes: "the bytes of an image", Tip: "; bytes are data of an object table, object_bytes(uri), or another BLOB"},
	{Name: "ML.RESIZE_IMAGE", Kind: Scalar, Plain: "ml_resize_image",
		Args:   []Argument{image, {Name: "height", Type: "INT64"}, {Name: "width", Type: "INT64"}, {Name: "preserve_aspect_ratio", Type: "BOOL"}},
		Result: "BYTES", Doc: "the image in another size", Page: syntax + "resize-image",
		Takes: "an image, height, width, preserve_aspect_ratio", Tip: anImage + ", height and width are INT64"},
	{Name: "ML.CONVERT_COLOR_SPACE", Kind: Scalar, Plain: "ml_convert_color_space",
		Args:   []Argument{image, {Name: "color_space", Type: "STRING", Doc: "'HSV', 'GRAYSCALE', 'YIQ' or 'YUV'"}},
		Result: "BYTES", Doc: "the image in another color space", Page: syntax + "convert-color-space",
		Takes: "an image and 'HSV', 'GRAYSCALE', 'YIQ' or 'YUV'", Tip: anImage},
	{Name: "ML.CONVERT_IMAGE_TYPE", Kind: Scalar, Plain: "ml_convert_image_type", Args: []Argument{image},
		Result: "BYTES", Doc: "the image with whole numbers, 0 to 255", Page: syntax + "convert-image-type", Takes: "an image", Tip: anImage},
	{Name: "ML.DISTANCE", Kind: Scalar, Plain: "ml_distance",
		Args:   slices.Concat(pair, []Argument{{Name: "type", Type: "STRING", Optional: true, Doc: "'EUCLIDEAN', 'MANHATTAN' or 'COSINE'"}}),
		Result: "FLOAT64", Doc: "how far two vectors are apart", Page: syntax + "distance",
		Takes: "two vectors and perhaps 'EUCLIDEAN', 'MANHATTAN' or 'COSINE'", Tip: aVector},
	{Name: "COSINE_DISTANCE", Kind: Scalar, Plain: "cosine_distance", Args: pair, Result: "FLOAT64",
		Doc:  "one less the cosine of two vectors",
		Page: "mathematical_functions#cosine_distance", Takes: "two vectors", Tip: aVector},
	{Name: "EUCLIDEAN_DISTANCE", Kind: Scalar, Plain: "euclidean_distance", Args: pair, Result: "FLOAT64",
		Doc:  "the length of the difference of two vectors",
		Page: "mathematical_functions#euclidean_distance", Takes: "two vectors", Tip: aVector},
	{Name: "OBJ.MAKE_REF", Kind: Scalar, Plain: "obj_make_ref",
		Args: []Argument{{Name: "uri", Type: "STRING", Doc: "or JSON, or an ObjectRef"}, {Name: "authorizer", Type: "STRING", Optional: true},
			named("version", "STRING", "the generation"), named("details", "JSON", "what is known of the object")},
		Result: objectRef, Doc: "an ObjectRef, without a look at the object", Page: objects + "make_ref",
		Takes: "a URI and the name of a connection, or JSON", Tip: "; the URI is a STRING, such as 'gs://bucket/name'"},
	{Name: "OBJ.FETCH_METADATA", Kind: Scalar, Plain: "obj_fetch_metadata", Args: []Argument{ref},
		Result: objectRef, Doc: "the ObjectRef with version and details filled in", Page: objects + "fetch_metadata", Takes: "an ObjectRef",
		Tip: aRef},
	{Name: "OBJ.GET_ACCESS_URL", Kind: Scalar, Plain: "obj_get_access_url",
		Args: []Argument{ref, {Name: "mode", Type: "STRING", Doc: "'r' or 'rw'"},
			{Name: "duration", Type: "INTERVAL", Optional: true, Doc: "30 minutes to 6 hours"}},
		Result: "JSON", Doc: "signed URLs of an object", Page: objects + "get_access_url",
		Takes: "an ObjectRef, 'r' or 'rw', and perhaps how long", Tip: aRef},
	{Name: "OBJ.GET_READ_URL", Kind: Scalar, Plain: "obj_get_read_url", Args: []Argument{ref},
		Result: "STRUCT<url STRING, status STRING>", Doc: "a URL that reads an object for 45 minutes", Page: objects + "get_read_url",
		Takes: "an ObjectRef", Tip: aRef},
}

var tableFunctions = []Function{
	{Name: "VECTOR_SEARCH", Kind: Table,
		Args: []Argument{{Name: "base_table", Type: "TABLE"}, {Name: "column_to_search", Type: "STRING"},
			{Name: "query_table", Type: "TABLE", Optional: true, Doc: "or query_value"}, named("query_column_to_search", "STRING", ""),
			named("query_value", vector, "in place of a query table"), named("top_k", "INT64", "10 when left out; a negative number for all"),
			named("distance_type", "STRING", "'EUCLIDEAN', 'COSINE' or 'DOT_PRODUCT'"), named("options", "STRING", "read, without effect")},
		Result: "query, base and distance", Doc: "the nearest rows of a table, exactly", Page: "search_functions#vector_search"},
	{Name: "EXTERNAL_OBJECT_TRANSFORM", Kind: Table,
		Args:   []Argument{{Name: "table", Type: "TABLE"}, {Name: "transforms", Type: "ARRAY<STRING>", Doc: "['SIGNED_URL']"}},
		Result: "the object table with a column signed_url STRING", Doc: "an object table with signed URLs",
		Page: "table-functions-built-in#external_object_transform"},
	{Name: "RANGE_SESSIONIZE", Kind: Table,
		Args: []Argument{{Name: "table", Type: "TABLE"}, {Name: "range_column", Type: "STRING"},
			{Name: "partitioning_columns", Type: "ARRAY<STRING>"},
			{Name: "sessionize_option", Type: "STRING", Optional: true, Doc: "'MEETS' when left out, or 'OVERLAPS'"}},
		Result: "the table with a column session_range", Doc: "ranges that meet or overlap, as sessions",
		Page: "range-functions#range_sessionize"},
}

var systemFunctions = []Function{
	{Name: "ml_models", Kind: System, Plain: "ml_models", Result: "a row for each model", Doc: "the models of the database"},
	{Name: "ml_model_info", Kind: System, Plain: "ml_model_info", Args: []Argument{{Name: "model", Type: "STRING"}},
		Result: "a row for each input and output", Doc: "what a model takes and gives"},
	{Name: "ml_estimate", Kind: System, Plain: "ml_estimate", Args: []Argument{{Name: "query", Type: "STRING"}},
		Result: "a row for each call of a remote model", Doc: "what a query would ask and cost"},
	{Name: "ml_usage", Kind: System, Plain: "ml_usage", Result: "a row for each remote model",
		Doc: "what was asked since the database was opened"},
	{Name: "ml_connections", Kind: System, Plain: "ml_connections", Result: "a row for each connection",
		Doc: "the connections of the configuration, what they lack and what was asked of them"},
	{Name: "ml_budget", Kind: System, Plain: "ml_budget", Result: "a row for each bound",
		Doc: "what may be asked of remote models, and what was"},
	{Name: "ml_cache", Kind: System, Plain: "ml_cache", Result: "a row for each answer", Doc: "the answers that are kept"},
	{Name: "ml_cache_clear", Kind: System, Plain: "ml_cache_clear", Result: "STRING", Doc: "forgets the answers that are kept"},
	{Name: "object_table", Kind: System, Plain: "object_table", Args: []Argument{{Name: "uris", Type: "ARRAY<STRING>"}},
		Result: "a row for each object", Doc: "objects of buckets and folders"},
	{Name: "gcs_objects", Kind: System, Plain: "gcs_objects", Args: []Argument{{Name: "uri", Type: "STRING"}},
		Result: "a row for each object", Doc: "objects of one pattern"},
	{Name: "object_bytes", Kind: System, Plain: "object_bytes",
		Args: []Argument{{Name: "uri", Type: "STRING", Doc: "or an ObjectRef"}, {Name: "generation", Type: "INT64", Optional: true},
			{Name: "connection", Type: "STRING", Optional: true}}, Result: "BYTES", Doc: "an object's bytes"},
	{Name: "ml_image_struct", Kind: System, Plain: "ml_image_struct", Args: []Argument{image},
		Result: "STRUCT<ARRAY<INT64>, ARRAY<FLOAT64>>", Doc: "the shape and the pixels of an image"},
}
