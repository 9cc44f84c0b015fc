package bigquery

import (
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
)

// TestNulls: a null among messages is an error of the request's, wherever the list is; a null elsewhere is a field that is not there.
func TestNulls(t *testing.T) {
	for _, bad := range []string{
		`{"configuration": {"copy": {"sourceTables": [null], "destinationTable": {"tableId": "x"}}}}`,
		`{"configuration": {"copy": {"sourceTables": [{"tableId": "a"}, null]}}}`,
		`{"configuration": {"query": {"connectionProperties": [null]}}}`, `{"configuration": {"query": {"queryParameters": [null]}}}`,
		`{"configuration": {"query": {"schemaUpdateOptions": [], "queryParameters": [{"parameterType": {"structTypes": [null]}}]}}}`,
		`{"configuration": {"load": {"schema": {"fields": [{"name": "a", "fields": [null]}]}}}}`,
	} {
		var j api.Job
		if err := decode([]byte(bad), &j); err == nil || !strings.Contains(err.Error(), "null") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, good := range []string{
		`{"configuration": null}`, `{"configuration": {"copy": {"sourceTables": null, "sourceTable": null}}}`,
		`{"configuration": {"query": {"queryParameters": [{"parameterValue": {"arrayValues": [null, {"value": null}]}}]}}}`,
	} {
		var j api.Job
		if err := decode([]byte(good), &j); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}
