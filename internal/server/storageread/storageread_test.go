package storageread_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/pierrec/lz4/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/leak"
	"github.com/mallardml/mallard/internal/server/storageread"
)

func TestMain(m *testing.M) { leak.Main(m) }

// tables is what the tests read: tables of the schema d, of which those in fixed stay as they are; the others are views.
type tables struct {
	db    *sql.DB
	fixed map[string]bool
	views map[string]bool
	types map[string]string // columns with their types
	kept  int
	drops int
}

func (t *tables) Table(_ context.Context, project, dataset, table string) (storageread.Table, error) {
	types, ok := t.types[table]
	if project != "p" || dataset != "d" || !ok {
		return storageread.Table{}, status.Errorf(codes.NotFound, "Not found: Table %s:%s.%s", project, dataset, table)
	}
	columns, err := googlesql.ParseColumns(types)
	of := storageread.Table{Name: "d." + table, GoogleSQL: "d." + table, Columns: columns, Fixed: t.fixed[table]}
	if t.views[table] {
		of.Name = ""
	}
	return of, err
}

// Keep runs a text that is GoogleSQL and DuckDB's SQL alike.
func (t *tables) Keep(ctx context.Context, query string) (storageread.Table, func(context.Context) error, error) {
	t.kept++
	name := fmt.Sprintf("d.kept%d", t.kept)
	if _, err := t.db.ExecContext(ctx, "CREATE TABLE "+name+" AS "+query); err != nil {
		return storageread.Table{}, nil, err
	}
	from := strings.TrimPrefix(strings.Fields(query)[3], "d.")
	columns, err := googlesql.ParseColumns(t.types[from])
	return storageread.Table{Name: name, Columns: columns, Fixed: true}, func(ctx context.Context) error {
		t.drops++
		_, err := t.db.ExecContext(ctx, "DROP TABLE "+name)
		return err
	}, err
}

// serve opens a database in memory, and a client of its server.
func serve(t *testing.T, l storageread.Limits, setup string, from *tables) (storagepb.BigQueryReadClient, *sql.DB) {
	t.Helper()
	cfg := mallard.DefaultConfig()
	cfg.Store.Path = t.TempDir()
	c, err := mallard.NewConnector("", mallard.Options{Config: cfg, Dialect: mallard.DuckDB})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	if _, err := db.Exec("CREATE SCHEMA d; " + setup); err != nil {
		t.Fatal(err)
	}
	from.db = db
	s := storageread.New(storageread.Options{DB: db, Tables: from, Limits: l})
	g := grpc.NewServer()
	storagepb.RegisterBigQueryReadServer(g, s)
	listener := bufconn.Listen(1 << 20)
	done := make(chan error)
	go func() { done <- g.Serve(listener) }()
	dial := grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return listener.Dial() })
	conn, err := grpc.NewClient("passthrough:///x", dial, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{conn.Close(), func() error { g.Stop(); return <-done }(), s.Close(), db.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
		if from.drops != from.kept {
			t.Errorf("%d of %d kept tables were dropped", from.drops, from.kept)
		}
	})
	return storagepb.NewBigQueryReadClient(conn), db
}

func request(table string, edit func(*storagepb.CreateReadSessionRequest)) *storagepb.CreateReadSessionRequest {
	r := &storagepb.CreateReadSessionRequest{Parent: "projects/p", ReadSession: &storagepb.ReadSession{
		Table: "projects/p/datasets/d/tables/" + table, DataFormat: storagepb.DataFormat_ARROW, ReadOptions: &storagepb.ReadSession_TableReadOptions{},
	}}
	if edit != nil {
		edit(r)
	}
	return r
}

// rows reads a stream as a client does: the session's schema in front of each message.
func rows(t *testing.T, c storagepb.BigQueryReadClient, s *storagepb.ReadSession, stream string, offset int64) (all []arrow.RecordBatch) {
	t.Helper()
	from, err := c.ReadRows(t.Context(), &storagepb.ReadRowsRequest{ReadStream: stream, Offset: offset})
	if err != nil {
		t.Fatal(err)
	}
	progress := 0.0
	for first := true; ; first = false {
		m, err := from.Recv()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		schema := s.GetArrowSchema().GetSerializedSchema()
		if first != (m.GetArrowSchema() != nil) || first && !bytes.Equal(m.GetArrowSchema().GetSerializedSchema(), schema) {
			t.Errorf("message %d: schema %v", len(all), m.GetArrowSchema())
		}
		if p := m.GetStats().GetProgress(); p.GetAtResponseStart() < progress || p.GetAtResponseEnd() < p.GetAtResponseStart() || p.GetAtResponseEnd() > 1 {
			t.Errorf("progress %v behind %v", p, progress)
		}
		progress = m.GetStats().GetProgress().GetAtResponseEnd()
		text := m.GetArrowRecordBatch().GetSerializedRecordBatch()
		if packed := s.GetReadOptions().GetResponseCompressionCodec() != 0; packed != (m.UncompressedByteSize != nil) {
			t.Errorf("the size is %v", m.UncompressedByteSize)
		} else if m.GetUncompressedByteSize() > 0 {
			out := make([]byte, m.GetUncompressedByteSize())
			if n, err := lz4.UncompressBlock(text, out); err != nil || n != len(out) || n <= len(text) {
				t.Fatalf("%d bytes of %d: %v", n, len(out), err)
			}
			text = out
		}
		r, err := ipc.NewReader(bytes.NewReader(append(bytes.Clone(schema), text...)))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal("no batch", r.Err())
		}
		b := r.RecordBatch()
		b.Retain()
		r.Release()
		t.Cleanup(b.Release)
		//lint:ignore SA1019 old clients read the latter
		if b.NumRows() != m.GetRowCount() || b.NumRows() != m.GetArrowRecordBatch().GetRowCount() {
			t.Errorf("%d rows, said to be %d", b.NumRows(), m.GetRowCount())
		}
		all = append(all, b)
	}
}

// numbers reads the first column, of INT64.
func numbers(batches []arrow.RecordBatch) (all []int64) {
	for _, b := range batches {
		all = append(all, b.Column(0).(*array.Int64).Int64Values()...)
	}
	return all
}

const everyType = `bo BOOL, i INT64, f FLOAT64, n NUMERIC, b BIGNUMERIC, s STRING, y BYTES, da DATE, dt DATETIME, ti TIME, ts TIMESTAMP, iv INTERVAL,
	j JSON, a ARRAY<INT64>, st STRUCT<x INT64, y STRUCT<z BIGNUMERIC, j JSON>>, ast ARRAY<STRUCT<d DATETIME, b BIGNUMERIC>>, small INT64, money NUMERIC, e STRING`

const everyTable = `CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE d.every (bo BOOLEAN, i BIGINT, f DOUBLE, n DECIMAL(38,9), b DECIMAL(38,18), s VARCHAR,
	y BLOB, da DATE, dt TIMESTAMP, ti TIME, ts TIMESTAMPTZ, iv INTERVAL, j JSON, a BIGINT[], st STRUCT(x BIGINT, y STRUCT(z DECIMAL(38,18), j JSON)),
	ast STRUCT(d TIMESTAMP, b DECIMAL(38,18))[], small SMALLINT, money DECIMAL(10,2), e mood);
	INSERT INTO d.every VALUES (true, -9223372036854775808, -0.5, '-12345678901234567890123456789.123456789', '-12345678901234567890.123456789012345678',
	'ü', '\x00\xff', '0001-01-01', '9999-12-31 23:59:59.999999', '23:59:59.999999', '1969-12-31 23:59:59.999999+00', INTERVAL '14 months 3 days 4.5 seconds',
	'{"a": [1, null]}', [1, 2], {'x': 1, 'y': {'z': 1.5, 'j': '[]'}}, [{'d': '2020-01-01', 'b': 2}, NULL], 7, 12.34, 'bad'), ` +
	`(` + `NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);`

// TestTypes: the types are those of BigQuery's documentation, and values those that were written.
func TestTypes(t *testing.T) {
	c, _ := serve(t, storageread.Limits{}, everyTable, &tables{types: map[string]string{"every": everyType}})
	s, err := c.CreateReadSession(t.Context(), request("every", nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Streams) != 1 || s.EstimatedRowCount != 2 || !s.ExpireTime.AsTime().After(time.Now()) {
		t.Fatalf("session %v", s)
	}
	all := rows(t, c, s, s.Streams[0].Name, 0)
	if len(all) != 1 || all[0].NumRows() != 2 {
		t.Fatalf("%d messages", len(all))
	}
	want := map[string]string{
		"bo": "bool", "i": "int64", "f": "float64", "n": "decimal(38, 9)", "b": "decimal256(76, 38)", "s": "utf8", "y": "binary", "da": "date32",
		"dt": "timestamp[us]", "ti": "time64[us]", "ts": "timestamp[us, tz=UTC]", "iv": "month_day_nano_interval", "j": "utf8",
		"a": "list<item: int64, nullable>", "small": "int64", "money": "decimal(38, 9)", "e": "utf8",
		"st":  "struct<x: int64, y: struct<z: decimal256(76, 38), j: utf8>>",
		"ast": "list<item: struct<d: timestamp[us], b: decimal256(76, 38)>, nullable>",
	}
	values := map[string]string{
		"bo": "true", "i": "-9223372036854775808", "f": "-0.5", "n": "-12345678901234567890123456789.123456789", "s": "ü", "y": "AP8=", "da": "0001-01-01",
		"b":  "-12345678901234567890.12345678901234567800000000000000000000",
		"dt": "9999-12-31T23:59:59.999999Z", "ti": "23:59:59.999999", "ts": "1969-12-31T23:59:59.999999Z", "j": `{"a": [1, null]}`,
		"iv": `{"months":14,"days":3,"nanoseconds":4500000000}`, "a": "[1,2]", "small": "7", "money": "12.340000000", "e": "bad",
	}
	b := all[0]
	for i, f := range b.Schema().Fields() {
		if got := f.Type.String(); want[f.Name] != "" && got != want[f.Name] {
			t.Errorf("%s is %s, want %s", f.Name, got, want[f.Name])
		}
		meta := map[string]string{"dt": "google:sqlType:datetime", "j": "google:sqlType:json"}[f.Name]
		if got, _ := f.Metadata.GetValue("ARROW:extension:name"); got != meta {
			t.Errorf("%s: extension %q, want %q", f.Name, got, meta)
		}
		column := b.Column(i)
		if got := column.ValueStr(0); values[f.Name] != "" && got != values[f.Name] && f.Name != "b" && f.Name != "n" && f.Name != "money" {
			t.Errorf("%s is %s, want %s", f.Name, got, values[f.Name])
		}
		if !column.IsNull(1) {
			t.Errorf("%s of the second row is no NULL", f.Name)
		}
	}
	big256 := b.Column(4).(*array.Decimal256).Value(0).BigInt()
	wantBig, _ := new(big.Int).SetString("-1234567890123456789012345678901234567800000000000000000000", 10)
	if big256.Cmp(wantBig) != 0 {
		t.Errorf("BIGNUMERIC %v, want %v", big256, wantBig)
	}
	if got := b.Column(17).(*array.Decimal128).Value(0).BigInt().String(); got != "12340000000" {
		t.Errorf("NUMERIC of a DECIMAL(10,2): %s", got)
	}
	inner := b.Column(15).(*array.List).ListValues().(*array.Struct)
	if inner.Len() != 2 || !inner.IsNull(1) || inner.Field(1).(*array.Decimal256).Value(0).BigInt().String() != "200000000000000000000000000000000000000" {
		t.Errorf("ARRAY of STRUCT: %v", inner)
	}
}

// TestStreams: several streams give each row once, in order, from any offset on, also of a table with gaps between its rows.
func TestStreams(t *testing.T) {
	const setup = `CREATE TABLE d.fixed AS SELECT range AS i, 'text ' || range AS s FROM range(1500000);
		CREATE TABLE d.gaps AS SELECT range AS i, 'text ' || range AS s FROM range(1500000); DELETE FROM d.gaps WHERE i % 7 = 3 OR i < 1000;
		CREATE TABLE d.small AS SELECT range AS i, 'text ' || range AS s FROM range(130000)`
	columns := "i INT64, s STRING"
	c, _ := serve(t, storageread.Limits{Streams: 4}, setup, &tables{
		fixed: map[string]bool{"fixed": true, "small": true}, types: map[string]string{"fixed": columns, "gaps": columns, "small": columns}})
	gap := func(n int64) bool { return n%7 == 3 || n < 1000 }
	for _, tt := range []struct {
		table       string
		compression storagepb.ArrowSerializationOptions_CompressionCodec
		lz4         bool
		streams     int
		end         int64
	}{
		{"fixed", 0, false, 3, 1_500_000}, {"gaps", 0, true, 0, 1_500_000}, {"small", 1, false, 1, 130_000}, {"small", 2, false, 1, 130_000},
	} {
		s, err := c.CreateReadSession(t.Context(), request(tt.table, func(r *storagepb.CreateReadSessionRequest) {
			r.MaxStreamCount = 3
			r.ReadSession.ReadOptions.OutputFormatSerializationOptions = &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
				ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{BufferCompression: tt.compression}}
			if tt.lz4 {
				r.ReadSession.ReadOptions.ResponseCompressionCodec = storagepb.ReadSession_TableReadOptions_RESPONSE_COMPRESSION_CODEC_LZ4.Enum()
			}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if tt.streams > 0 && len(s.Streams) != tt.streams {
			t.Errorf("%s: %d streams", tt.table, len(s.Streams))
		}
		next := int64(0)
		var last []int64
		for _, x := range s.Streams {
			last = numbers(rows(t, c, s, x.Name, 0))
			for _, n := range last {
				for ; tt.table == "gaps" && gap(next); next++ {
				}
				if n != next {
					t.Fatalf("%s: row %d, want %d", tt.table, n, next)
				}
				next++
			}
		}
		for ; tt.table == "gaps" && next < tt.end && gap(next); next++ {
		}
		if next != tt.end {
			t.Errorf("%s ends at %d", tt.table, next)
		}
		for _, offset := range []int64{1, 5000, int64(len(last)) - 1, int64(len(last)), int64(len(last)) + 10} {
			again := numbers(rows(t, c, s, s.Streams[len(s.Streams)-1].Name, offset))
			if rest := last[min(offset, int64(len(last))):]; !slices.Equal(again, rest) {
				t.Errorf("%s from %d on: %d rows, want %d", tt.table, offset, len(again), len(rest))
			}
		}
	}
}

// TestSnapshot: a session sees a table as it was, whatever happens to it.
func TestSnapshot(t *testing.T) {
	c, db := serve(t, storageread.Limits{}, "CREATE TABLE d.t AS SELECT range AS i FROM range(1200000)", &tables{types: map[string]string{"t": "i INT64"}})
	s, err := c.CreateReadSession(t.Context(), request("t", nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Streams) != 2 {
		t.Errorf("%d streams", len(s.Streams))
	}
	for _, q := range []string{"INSERT INTO d.t VALUES (-1)", "UPDATE d.t SET i = -2 WHERE i < 10", "DELETE FROM d.t WHERE i > 1000000", "DROP TABLE d.t"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		for _, x := range s.Streams {
			for _, n := range numbers(rows(t, c, s, x.Name, 0)) {
				if n != next {
					t.Fatalf("after %s: row %d, want %d", q, n, next)
				}
				next++
			}
		}
		if next != 1200000 {
			t.Errorf("after %s: %d rows", q, next)
		}
	}
	if r, err := c.SplitReadStream(t.Context(), &storagepb.SplitReadStreamRequest{Name: s.Streams[0].Name}); err != nil || r.PrimaryStream != nil {
		t.Errorf("split: %v, %v", r, err)
	}
}

// TestSplit: both parts together are the stream.
func TestSplit(t *testing.T) {
	c, _ := serve(t, storageread.Limits{}, "CREATE TABLE d.t AS SELECT range AS i FROM range(10)",
		&tables{fixed: map[string]bool{"t": true}, types: map[string]string{"t": "i INT64"}})
	s, err := c.CreateReadSession(t.Context(), request("t", nil))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.SplitReadStream(t.Context(), &storagepb.SplitReadStreamRequest{Name: s.Streams[0].Name, Fraction: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	a, b := numbers(rows(t, c, s, r.PrimaryStream.Name, 0)), numbers(rows(t, c, s, r.RemainderStream.Name, 0))
	if fmt.Sprint(a, b) != "[0 1 2] [3 4 5 6 7 8 9]" {
		t.Errorf("%v, %v", a, b)
	}
	for _, f := range []float64{-1, 1, 2} {
		if _, err := c.SplitReadStream(t.Context(), &storagepb.SplitReadStreamRequest{Name: s.Streams[0].Name, Fraction: f}); status.Code(err) != codes.InvalidArgument {
			t.Errorf("fraction %v: %v", f, err)
		}
	}
}

// TestSelection: columns and fields of STRUCTs in the order of the table, rows that a condition is true for, views, and nothing at all.
func TestSelection(t *testing.T) {
	from := &tables{views: map[string]bool{"v": true}, types: map[string]string{
		"t": "i INT64, st STRUCT<a INT64, b STRING, c STRUCT<d INT64, e INT64>>, l ARRAY<STRUCT<a INT64, b STRING>>", "v": "i INT64", "empty": "i INT64"}}
	c, _ := serve(t, storageread.Limits{}, `CREATE TABLE d.t (i INTEGER, st STRUCT(a INTEGER, b VARCHAR, c STRUCT(d INTEGER, e INTEGER)), l STRUCT(a INTEGER, b VARCHAR)[]);
		INSERT INTO d.t VALUES (1, {'a': 2, 'b': 'x', 'c': {'d': 3, 'e': 4}}, [{'a': 5, 'b': 'y'}, NULL]), (2, NULL, NULL);
		CREATE VIEW d.v AS SELECT i FROM d.t; CREATE TABLE d.empty (i BIGINT)`, from)
	s, err := c.CreateReadSession(t.Context(), request("t", func(r *storagepb.CreateReadSessionRequest) {
		r.ReadSession.ReadOptions.SelectedFields = []string{"L.A", "st.c.e", "st.b", "ST.c"}
	}))
	if err != nil {
		t.Fatal(err)
	}
	b := rows(t, c, s, s.Streams[0].Name, 0)[0]
	got := fmt.Sprint(b.Schema().Field(0).Type, b.Schema().Field(1).Type, b.NumCols())
	if want := "struct<b: utf8, c: struct<d: int64, e: int64>> list<item: struct<a: int64>, nullable> 2"; got != want {
		t.Errorf("schema %s, want %s", got, want)
	}
	if got, want := b.Column(0).ValueStr(0)+b.Column(1).ValueStr(0), `{"b":"x","c":{"d":3,"e":4}}[{"a":5},null]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !b.Column(0).IsNull(1) || !b.Column(1).IsNull(1) {
		t.Error("no NULLs")
	}
	for _, x := range []struct{ table, filter, want string }{
		{"t", "i > 1 -- (", "[2]"}, {"t", "i IN (1, 2)", "[1 2]"}, {"v", "", "[1 2]"}, {"v", "i = 1", "[1]"}, {"t", "i = 7", ""}, {"empty", "", ""},
	} {
		s, err := c.CreateReadSession(t.Context(), request(x.table, func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.ReadOptions.RowRestriction, r.ReadSession.ReadOptions.SelectedFields = x.filter, []string{"i"}
		}))
		if err != nil {
			t.Fatalf("%v: %v", x, err)
		}
		if x.want == "" {
			if len(s.Streams) != 0 || len(s.GetArrowSchema().GetSerializedSchema()) == 0 {
				t.Errorf("%v: %v", x, s)
			}
			continue
		}
		if got := fmt.Sprint(numbers(rows(t, c, s, s.Streams[0].Name, 0))); got != x.want {
			t.Errorf("%v: %s", x, got)
		}
	}
}

// TestRefused: each by its name, with a code that clients do not ask again for.
func TestRefused(t *testing.T) {
	c, _ := serve(t, storageread.Limits{}, "CREATE TABLE d.t AS SELECT range AS i FROM range(10)", &tables{types: map[string]string{"t": "i INT64"}})
	for name, x := range map[string]struct {
		edit func(*storagepb.CreateReadSessionRequest)
		code codes.Code
		text string
	}{
		"avro":   {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession.DataFormat = storagepb.DataFormat_AVRO }, codes.Unimplemented, "AVRO"},
		"format": {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession.DataFormat = 0 }, codes.InvalidArgument, "ARROW"},
		"none":   {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession = nil }, codes.InvalidArgument, "read_session"},
		"table":  {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession.Table = "t" }, codes.InvalidArgument, "projects/"},
		"absent": {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession.Table = "projects/p/datasets/d/tables/x" }, codes.NotFound, "Not found"},
		"field": {func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.ReadOptions.SelectedFields = []string{"nope"}
		}, codes.InvalidArgument, "nope"},
		"inner": {func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.ReadOptions.SelectedFields = []string{"i.x"}
		}, codes.InvalidArgument, "no fields"},
		"filter": {func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.ReadOptions.RowRestriction = "TRUE); DROP TABLE d.t; SELECT (1"
		},
			codes.InvalidArgument, "row_restriction"},
		"past": {func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.TableModifiers = &storagepb.ReadSession_TableModifiers{SnapshotTime: timestamppb.New(time.Now().Add(-time.Hour))}
		}, codes.InvalidArgument, "snapshot_time"},
		"streams": {func(r *storagepb.CreateReadSessionRequest) { r.MaxStreamCount = -1 }, codes.InvalidArgument, "negative"},
		"sample":  {func(r *storagepb.CreateReadSessionRequest) { r.ReadSession.ReadOptions.SamplePercentage = new(float64) }, codes.Unimplemented, "sample"},
		"picos": {func(r *storagepb.CreateReadSessionRequest) {
			r.ReadSession.ReadOptions.OutputFormatSerializationOptions = &storagepb.ReadSession_TableReadOptions_ArrowSerializationOptions{
				ArrowSerializationOptions: &storagepb.ArrowSerializationOptions{PicosTimestampPrecision: storagepb.ArrowSerializationOptions_TIMESTAMP_PRECISION_PICOS}}
		}, codes.Unimplemented, "PICOS"},
	} {
		if _, err := c.CreateReadSession(t.Context(), request("t", x.edit)); status.Code(err) != x.code || !strings.Contains(err.Error(), x.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := c.CreateReadSession(t.Context(), request("t", nil))
	if err != nil {
		t.Fatal(err)
	}
	for stream, code := range map[string]codes.Code{
		"": codes.InvalidArgument, "x": codes.InvalidArgument, s.Name: codes.InvalidArgument, s.Name + "/streams/0-99": codes.NotFound,
		s.Name + "/streams/5-2": codes.NotFound, s.Name + "/streams/0-999999999999999999999": codes.InvalidArgument,
		strings.Replace(s.Streams[0].Name, "/sessions/", "/sessions/0", 1):              codes.InvalidArgument,
		"projects/p/locations/us/sessions/00000000000000000000000000000000/streams/0-1": codes.NotFound,
		strings.Replace(s.Streams[0].Name, "projects/p", "projects/q", 1):               codes.NotFound,
	} {
		from, err := c.ReadRows(t.Context(), &storagepb.ReadRowsRequest{ReadStream: stream})
		if err == nil {
			_, err = from.Recv()
		}
		if status.Code(err) != code {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// TestLimits: sessions end by age, by idleness and by number; what is pinned is bounded.
func TestLimits(t *testing.T) {
	from := &tables{fixed: map[string]bool{"fixed": true}, types: map[string]string{"t": "i INT64", "fixed": "i INT64"}}
	c, _ := serve(t, storageread.Limits{Sessions: 3, Pinned: 1, Idle: 50 * time.Millisecond}, `CREATE TABLE d.t AS SELECT range AS i FROM range(10);
		CREATE TABLE d.fixed AS SELECT range AS i FROM range(10)`, from)
	first, err := c.CreateReadSession(t.Context(), request("t", nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateReadSession(t.Context(), request("t", nil)); err != nil && status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a second pinned session: %v", err)
	}
	read := func(s *storagepb.ReadSession) error {
		from, err := c.ReadRows(t.Context(), &storagepb.ReadRowsRequest{ReadStream: s.Streams[0].Name})
		if err == nil {
			_, err = from.Recv()
		}
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); status.Code(read(first)) != codes.NotFound; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an idle session does not end")
		}
	}
	var all []*storagepb.ReadSession
	for range 4 {
		s, err := c.CreateReadSession(t.Context(), request("fixed", nil))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := read(all[0]); status.Code(err) != codes.NotFound {
		t.Errorf("the oldest session: %v", err)
	}
	if err := read(all[3]); err != nil {
		t.Errorf("the newest session: %v", err)
	}
}

// TestCancel: a client that goes away leaves nothing behind, and its stream can be read again.
func TestCancel(t *testing.T) {
	c, _ := serve(t, storageread.Limits{}, "CREATE TABLE d.t AS SELECT range AS i FROM range(400000)", &tables{types: map[string]string{"t": "i INT64"}})
	s, err := c.CreateReadSession(t.Context(), request("t", nil))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		from, err := c.ReadRows(ctx, &storagepb.ReadRowsRequest{ReadStream: s.Streams[0].Name})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := from.Recv(); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	if got := len(numbers(rows(t, c, s, s.Streams[0].Name, 0))); got != 400000 {
		t.Errorf("%d rows", got)
	}
}
