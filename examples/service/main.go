// Command service answers POST /classify with what a model in a DuckDB file says of each text.
//
//	go run ./examples/service sales.db demo.titles
//	curl localhost:8080/classify -d '{"texts": ["What is BigQuery?"]}'
//
// The model takes a text called input and gives a vector called dense_1, as testdata/models/text_classifier does.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: service DATABASE MODEL")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, "localhost:8080", os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// serve answers until ctx ends, and then lets requests that run end.
func serve(ctx context.Context, addr, database, model string) (err error) {
	db, err := open(database)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := newClassifier(ctx, db, model)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	server := &http.Server{Addr: addr, Handler: c.handler(), ReadHeaderTimeout: 5 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(last)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// open gives a pool over a database. The model and its TensorFlow session are shared by all connections, which use all cores by
// themselves: a few connections are enough.
func open(database string) (*sql.DB, error) {
	connector, err := mallard.NewConnector(database, mallard.Options{})
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(max(2, runtime.GOMAXPROCS(0)))
	db.SetMaxIdleConns(max(2, runtime.GOMAXPROCS(0)))
	return db, nil
}

// classifier asks one model. It is safe for concurrent use.
type classifier struct{ ask *sql.Stmt }

// newClassifier prepares the question: a model that is not there, or has other columns, is told now and not by the first request.
func newClassifier(ctx context.Context, db *sql.DB, model string) (*classifier, error) {
	ask, err := db.PrepareContext(ctx, "SELECT input, dense_1 FROM ML.PREDICT(MODEL "+model+", (SELECT unnest(?::VARCHAR[]) AS input))")
	if err != nil {
		return nil, err
	}
	return &classifier{ask}, nil
}

func (c *classifier) Close() error { return c.ask.Close() }

type answer struct {
	Text  string    `json:"text"`
	Class int       `json:"class"`
	Of    []float64 `json:"probabilities"`
}

// classify asks once for all texts: a batch is what a model is fast at.
func (c *classifier) classify(ctx context.Context, texts []string) (list []answer, err error) {
	rows, err := c.ask.QueryContext(ctx, texts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a answer
		var scores duckdb.Composite[[]float64]
		if err := rows.Scan(&a.Text, &scores); err != nil {
			return nil, err
		}
		a.Of = scores.Get()
		for i, p := range a.Of {
			if p > a.Of[a.Class] {
				a.Class = i
			}
		}
		list = append(list, a)
	}
	return list, rows.Err()
}

func (c *classifier) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /classify", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Texts []string `json:"texts"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
			http.Error(w, fmt.Sprintf("the body is to be {\"texts\": [\"…\"]}: %v", err), http.StatusBadRequest)
			return
		}
		list, err := c.classify(r.Context(), in.Texts) // a client that leaves ends its query
		if err != nil {
			log.Print(err)
			http.Error(w, "the model did not answer", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(list) // the client has gone
	})
	return mux
}
