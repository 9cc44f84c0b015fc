// Package jsonfn computes BigQuery's JSON_QUERY and JSON_VALUE over text.
//
// Both read the text only as far as the value asked for: an open object or garbage behind the value does no harm, as in
// BigQuery (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/json_functions). A text that cannot be
// read up to the value gives SQL NULL; a malformed path is an error. Functions are pure and safe for concurrent use.
package jsonfn

// Query is JSON_QUERY(text, path): the value as compact JSON text, strings with their quotes, keys in their order. ok is
// false for SQL NULL: no such value, JSON null, or a text that cannot be read.
func Query(text, path string) (json string, ok bool, err error) {
	steps, err := parsePath(path)
	if err != nil {
		return "", false, err
	}
	r := reader{s: text}
	if !r.find(steps) {
		return "", false, nil
	}
	json, ok = r.compact()
	return json, ok, nil
}

// Value is JSON_VALUE(text, path): a string without its quotes, or the text of a number or boolean. ok is false for SQL
// NULL: no such value, an object or array, JSON null, or a text that cannot be read.
func Value(text, path string) (value string, ok bool, err error) {
	steps, err := parsePath(path)
	if err != nil {
		return "", false, err
	}
	r := reader{s: text}
	if !r.find(steps) {
		return "", false, nil
	}
	value, ok = r.content()
	return value, ok, nil
}
