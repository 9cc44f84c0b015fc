package main

// job is a model and the rows it is measured on.
type job struct {
	name    string   // of the model
	table   string   // its rows, with a column id
	columns []string // inputs, in the order of the table
	output  string
	width   int  // numbers per row of the output
	text    bool // strings in, rather than float32
	numeric bool // Python is to be beaten by more
	rows    func(o options) int
	batches []int // that the bare loop and Python try
	target  float64
}

var (
	classifier = &job{name: "text_classifier", table: "titles", columns: []string{"input"}, output: "dense_1", width: 3, text: true,
		rows: allRows, batches: fastBatches, target: 1.1}
	embedding = &job{name: "word_embedding", table: "names", columns: []string{"text"}, output: "embedding", width: 50, text: true,
		rows: allRows, batches: fastBatches, target: 1.1}
	perceptron = &job{name: "perceptron", table: "flowers", columns: []string{"sepal_length", "sepal_width", "petal_length", "petal_width"},
		output: "probabilities", width: 3, numeric: true, rows: allRows, batches: fastBatches, target: 1.5}
	transformer = &job{name: "transformer", table: "reviews", columns: []string{"text"}, output: "embedding", width: 192, text: true,
		rows: func(o options) int { return max(o.rows/500, 12) }, batches: []int{16, 32, 64, 256, 1024}, target: 2}
)

var fastBatches = []int{256, 1024, 2048, 4096, 8192, 32768, 131072}

func allRows(o options) int { return o.rows }
