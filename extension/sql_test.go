package extension_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fsouza/fake-gcs-server/fakestorage"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/connectors/tensorflow"
	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/extension/emulate"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/googlesql/analyzer/native"
	"github.com/mallardml/mallard/internal/googlesql/installed"
	"github.com/mallardml/mallard/internal/googlesql/installed/installedtest"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/sqllogic"
)

var update = flag.Bool("update", false, "rewrite the expected results of .test files")

// TestMain demands that no test leaves a goroutine or a TensorFlow handle behind.
func TestMain(m *testing.M) {
	extension.RunWorker()
	flag.Parse()
	leak.MainClosing(m, native.Close, func() error {
		var errs []error
		for kind, n := range tensorflow.Live() {
			if n != 0 {
				errs = append(errs, fmt.Errorf("TensorFlow handles left open: %d of kind %v", n, kind))
			}
		}
		return errors.Join(errs...)
	})
}

// models is the folder of the tiny models, as an absolute path.
func models(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// images is the folder of the images, as an absolute path.
func images(t testing.TB) string { return filepath.Join(models(t), "..", "images") }

// config gives every test a model store of its own, and the project that the tutorials call PROJECT_ID.
func config(t testing.TB) *mallard.Config {
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	cfg.BigQuery.Project = "my-project"
	return cfg
}

// open opens a database; "" is one in memory.
func open(t testing.TB, dsn string, cfg *mallard.Config) *sql.DB {
	t.Helper()
	c, err := extension.NewConnector(dsn, extension.Options{Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return openConnector(t, c)
}

// openConnector opens the database of a connector, and closes both at the end of the test.
func openConnector(t testing.TB, c *extension.Connector) *sql.DB {
	t.Helper()
	db := sql.OpenDB(c)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// openGoogleSQL opens a database in memory whose statements are GoogleSQL, and skips the test where no analyzer is installed.
func openGoogleSQL(t testing.TB) *sql.DB {
	t.Helper()
	installedtest.Need(t)
	c, err := extension.NewConnector("", extension.Options{Config: config(t), Dialect: dialect.GoogleSQL})
	if err != nil {
		t.Fatal(err)
	}
	return openConnector(t, c)
}

// exec runs statements and fails the test when one fails.
func exec(t testing.TB, db interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s\n%v", s, err)
		}
	}
}

// one gives the single value of a query.
func one[T any](t testing.TB, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, query string, args ...any) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s\n%v", query, err)
	}
	return v
}

// answers are those of the local Vertex AI that the .test files and the documentation share.
func answers() vertextest.Options {
	return vertextest.Options{
		Script: []vertextest.Rule{
			{Contains: "say duck", Answer: "quack"},
			{URI: "barque.jpg", Answer: "```json\n{\n \"title\": \"Barque sortant du port\",\n \"year\": 1895\n}\n```"},
			{URI: "little_annie_rooney.jpg", Answer: "```json\n{\n \"title\": \"Little Annie Rooney\",\n \"year\": 1912\n}\n```"},
		},
		Endpoints: map[string]vertextest.Predictor{"768": func(_ context.Context, in []any, _ any) ([]any, error) {
			out := make([]any, len(in))
			for i, v := range in {
				out[i] = vertextest.Vector("bert", fmt.Sprint(v), 768)
			}
			return out, nil
		}},
	}
}

// storage starts a local Cloud Storage with the posters of the image tutorial and two models.
func storage(t testing.TB) string {
	var objects []fakestorage.Object
	for _, name := range []string{"barque.jpg", "little_annie_rooney.jpg"} {
		objects = append(objects, fakestorage.Object{Content: []byte("a poster"), ObjectAttrs: fakestorage.ObjectAttrs{
			BucketName: "cloud-samples-data", Name: "vertex-ai/dataset-management/datasets/classic-movie-posters/" + name, ContentType: "image/jpeg",
		}})
	}
	root := models(t)
	for _, model := range []string{"text_classifier", "nnlm_like"} {
		err := filepath.WalkDir(filepath.Join(root, model), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			name := strings.TrimPrefix(filepath.ToSlash(path), filepath.ToSlash(root)+"/")
			objects = append(objects, fakestorage.Object{Content: b, ObjectAttrs: fakestorage.ObjectAttrs{BucketName: "cloud-training-demos", Name: "models/" + name}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := fakestorage.NewServerWithOptions(fakestorage.Options{InitialObjects: objects, Scheme: "http", Host: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s.URL()
}

// TestSQL runs the .test files of testdata against databases that speak ML, each with a Vertex AI of its own where it wants one.
func TestSQL(t *testing.T) {
	cfg := config(t)
	// Nothing listens there: a file that asks a model must require vertexai.
	c := mallard.ConnectionConfig{Project: "my-project", Location: "us-central1", BaseURL: "http://127.0.0.1:1", Auth: "none", StorageEndpoint: storage(t)}
	cfg.Connections = map[string]mallard.ConnectionConfig{"default": c, "my-connection": c}
	suite := emulate.Suite{Config: cfg, Server: answers()}
	o := sqllogic.Options{
		Begin: suite.Begin,
		Require: func(name string) (bool, string) {
			if name == "googlesql" {
				_, err := installed.Find("")
				return err == nil, fmt.Sprint(err)
			}
			return name == "tensorflow" || name == "storage", ""
		},
		Vars:   map[string]string{"MODELS": models(t), "IMAGES": images(t)},
		Update: *update,
	}
	sqllogic.Run(t, "../testdata", o)
}
