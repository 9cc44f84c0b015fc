// Package emulate puts our own engine behind a fake Vertex AI, and a fake Vertex AI behind .test files.
//
// [Models] serves SavedModels as custom endpoints and as the embedding model of a [vertextest.Server]; `mallard emulate` is that server on
// a port. A [Suite] gives every .test file a server of its own. Start with [Suite.Begin] as sqllogic.Options.Begin:
//
//	suite := emulate.Suite{Config: cfg}
//	sqllogic.Run(t, "testdata", sqllogic.Options{Begin: suite.Begin})
//
// # In a .test file
//
//	require vertexai
//
// starts a Vertex AI for the file, and leads every connection of the configuration to it, without credentials; a connection DEFAULT is
// added where there is none. It answers as package vertextest says: prompts with an echo, texts with made-up vectors.
//
//	vertexai script
//	{"contains": "duck", "answer": "quack"}
//	{"endpoint": "7", "prediction": [0.1, 0.9]}
//	{"fault": "status", "status": 429, "retryAfter": "1s", "times": 2}
//	{"settings": {"locations": ["us-central1"]}}
//
// says what it shall answer, in the lines of [vertextest.ReadScript]; `vertexai script FILE` reads them from a file. A later script takes
// the place of an earlier one, but settings stay.
//
//	vertexai endpoint ID FOLDER
//
// serves a SavedModel as custom endpoint ID, with TensorFlow.
//
//	vertexai replay FILE
//
// answers from a record of real traffic, which `mallard emulate -record` writes. A request that the record does not hold fails the file,
// which names it.
//
//	query TI
//	SELECT request->>'$.generationConfig.topP', status FROM __REQUESTS__
//	----
//	0.95	200
//
// __REQUESTS__ is a table of the requests so far: seq, transport (rest or grpc), method, path, header (JSON), authorized, request (JSON),
// rows, tokens, status. ${REQUESTS} is the file below it, JSON Lines of [vertextest.LogLine]. `vertexai forget` empties it.
//
//	config
//	[budget]
//	statement_requests = 3
//
// puts a piece of configuration on top, before the first statement; ${VERTEXAI} is the server's base URL in it.
//
// Names of files are relative to the .test file.
package emulate
