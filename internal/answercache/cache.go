// Package answercache keeps the answers of remote models in a table of the user's database.
package answercache

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/mallardml/mallard/internal/amount"
	"github.com/mallardml/mallard/internal/dispatch"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
)

// Options bound a cache; 0 is no bound.
type Options struct {
	// TTL is how long an answer is used. Older ones are asked again and removed.
	TTL time.Duration
	// MaxRows and MaxBytes, of the texts, bound the table. Beyond them the oldest answers go.
	MaxRows, MaxBytes int64
}

// Cache keeps answers over private connections and in transactions of its own: a query that is cancelled or killed keeps what it has paid
// for, whatever becomes of the user's transaction. A database in memory keeps them while it is open; one that is open for reading is read
// only.
type Cache struct {
	db  *sql.DB
	o   Options
	now func() time.Time

	// schema and name are the table's, with its database: a file mallard.db has the name of the schema.
	once         sync.Once
	plain        string // the schema's name alone
	schema, name string
	err          error

	there atomic.Bool // the table, when it was last looked at
	stale atomic.Bool // a Get met an answer that has expired

	mu    sync.Mutex // one writer at a time
	ready bool
	// size is what the table holds, as far as it was looked at since the start.
	rows, bytes int64
}

var _ dispatch.Cache = (*Cache)(nil)

// A primary key would make keeping answers several times dearer, and lookups, which scan, no cheaper. Without it two
// statements that ask the same at the same time may leave two answers; the newer counts.
const answerColumns = `(
	question VARCHAR, model VARCHAR, endpoint VARCHAR, answer VARCHAR,
	input_tokens BIGINT, output_tokens BIGINT, created TIMESTAMPTZ)`

// answerBytes is what max_bytes counts of a row: its texts.
const answerBytes = "strlen(question) + strlen(model) + strlen(endpoint) + strlen(answer)"

// New gives the cache of a database. db opens connections to it that are nobody else's.
func New(db *sql.DB, o Options) *Cache { return &Cache{db: db, o: o, now: time.Now} }

// table gives the table's name.
func (c *Cache) table(ctx context.Context) (string, error) {
	c.once.Do(func() {
		var db string
		var old bool
		c.err = c.db.QueryRowContext(context.WithoutCancel(ctx), "SELECT current_database(), EXISTS (FROM duckdb_columns() "+
			"WHERE database_name = current_database() AND schema_name = '"+metadata.OldAnswersSchema+"' AND table_name = '"+metadata.Answers+
			"' AND column_name = 'question')").Scan(&db, &old)
		if c.plain = metadata.AnswersSchema; old {
			c.plain = metadata.OldAnswersSchema
		}
		c.schema, c.name = quote.Path(db, c.plain), quote.Path(db, c.plain, metadata.Answers)
	})
	return c.name, c.err
}

// exists reports whether there is anything to look up; a database that was never asked, or is read-only, has no table.
func (c *Cache) exists(ctx context.Context) (bool, error) {
	if _, err := c.table(ctx); err != nil {
		return false, err
	}
	var n int
	err := c.db.QueryRowContext(ctx, "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = '"+
		c.plain+"' AND table_name = '"+metadata.Answers+"'").Scan(&n)
	return n > 0, err
}

// used are the times between which answers are used, in microseconds since 1970. Answers of a later time were kept while the clock was
// wrong, or it is now: how old they are is not known, so that they are asked again, and stay for the day when it is right.
func (c *Cache) used() (oldest, newest int64) {
	if c.o.TTL <= 0 {
		return math.MinInt64, math.MaxInt64
	}
	now := c.now()
	return now.Add(-c.o.TTL).UnixMicro(), now.Add(c.o.TTL).UnixMicro()
}

// Get implements [dispatch.Cache].
func (c *Cache) Get(ctx context.Context, keys []dispatch.Key) ([]*dispatch.Answer, error) {
	out := make([]*dispatch.Answer, len(keys))
	if !c.there.Load() {
		if ok, err := c.exists(ctx); err != nil || !ok {
			return out, err
		}
		c.there.Store(true)
	}
	table, err := c.table(ctx)
	if err != nil {
		return nil, err
	}
	const width = 2*sha256.Size + 1 // of a question and a comma
	all := make([]byte, 0, width*len(keys))
	for _, k := range keys {
		all = append(hex.AppendEncode(all, k.Sum[:]), ',')
	}
	list := string(all)
	at := make(map[string][]int, len(keys))
	for i := range keys {
		q := list[width*i : width*(i+1)-1]
		at[q] = append(at[q], i)
	}
	// DuckDB takes one long text sooner than a list of texts.
	oldest, newest := c.used()
	rows, err := c.db.QueryContext(ctx, "SELECT question, answer, input_tokens, output_tokens, epoch_us(created) >= ?, epoch_us(created) <= ?"+
		" FROM "+table+" WHERE question IN (SELECT unnest(string_split(?::VARCHAR, ','))) ORDER BY created",
		oldest, newest, strings.TrimSuffix(list, ","))
	if err != nil {
		c.there.Store(false)
		if ok, gone := c.exists(ctx); gone == nil && !ok { // the user has dropped it
			return out, nil
		}
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var q, body string
		var a dispatch.Answer
		var fresh, past bool
		if err := rows.Scan(&q, &body, &a.InputTokens, &a.OutputTokens, &fresh, &past); err != nil {
			return nil, err
		}
		if !past {
			continue
		}
		if !fresh {
			c.stale.Store(true)
			continue
		}
		a.Body = []byte(body)
		for _, i := range at[q] {
			out[i] = &a
		}
	}
	return out, rows.Err()
}

// Put implements [dispatch.Cache]. It removes what has expired and, where the table has grown beyond its bounds, the oldest.
func (c *Cache) Put(ctx context.Context, entries []dispatch.Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	table, err := c.table(ctx)
	if err != nil {
		return err
	}
	if !c.ready {
		if err := c.prepare(ctx, table); err != nil {
			return err
		}
	}
	if c.stale.Swap(false) {
		if err := c.expire(ctx, table); err != nil {
			return err
		}
	}
	for _, e := range entries {
		c.bytes += int64(2*len(e.Key.Sum) + len(e.Key.Model) + len(e.Key.Endpoint) + len(e.Answer.Body))
	}
	c.rows += int64(len(entries))
	if err := c.add(ctx, table, entries); err != nil {
		c.ready = false // the user may have dropped it
		return err
	}
	return c.trim(ctx, table)
}

// add puts entries into the table; mu is held. It goes through an appender, because binding a parameter for each value
// costs more than asking the provider.
func (c *Cache) add(ctx context.Context, table string, entries []dispatch.Entry) error {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return err
	}
	number, err := duckdb.NewTypeInfo(duckdb.TYPE_BIGINT)
	if err != nil {
		return err
	}
	moment, err := duckdb.NewTypeInfo(duckdb.TYPE_TIMESTAMP_TZ)
	if err != nil {
		return err
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(dc any) (err error) {
		a, err := duckdb.NewQueryAppender(dc.(driver.Conn), "INSERT INTO "+table+" FROM new_answers", "new_answers",
			[]duckdb.TypeInfo{text, text, text, text, number, number, moment}, nil)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		for _, e := range entries {
			err := a.AppendRow(hex.EncodeToString(e.Key.Sum[:]), e.Key.Model, e.Key.Endpoint, string(e.Answer.Body), e.Answer.InputTokens,
				e.Answer.OutputTokens, c.now().UTC())
			if err != nil {
				return errors.Join(err, a.Clear())
			}
		}
		return nil
	})
}

// prepare makes the table and looks at what it holds; mu is held.
func (c *Cache) prepare(ctx context.Context, table string) error {
	var readOnly bool
	row := c.db.QueryRowContext(ctx, "SELECT readonly FROM duckdb_databases() WHERE database_name = current_database()")
	if err := row.Scan(&readOnly); err != nil {
		return err
	}
	if readOnly {
		return dispatch.ErrReadOnly
	}
	for _, q := range []string{"CREATE SCHEMA IF NOT EXISTS " + c.schema, "CREATE TABLE IF NOT EXISTS " + table + answerColumns} {
		if _, err := c.db.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if err := c.expire(ctx, table); err != nil {
		return err
	}
	if err := c.measure(ctx, table); err != nil {
		return err
	}
	c.ready = true
	return nil
}

// expire removes what has expired; mu is held.
func (c *Cache) expire(ctx context.Context, table string) error {
	if c.o.TTL <= 0 {
		return nil
	}
	oldest, _ := c.used()
	_, err := c.db.ExecContext(ctx, "DELETE FROM "+table+" WHERE epoch_us(created) < ?", oldest)
	return err
}

// measure looks at the table's size where a bound asks for it; mu is held.
func (c *Cache) measure(ctx context.Context, table string) error {
	if c.o.MaxRows <= 0 && c.o.MaxBytes <= 0 {
		return nil
	}
	return c.db.QueryRowContext(ctx, "SELECT count(*), coalesce(sum("+answerBytes+"), 0)::BIGINT FROM "+table).Scan(&c.rows, &c.bytes)
}

// trim removes the oldest answers of a table that is too large, an eighth more than it must, so that a full table is not
// trimmed at every answer; mu is held.
func (c *Cache) trim(ctx context.Context, table string) error {
	over := func(n, limit int64) bool { return limit > 0 && n > limit }
	if !over(c.rows, c.o.MaxRows) && !over(c.bytes, c.o.MaxBytes) {
		return nil
	}
	if err := c.measure(ctx, table); err != nil { // some may have expired
		return err
	}
	keep := func(n, limit int64) int64 {
		if over(n, limit) {
			return limit - limit/8
		}
		return math.MaxInt64
	}
	rows, bytes := keep(c.rows, c.o.MaxRows), keep(c.bytes, c.o.MaxBytes)
	if rows == math.MaxInt64 && bytes == math.MaxInt64 {
		return nil
	}
	_, err := c.db.ExecContext(ctx, "DELETE FROM "+table+
		" WHERE question IN (SELECT question FROM (SELECT question, row_number() OVER newest AS n, sum("+
		answerBytes+") OVER newest AS b FROM "+table+
		" WINDOW newest AS (ORDER BY created DESC, question ROWS UNBOUNDED PRECEDING)) WHERE n > ? OR b > ?)", rows, bytes)
	if err != nil {
		return err
	}
	return c.measure(ctx, table)
}

const cacheColumns = "model, endpoint, answer, input_tokens, output_tokens, created"

// ListSQL writes the query behind ml_cache().
func (c *Cache) ListSQL(ctx context.Context) (string, error) {
	ok, err := c.exists(ctx)
	if err != nil {
		return "", err
	}
	if !ok {
		return "SELECT * FROM (VALUES (NULL::VARCHAR, NULL::VARCHAR, NULL::VARCHAR, NULL::BIGINT, NULL::BIGINT, NULL::TIMESTAMPTZ)) AS cache(" +
			cacheColumns + ") WHERE false", nil
	}
	table, err := c.table(ctx)
	if err != nil {
		return "", err
	}
	return "SELECT " + cacheColumns + " FROM " + table, nil
}

// Clear forgets all answers and says how many there were: SELECT ML_CACHE_CLEAR().
func (c *Cache) Clear(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := int64(0)
	if ok, err := c.exists(ctx); err != nil {
		return "", err
	} else if ok {
		table, err := c.table(ctx)
		if err != nil {
			return "", err
		}
		res, err := c.db.ExecContext(ctx, "DELETE FROM "+table)
		if err != nil {
			return "", err
		}
		if n, err = res.RowsAffected(); err != nil {
			return "", err
		}
		c.rows, c.bytes = 0, 0
	}
	return amount.Of(n, "answer") + " removed", nil
}
