// Package remote asks models behind an API for the rows of a query: ML.PREDICT over custom endpoints, ML.GENERATE_TEXT,
// ML.GENERATE_EMBEDDING and their AI.* successors.
//
// Start with a [Spec], which says what is asked of which model, [Spec.SQL], which writes the call, and [Spec.Functions],
// which the call needs registered. A running statement is a [dispatch.Statement]; the connection that its requests share with all
// others is a [dispatch.Connection]. The package knows no cloud SDK: a provider is a [Service].
//
// # Chunks
//
// DuckDB hands over at most 2,048 rows at a time, and often one. So a call is a pair of functions: the first takes note of
// every input row while DuckDB materialises the input, the second waits for the answers of the rows that are really
// wanted. Requests are sent when rows are waited for, and read ahead once a scan of everything is under way: borders of
// chunks are no barriers, and LIMIT 5 pays for five rows.
//
// # Rows that fail
//
// A failed row is data: its results are NULL and its status says why, with the texts that BigQuery's re-run scripts match
// (LIKE 'A retryable error occurred:%'). Only what makes every row fail, such as refused credentials before the first
// answer, is an error of the query.
//
// # Paying once
//
// Equal rows of a statement are asked once, and answers go to the [dispatch.Cache] as they arrive. Models asked with a temperature
// above zero are not cached unless [Spec.CacheAlways] says so.
package remote
