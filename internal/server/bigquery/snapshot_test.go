package bigquery_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard/internal/server"
)

// TestExtractIsOfOneMoment: the files of an extract together hold a table as it once was, though it changes while they are written.
func TestExtractIsOfOneMoment(t *testing.T) {
	folder := t.TempDir()
	s := serve(t, func(o *server.Options) {
		o.Config.Buckets = map[string]string{"bucket": folder}
		o.Limits.ExtractFile = 800
	})
	s.dataset("demo")
	write := func(version int) error { // of another number of rows each
		_, err := s.query(fmt.Sprintf("CREATE OR REPLACE TABLE demo.t AS SELECT %d AS v FROM UNNEST(GENERATE_ARRAY(1, %d))", version, 500+version))
		return err
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		for version := 1; ; version++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := write(version % 100); err != nil {
				ended <- err
				return
			}
		}
	}()
	for n := range 10 {
		j := s.insert(&api.Job{Configuration: &api.JobConfiguration{Extract: &api.JobConfigurationExtract{
			SourceTable:    &api.TableReference{DatasetId: "demo", TableId: "t"},
			DestinationUri: fmt.Sprintf("gs://bucket/%d-*.csv", n), PrintHeader: new(bool),
		}}})
		if e := j.Status.ErrorResult; e != nil {
			t.Errorf("extract %d: %+v", n, e)
			continue
		}
		files, err := filepath.Glob(filepath.Join(folder, fmt.Sprintf("%d-*.csv", n)))
		if err != nil || len(files) < 2 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		var rows []string
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, strings.Fields(string(text))...)
		}
		versions := map[string]int{}
		for _, r := range rows {
			versions[r]++
		}
		if of := 0; len(versions) == 1 {
			if _, err := fmt.Sscan(rows[0], &of); err != nil || len(rows) != 500+of {
				t.Errorf("extract %d: %d rows of version %d, %v", n, len(rows), of, err)
			}
		} else {
			t.Errorf("extract %d has rows of several versions: %v", n, versions)
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
