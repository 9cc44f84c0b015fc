package server_test

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mallardml/mallard/internal/server"
)

// Connections that were created and policies that were set are there when the server begins anew; what was deleted is not.
func TestRestart(t *testing.T) {
	db := filepath.Join(t.TempDir(), "db.duckdb")
	const at = "/v1/projects/test-project/locations/us/connections"
	ask := func(t *testing.T, s *server.Server, method, path, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		answer, err := (&http.Client{Transport: tr}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	t.Run("before", func(t *testing.T) {
		s := start(t, server.Options{Database: db})
		for _, id := range []string{"mine", "gone"} {
			ask(t, s, "POST", at+"?connectionId="+id, `{"description": "made", "cloudResource": {}}`)
		}
		ask(t, s, "PATCH", at+"/mine?updateMask=description", `{"description": "changed"}`)
		ask(t, s, "DELETE", at+"/gone", "")
		ask(t, s, "POST", "/v1/projects/test-project:setIamPolicy", `{"policy": {"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}}`)
		ask(t, s, "POST", "/bigquery/v2/projects/test-project/queries", `{"query": "CREATE SCHEMA us; DROP SCHEMA us", "useLegacySql": false}`)
	})
	t.Run("after", func(t *testing.T) {
		s := start(t, server.Options{Database: db})
		if got := ask(t, s, "GET", at, ""); strings.Count(got, `"name"`) != 1 || !strings.Contains(got, "connections/mine") || !strings.Contains(got, "changed") {
			t.Errorf("connections %s", got)
		}
		if got := ask(t, s, "POST", "/v1/projects/test-project:getIamPolicy", "{}"); !strings.Contains(got, "user:a@example.com") {
			t.Errorf("policy %s", got)
		}
	})
}
