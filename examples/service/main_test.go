package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestService(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	db, err := open("")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const create = "CREATE MODEL titles OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='../../testdata/models/text_classifier/*')"
	if _, err := db.ExecContext(t.Context(), create); err != nil {
		t.Fatal(err)
	}
	if _, err := newClassifier(t.Context(), db, "nothing"); err == nil {
		t.Error("a model that is not there is prepared")
	}
	c, err := newClassifier(t.Context(), db, "titles")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server := httptest.NewServer(c.handler())
	defer server.Close()
	ask := func(body string) (status int, list []answer) {
		r, err := http.Post(server.URL+"/classify", "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		defer r.Body.Close()
		_ = json.NewDecoder(r.Body).Decode(&list) // an error is no JSON
		return r.StatusCode, list
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			// The classes are those of TensorFlow's own answers, testdata/models/text_classifier.json.
			status, list := ask(`{"texts": ["duck", "tabs\tand\nnewlines\r\nhere"]}`)
			if status != http.StatusOK || len(list) != 2 || list[0].Class != 0 || list[1].Class != 1 {
				t.Errorf("%d %v", status, list)
			}
		})
	}
	group.Wait()
	if status, list := ask(`{"texts": []}`); status != http.StatusOK || len(list) != 0 {
		t.Errorf("no texts: %d %v", status, list)
	}
	if status, _ := ask(`{"texts": 7}`); status != http.StatusBadRequest {
		t.Errorf("a wrong body: %d", status)
	}
}
