// Many clients at once, each asking for small queries, predictions, uploads and lists in turn: how long each kind took, and what the
// server holds before, during and after by its /metrics. It fails at the first error, at a wrong answer, and where the server keeps
// goroutines or memory. DURATION (default 2m) is how long, CLIENTS (64) how many; the server is that of BIGQUERY_EMULATOR_HOST.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

const dataset = "load_of_clients"

// kinds are what a client asks, each with its share of 20.
var kinds = []struct {
	name  string
	share int
	ask   func(context.Context, *bigquery.Client, *rand.Rand, int) error
}{{"query", 10, query}, {"prediction", 4, predict}, {"upload", 3, upload}, {"list", 3, list}}

// held is what the server says of itself.
type held struct{ goroutines, rss, connections, kept float64 }

func (h held) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f MB, %.0f connections, %.0f jobs kept", h.goroutines, h.rss/1e6, h.connections, h.kept)
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	duration, err := time.ParseDuration(cmp.Or(os.Getenv("DURATION"), "2m"))
	if err != nil {
		return err
	}
	clients, err := strconv.Atoi(cmp.Or(os.Getenv("CLIENTS"), "64"))
	if err != nil {
		return err
	}
	host := cmp.Or(os.Getenv("BIGQUERY_EMULATOR_HOST"), "http://localhost:9050")
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	client, err := bigquery.NewClient(ctx, cmp.Or(os.Getenv("GOOGLE_CLOUD_PROJECT"), "test-project"), option.WithEndpoint(host),
		option.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	if err := prepare(ctx, client); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.Dataset(dataset).DeleteWithContents(ctx)) }()
	transport.CloseIdleConnections()
	before, err := settled(ctx, host)
	if err != nil {
		return err
	}
	fmt.Println("before: ", before)
	took, half, err := together(ctx, client, host, clients, duration)
	for _, k := range kinds {
		if t := took[k.name]; len(t) > 0 {
			slices.Sort(t)
			fmt.Printf("%-10s %7d, median %v, p99 %v\n", k.name, len(t), t[len(t)/2].Round(100*time.Microsecond),
				t[len(t)*99/100].Round(100*time.Microsecond))
		}
	}
	if err != nil {
		return err
	}
	transport.CloseIdleConnections()
	after, err := settled(ctx, host)
	if err != nil {
		return err
	}
	fmt.Println("after:  ", after)
	if after.goroutines > before.goroutines+float64(clients)/2 {
		return errors.New("goroutines stay behind")
	}
	if after.rss > 1.25*half.rss+100e6 {
		return errors.New("memory grows")
	}
	return nil
}

// prepare makes what the clients ask for, and asks once for each, so that what the server makes at first need is there before.
func prepare(ctx context.Context, client *bigquery.Client) error {
	d := client.Dataset(dataset)
	_ = d.DeleteWithContents(ctx) // one that a run before this left
	if err := d.Create(ctx, &bigquery.DatasetMetadata{Location: "US"}); err != nil {
		return err
	}
	for _, text := range []string{
		"CREATE TABLE " + dataset + ".numbers AS SELECT n, MOD(n, 7) AS m, CONCAT('name ', n) AS name FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS n",
		"CREATE MODEL " + dataset + `.classifier OPTIONS (MODEL_TYPE='TENSORFLOW',
		  MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')`,
	} {
		if _, err := rows(ctx, client.Query(text)); err != nil {
			return err
		}
	}
	for _, k := range kinds {
		if err := k.ask(ctx, client, rand.New(rand.NewPCG(1, 2)), 0); err != nil { //nolint:gosec // the numbers need no secrecy
			return fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return nil
}

// together lets the clients ask until the time is over, and says how long each question took, and what the server held at half time.
func together(ctx context.Context, client *bigquery.Client, host string, clients int, d time.Duration) (
	map[string][]time.Duration, held, error,
) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	took, half := map[string][]time.Duration{}, held{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 2026)) //nolint:gosec // the numbers need no secrecy
			for time.Since(begin) < d && ctx.Err() == nil {
				k, n := 0, r.IntN(20)
				for n >= kinds[k].share {
					n -= kinds[k].share
					k++
				}
				start := time.Now()
				if err := kinds[k].ask(ctx, client, r, i); err != nil {
					stop(fmt.Errorf("client %d, %s: %w", i, kinds[k].name, err))
					return
				}
				mu.Lock()
				took[kinds[k].name] = append(took[kinds[k].name], time.Since(start))
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for part := 1; part < 8; part++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(begin.Add(d / 8 * time.Duration(part)))):
			}
			h, err := metrics(ctx, host)
			if err != nil {
				stop(err)
				return
			}
			fmt.Printf("%7v: %v\n", time.Since(begin).Round(time.Second), h)
			if part == 4 {
				half = h
			}
		}
	})
	wg.Wait()
	return took, half, context.Cause(ctx)
}

func query(ctx context.Context, client *bigquery.Client, r *rand.Rand, _ int) error {
	n := r.Int64N(10000) + 1
	q := client.Query("SELECT COUNT(*), SUM(n) FROM " + dataset + ".numbers WHERE n <= @n")
	q.Parameters = []bigquery.QueryParameter{{Name: "n", Value: n}}
	got, err := rows(ctx, q)
	if err == nil && (len(got) != 1 || got[0][0] != n || got[0][1] != n*(n+1)/2) {
		return fmt.Errorf("%d: %v", n, got)
	}
	return err
}

func predict(ctx context.Context, client *bigquery.Client, r *rand.Rand, _ int) error {
	n := r.IntN(20) + 1
	got, err := rows(ctx, client.Query(fmt.Sprintf(
		"SELECT * FROM ML.PREDICT(MODEL %s.classifier, (SELECT name AS input FROM %s.numbers WHERE n <= %d))", dataset, dataset, n)))
	if err == nil && len(got) != n {
		return fmt.Errorf("%d rows, not %d", len(got), n)
	}
	return err
}

// upload replaces the client's own table, and reads it.
func upload(ctx context.Context, client *bigquery.Client, r *rand.Rand, i int) error {
	var text bytes.Buffer
	n, sum := r.IntN(200)+1, int64(0)
	for range n {
		x := r.Int64N(1000)
		sum += x
		fmt.Fprintf(&text, "%d,of client %d\n", x, i)
	}
	source := bigquery.NewReaderSource(&text)
	source.Schema = bigquery.Schema{{Name: "x", Type: bigquery.IntegerFieldType}, {Name: "name", Type: bigquery.StringFieldType}}
	name := fmt.Sprintf("upload_%d", i)
	loader := client.Dataset(dataset).Table(name).LoaderFrom(source)
	loader.WriteDisposition = bigquery.WriteTruncate
	job, err := loader.Run(ctx)
	if err != nil {
		return err
	}
	if status, err := job.Wait(ctx); err != nil || status.Err() != nil {
		return errors.Join(err, status.Err())
	}
	got, err := rows(ctx, client.Query("SELECT COUNT(*), SUM(x) FROM "+dataset+"."+name))
	if err == nil && (got[0][0] != int64(n) || got[0][1] != sum) {
		return fmt.Errorf("%d rows of sum %d: %v", n, sum, got)
	}
	return err
}

func list(ctx context.Context, client *bigquery.Client, _ *rand.Rand, _ int) error {
	for it := client.Datasets(ctx); ; {
		if _, err := it.Next(); errors.Is(err, iterator.Done) {
			break
		} else if err != nil {
			return err
		}
	}
	_, err := client.Dataset(dataset).Table("numbers").Metadata(ctx)
	return err
}

func rows(ctx context.Context, q *bigquery.Query) ([][]bigquery.Value, error) {
	it, err := q.Read(ctx)
	if err != nil {
		return nil, err
	}
	var all [][]bigquery.Value
	for {
		var row []bigquery.Value
		switch err := it.Next(&row); {
		case errors.Is(err, iterator.Done):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, row)
	}
}

// settled is what the server holds once it has nothing at hand but the question, or after ten seconds.
func settled(ctx context.Context, host string) (held, error) {
	var last held
	for range 10 {
		select {
		case <-ctx.Done():
			return last, ctx.Err()
		case <-time.After(time.Second):
		}
		h, err := metrics(ctx, host)
		if err != nil || h.goroutines == last.goroutines {
			return h, err
		}
		last = h
	}
	return last, nil
}

func metrics(ctx context.Context, host string) (held, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, host+"/metrics", http.NoBody)
	if err != nil {
		return held{}, err
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return held{}, err
	}
	defer func() { _ = reply.Body.Close() }()
	values := map[string]float64{}
	lines := bufio.NewScanner(reply.Body)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), " "); found && name != "#" {
			if values[name], err = strconv.ParseFloat(value, 64); err != nil {
				return held{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return held{
		values["go_goroutines"], values["process_resident_memory_bytes"], values["mallard_connections_open"], values["mallard_jobs_kept"],
	}, lines.Err()
}
