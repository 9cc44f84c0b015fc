package bigquery_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	api "google.golang.org/api/bigquery/v2"
)

// TestTogether: requests of all kinds run side by side on one database, and none is refused for another's sake.
func TestTogether(t *testing.T) {
	const clients, rounds = 8, 3
	s := serve(t)
	s.dataset("shared")
	s.must("CREATE TABLE shared.rows (client INT64, n INT64)")
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for n := range rounds {
				if err := s.round(i, n); err != nil {
					t.Errorf("client %d, round %d: %v", i, n, err)
				}
			}
		})
	}
	all.Wait()
	if got, want := texts(s.must("SELECT COUNT(*), COUNT(DISTINCT client) FROM shared.rows").Rows), fmt.Sprintf("%d,%d", clients*rounds*2, clients); got != want {
		t.Errorf("rows: %s, want %s", got, want)
	}
	list, err := s.Datasets.List(project).Do()
	if err != nil || len(list.Datasets) != 1 {
		t.Errorf("datasets: %+v, %v", list, err)
	}
}

// round is what a client asks in a round.
func (s *served) round(client, n int) error {
	dataset := fmt.Sprintf("own_%d", client)
	if _, err := s.Datasets.Insert(project, &api.Dataset{DatasetReference: &api.DatasetReference{DatasetId: dataset}, Labels: map[string]string{"a": "b"}}).Do(); err != nil {
		return err
	}
	if _, err := s.Tables.Insert(project, dataset, &api.Table{TableReference: &api.TableReference{TableId: "t"}, Schema: &api.TableSchema{
		Fields: []*api.TableFieldSchema{{Name: "a", Type: "INTEGER", Description: "d"}}}}).Do(); err != nil {
		return err
	}
	rows, err := s.Tabledata.InsertAll(project, "shared", "rows", &api.TableDataInsertAllRequest{Rows: []*api.TableDataInsertAllRequestRows{
		{Json: map[string]api.JsonValue{"client": client, "n": n}}}}).Do()
	if err != nil || len(rows.InsertErrors) > 0 {
		return fmt.Errorf("insertAll: %v, %+v", err, rows)
	}
	for _, sql := range []string{
		fmt.Sprintf("INSERT INTO shared.rows (client, n) VALUES (%d, %d)", client, n),
		fmt.Sprintf("INSERT INTO %s.t (a) SELECT x FROM UNNEST(GENERATE_ARRAY(1, 100)) AS x", dataset),
	} {
		if _, err := s.query(sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	j, err := s.Jobs.Insert(project, &api.Job{Configuration: &api.JobConfiguration{Query: &api.JobConfigurationQuery{
		Query: "SELECT a FROM " + dataset + ".t ORDER BY a"}}}).Do()
	if err != nil {
		return err
	}
	seen := 0
	err = s.Jobs.GetQueryResults(project, j.JobReference.JobId).MaxResults(30).Pages(s.t.Context(), func(r *api.GetQueryResultsResponse) error {
		if !r.JobComplete {
			return fmt.Errorf("it takes longer than ten seconds")
		}
		seen += len(r.Rows)
		return nil
	})
	if err != nil || seen != 100 {
		return fmt.Errorf("%d rows: %w", seen, err)
	}
	if _, err := s.Tables.List(project, dataset).Do(); err != nil {
		return err
	}
	if _, err := s.Datasets.List(project).Do(); err != nil {
		return err
	}
	if _, err := s.query("SELECT nope"); err == nil || !strings.Contains(err.Error(), "nope") {
		return fmt.Errorf("a wrong query: %w", err)
	}
	return s.Datasets.Delete(project, dataset).DeleteContents(true).Do()
}
