package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/server"
)

func TestMain(m *testing.M) { leak.MainClosing(m, native.Close) }

// start runs a server over an empty database.
func start(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	if o.Config == nil {
		o.Config = mallard.DefaultConfig()
	}
	o.Config.Store.Path = t.TempDir()
	o.Listen, o.Project, o.Folder = "localhost:0", "test-project", filepath.Join(t.TempDir(), "files")
	s, err := server.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func post(t *testing.T, s *server.Server, path, body string, into any) {
	t.Helper()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	r, err := (&http.Client{Transport: tr}).Post(s.URL()+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", path, r.Status, text, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

func calls(t *testing.T, s *server.Server) storagepb.BigQueryReadClient {
	t.Helper()
	c, err := grpc.NewClient(strings.TrimPrefix(s.URL(), "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return storagepb.NewBigQueryReadClient(c)
}

// values reads the first column of a table, of INT64.
func values(t *testing.T, c storagepb.BigQueryReadClient, table, filter string) (all []int64, err error) {
	t.Helper()
	session, err := c.CreateReadSession(t.Context(), &storagepb.CreateReadSessionRequest{Parent: "projects/test-project", ReadSession: &storagepb.ReadSession{
		Table: table, DataFormat: storagepb.DataFormat_ARROW, ReadOptions: &storagepb.ReadSession_TableReadOptions{RowRestriction: filter},
	}})
	if err != nil {
		return nil, err
	}
	for _, stream := range session.Streams {
		rows, err := c.ReadRows(t.Context(), &storagepb.ReadRowsRequest{ReadStream: stream.Name})
		if err != nil {
			return nil, err
		}
		for {
			m, err := rows.Recv()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			r, err := ipc.NewReader(bytes.NewReader(append(bytes.Clone(session.GetArrowSchema().SerializedSchema), m.GetArrowRecordBatch().SerializedRecordBatch...)))
			if err != nil {
				return nil, err
			}
			for r.Next() {
				all = append(all, r.RecordBatch().Column(0).(*array.Int64).Int64Values()...)
			}
			r.Release()
		}
	}
	return all, nil
}

// TestStorageRead: the result of a query, a table and a view, as they are and with a condition in GoogleSQL.
func TestStorageRead(t *testing.T) {
	s := start(t, server.Options{})
	post(t, s, "/bigquery/v2/projects/test-project/datasets", `{"datasetReference": {"datasetId": "d"}}`, nil)
	for _, q := range []string{
		"CREATE TABLE d.t AS SELECT x, CONCAT('a', CAST(x AS STRING)) AS s FROM UNNEST(GENERATE_ARRAY(1, 10)) AS x", "CREATE VIEW d.v AS SELECT x * 2 AS y FROM d.t",
	} {
		post(t, s, "/bigquery/v2/projects/test-project/queries", fmt.Sprintf(`{"query": %q, "useLegacySql": false}`, q), nil)
	}
	var reply struct{ JobReference struct{ JobId string } }
	post(t, s, "/bigquery/v2/projects/test-project/queries", `{"query": "SELECT x FROM UNNEST([3, 1, 2]) AS x", "useLegacySql": false}`, &reply)
	var job struct {
		Configuration struct {
			Query struct {
				DestinationTable struct{ ProjectId, DatasetId, TableId string }
			}
		}
	}
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	r, err := (&http.Client{Transport: tr}).Get(s.URL() + "/bigquery/v2/projects/test-project/jobs/" + reply.JobReference.JobId)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if err := json.NewDecoder(r.Body).Decode(&job); err != nil {
		t.Fatal(err)
	}
	d := job.Configuration.Query.DestinationTable
	result := fmt.Sprintf("projects/%s/datasets/%s/tables/%s", d.ProjectId, d.DatasetId, d.TableId)
	c := calls(t, s)
	const at = "projects/test-project/datasets/d/tables/"
	for _, x := range []struct{ table, filter, want string }{
		{result, "", "[3 1 2]"}, {result, "x > 1", "[3 2]"}, {at + "t", "", "[1 2 3 4 5 6 7 8 9 10]"}, {at + "t", "STARTS_WITH(s, 'a1')", "[1 10]"},
		{at + "t", "`x` = SAFE_CAST('7' AS INT64)", "[7]"}, {at + "v", "", "[2 4 6 8 10 12 14 16 18 20]"}, {at + "v", "y > 18", "[20]"},
	} {
		if got, err := values(t, c, x.table, x.filter); err != nil || fmt.Sprint(got) != x.want {
			t.Errorf("%s, %s: %v, %v", x.table, x.filter, got, err)
		}
	}
	for filter, code := range map[string]codes.Code{"nope = 1": codes.InvalidArgument, "x": codes.InvalidArgument, "x = 'a'": codes.InvalidArgument} {
		if _, err := values(t, c, at+"t", filter); status.Code(err) != code {
			t.Errorf("%s: %v", filter, err)
		}
	}
	if _, err := values(t, c, at+"nothing", ""); status.Code(err) != codes.NotFound {
		t.Errorf("no table: %v", err)
	}
}

// TestCallsToken: with a -token, calls without it are refused, too.
func TestCallsToken(t *testing.T) {
	s := start(t, server.Options{Token: "secret"})
	c := calls(t, s)
	for given, code := range map[string]codes.Code{"": codes.Unauthenticated, "Bearer x": codes.Unauthenticated, "Bearer secret": codes.InvalidArgument} {
		ctx, stop := context.WithTimeout(metadata.AppendToOutgoingContext(t.Context(), "authorization", given), time.Minute)
		if _, err := c.CreateReadSession(ctx, &storagepb.CreateReadSessionRequest{}); status.Code(err) != code {
			t.Errorf("%q: %v", given, err)
		}
		stop()
	}
}
