// Package functions holds the SQL functions that Mallard adds to DuckDB: vectors in, vectors out.
//
// It knows DuckDB's vectors and nothing of TensorFlow, catalogs or configuration: a model reaches it as a [Model] with an
// [Engine], the running statement as a [Query], and both through the [Host] that package extension implements. Start with
// [RegisterPredict], and write calls with [Model.PredictSQL].
//
// # Types
//
// The types of a model's outputs follow [Native] or [BigQuery]. Inputs are checked at bind against our own table and not
// DuckDB's casts: any number into a float port, integers into integer ports (range-checked while running), text, BLOB and
// ENUM into string ports, lists or arrays of these for ports of a higher rank.
//
// # Images
//
// A port of shape [None, height, width, channels] also takes images: a BLOB in the compact form of package image, which is
// written to the tensor as it is read, or the STRUCT of its shape and its pixels that BigQuery shows. A decoded image feeds a float
// port with byte/255 and is refused by an integer port until ML.CONVERT_IMAGE_TYPE has made whole numbers of it; these
// feed both kinds as they are, 0 to 255. Where the model leaves height or width open, images of equal size run together.
// The inputs of a run take up to 32 MB, and an input query of images is never held whole. See
// https://docs.cloud.google.com/bigquery/docs/object-table-inference.
//
// # NULLs
//
// A row with a NULL in any input, or in an element of one, is not inferred and its outputs are NULL.
//
// # Batches
//
// A cheap model gets each chunk whole, as it lies. A model that takes more than some microseconds a row gets texts sorted by
// length, in batches of a size that its first rows have shown to be good, spread over idle processors; equal rows of a chunk
// are inferred once. OPTIONS(batch_size) overrides the measurement.
//
// # Cancellation
//
// DuckDB's C API cannot be asked whether a query was interrupted, so the context of the statement's [Query] is looked at
// before each sub-batch, and a sub-batch is kept under a quarter of a second by measured cost.
package functions
