package extension

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mallardml/mallard/functions/remote"
)

// answerCache keeps the answers of remote models in a table of the database, over private connections and in
// transactions of its own: a query that is cancelled or killed keeps what it has paid for, whatever becomes of the user's
// transaction.
type answerCache struct {
	db    *sql.DB
	mu    sync.Mutex // one writer at a time; two would conflict
	ready bool
}

var _ remote.Cache = (*answerCache)(nil)

const (
	cacheTable  = "mallard.answers"
	createCache = `CREATE TABLE IF NOT EXISTS mallard.answers (
	question VARCHAR PRIMARY KEY, model VARCHAR, endpoint VARCHAR, answer VARCHAR,
	input_tokens BIGINT, output_tokens BIGINT, created TIMESTAMPTZ)`
)

func (r *remoteModels) answers() *answerCache {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil {
		r.cache = &answerCache{db: r.in.db}
	}
	return r.cache
}

// exists reports whether there is anything to look up; a database that was never asked, or is read-only, has no table.
func (c *answerCache) exists(ctx context.Context) (bool, error) {
	var n int
	err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'mallard' AND table_name = 'answers'").Scan(&n)
	return n > 0, err
}

// Get implements [remote.Cache].
func (c *answerCache) Get(ctx context.Context, keys []remote.Key) ([]*remote.Answer, error) {
	out := make([]*remote.Answer, len(keys))
	if ok, err := c.exists(ctx); err != nil || !ok {
		return out, err
	}
	at := make(map[string][]int, len(keys))
	list := make([]string, 0, len(keys))
	for i, k := range keys {
		q := hex.EncodeToString(k.Sum[:])
		if at[q] == nil {
			list = append(list, q)
		}
		at[q] = append(at[q], i)
	}
	rows, err := c.db.QueryContext(ctx, "SELECT question, answer, input_tokens, output_tokens FROM "+cacheTable+" WHERE question IN (SELECT unnest(?::VARCHAR[]))", list)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var q, body string
		var a remote.Answer
		if err := rows.Scan(&q, &body, &a.InputTokens, &a.OutputTokens); err != nil {
			return nil, err
		}
		a.Body = []byte(body)
		for _, i := range at[q] {
			out[i] = &a
		}
	}
	return out, rows.Err()
}

// Put implements [remote.Cache].
func (c *answerCache) Put(ctx context.Context, entries []remote.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		for _, q := range []string{"CREATE SCHEMA IF NOT EXISTS mallard", createCache} {
			if _, err := c.db.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		c.ready = true
	}
	const per = 200
	for len(entries) > 0 {
		n := min(per, len(entries))
		args := make([]any, 0, 7*n)
		for _, e := range entries[:n] {
			args = append(args, hex.EncodeToString(e.Key.Sum[:]), e.Key.Model, e.Key.Endpoint, string(e.Answer.Body),
				e.Answer.InputTokens, e.Answer.OutputTokens, time.Now().UTC())
		}
		values := strings.Repeat("(?, ?, ?, ?, ?, ?, ?), ", n)
		if _, err := c.db.ExecContext(ctx, "INSERT OR REPLACE INTO "+cacheTable+" VALUES "+strings.TrimSuffix(values, ", "), args...); err != nil {
			c.ready = false // the user may have dropped it
			return err
		}
		entries = entries[n:]
	}
	return nil
}

const cacheColumns = "model, endpoint, answer, input_tokens, output_tokens, created"

// cacheText writes the query behind ml_cache().
func (in *instance) cacheText(ctx context.Context) (string, error) {
	ok, err := in.remote.answers().exists(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return "SELECT * FROM (VALUES (NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::TIMESTAMPTZ)) AS cache(" + cacheColumns + ") WHERE false", nil
	}
	return "SELECT " + cacheColumns + " FROM " + cacheTable, nil
}

// clearCache forgets all answers and says how many there were: SELECT ML_CACHE_CLEAR().
func (in *instance) clearCache(ctx context.Context) (string, error) {
	c := in.remote.answers()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	if ok, err := c.exists(ctx); err != nil {
		return "", err
	} else if ok {
		res, err := c.db.ExecContext(ctx, "DELETE FROM "+cacheTable)
		if err != nil {
			return "", err
		}
		if n, err = res.RowsAffected(); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d answers removed", n), nil
}

// usageText writes the query behind ml_usage(): what the statements of this process asked, by model.
func (in *instance) usageText() string {
	var b strings.Builder
	b.WriteString("SELECT * FROM (VALUES ")
	for _, u := range in.remote.session.Usage() {
		fmt.Fprintf(&b, "(%s, %s, %s, %d, %d, %d, %d, %d, %d, %d, %d, %d, %g::DOUBLE), ", literal(u.Model), literal(u.Endpoint), literal(u.Connection),
			u.Rows, u.Failed, u.Cached, u.Repeated, u.Requests, u.Retries, u.Throttled, u.InputTokens, u.OutputTokens, u.Money)
	}
	b.WriteString("(NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, " +
		"NULL::BIGINT, NULL::BIGINT, NULL::BIGINT, NULL::DOUBLE)) AS usage(model, endpoint, connection, answered, failed, cached, repeated, requests, retries, " +
		"throttled, input_tokens, output_tokens, money) WHERE model IS NOT NULL")
	return b.String()
}
