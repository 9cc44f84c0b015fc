// Package storageread is BigQuery's Storage Read API, version 1, over gRPC: a session reads the rows of a table as Arrow, in one or more
// streams. Rows come from DuckDB as Arrow batches and go out with their buffers as they are.
//
// A stream is a range of row numbers of a table that does not change while the session lives: the kept result of a query; a table of
// the user's, seen by transactions that began together; or the rows that a view or a row_restriction gave when the session was made. So
// a stream can be read again from any offset.
package storageread

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/mallardml/mallard"
)

// Options say what is read.
type Options struct {
	// DB is the database, opened by Mallard with the dialect of BigQuery.
	DB *sql.DB
	// Tables finds what sessions read.
	Tables Tables
	// Location is what the names of sessions say; "us" by default.
	Location string
	// Limits bound what is kept; the zero value has the defaults.
	Limits Limits
	// Logger gets what goes wrong behind answers; nil is silent.
	Logger *slog.Logger
}

// Limits bound what a server keeps and does at once. A zero is the default.
type Limits struct {
	Sessions int           // that are known; the one that was not used for the longest time makes room for another (1,000)
	Pinned   int           // of them, those that hold a table of the user's as it was; more are refused (64)
	Age      time.Duration // of a session (6h)
	Idle     time.Duration // of a pinned one that is not read (10m)
	Reads    int           // streams that are read at once, others wait (64)
	Streams  int           // of a session (2 for each processor, at most 16)
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Sessions: cmp.Or(l.Sessions, 1000), Pinned: cmp.Or(l.Pinned, 64), Age: cmp.Or(l.Age, 6*time.Hour), Idle: cmp.Or(l.Idle, 10*time.Minute),
		Reads: cmp.Or(l.Reads, 64), Streams: cmp.Or(l.Streams, min(2*runtime.GOMAXPROCS(0), 16)),
	}
}

// Server serves the API. It is safe for concurrent use.
type Server struct {
	storagepb.UnimplementedBigQueryReadServer
	o        Options
	sessions *sessions
	reads    chan struct{} // a place for each that is read
}

// New makes a server. The caller closes it after the last request, and before the database.
func New(o Options) *Server {
	o.Limits = o.Limits.withDefaults()
	o.Location = strings.ToLower(cmp.Or(o.Location, "us"))
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o, sessions: newSessions(o.Limits, o.Logger), reads: make(chan struct{}, o.Limits.Reads)}
}

// Close ends all sessions.
func (s *Server) Close() error { return s.sessions.close() }

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// statusCodes are what clients see of the kinds of failures. None is one that they try again for minutes.
var statusCodes = map[mallard.Code]codes.Code{
	mallard.CodeNotFound: codes.NotFound, mallard.CodeAlreadyExists: codes.AlreadyExists, mallard.CodePermission: codes.PermissionDenied,
	mallard.CodeCancelled: codes.Canceled, mallard.CodeUnsupported: codes.Unimplemented,
}

// statusOf is an error as gRPC shows it.
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	var of interface{ GRPCStatus() *status.Status }
	switch {
	case errors.As(err, &of):
		return of.GRPCStatus().Err()
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	}
	code, ok := statusCodes[mallard.CodeOf(err)]
	if !ok {
		code = codes.InvalidArgument
	}
	return status.Error(code, err.Error())
}

var projectPath = regexp.MustCompile(`^projects/([^/]+)$`)

var tablePath = regexp.MustCompile(`^projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)$`)

// longestRestriction is that of BigQuery.
const longestRestriction = 1 << 20

// snapshotSlack is how far a snapshot_time may lie back and still be now: clients write their own clock's time.
const snapshotSlack = 5 * time.Second

// check refuses what is not read.
func check(r *storagepb.CreateReadSessionRequest) error {
	w := r.GetReadSession()
	if w == nil {
		return invalid("request failed: read_session is missing")
	}
	if n := r.GetMaxStreamCount(); n < 0 || r.GetPreferredMinStreamCount() < 0 {
		return invalid("request failed: numbers of streams must not be negative")
	} else if n > 0 && n < r.GetPreferredMinStreamCount() {
		return invalid("request failed: max_stream_count %d is less than preferred_min_stream_count %d", n, r.GetPreferredMinStreamCount())
	}
	switch w.GetDataFormat() {
	case storagepb.DataFormat_ARROW:
	case storagepb.DataFormat_AVRO:
		return status.Error(codes.Unimplemented, "request failed: data_format AVRO is not served here; ask for ARROW")
	default:
		return invalid("request failed: data_format must be ARROW")
	}
	o := w.GetReadOptions()
	if o != nil && o.SamplePercentage != nil {
		return status.Error(codes.Unimplemented, "request failed: sample_percentage is not served here; filter with row_restriction")
	}
	switch p := o.GetArrowSerializationOptions().GetPicosTimestampPrecision(); p {
	case storagepb.ArrowSerializationOptions_PICOS_TIMESTAMP_PRECISION_UNSPECIFIED,
		storagepb.ArrowSerializationOptions_TIMESTAMP_PRECISION_MICROS:
	default:
		return status.Errorf(codes.Unimplemented, "request failed: picos_timestamp_precision %s is not served here: timestamps have microseconds",
			p)
	}
	if len(o.GetRowRestriction()) > longestRestriction {
		return invalid("request failed: row_restriction has more than 1 MB")
	}
	if len(r.GetReadSession().GetTraceId()) > 256 {
		return invalid("request failed: trace_id has more than 256 bytes")
	}
	return nil
}

// CreateReadSession implements [storagepb.BigQueryReadServer].
func (s *Server) CreateReadSession(ctx context.Context, r *storagepb.CreateReadSessionRequest) (*storagepb.ReadSession, error) {
	if err := check(r); err != nil {
		return nil, err
	}
	names := tablePath.FindStringSubmatch(r.GetReadSession().GetTable())
	if names == nil {
		return nil, invalid("request failed: table must be projects/PROJECT/datasets/DATASET/tables/TABLE, not %.200q",
			r.GetReadSession().GetTable())
	}
	t, err := s.o.Tables.Table(ctx, names[1], names[2], names[3])
	if err != nil {
		return nil, statusOf(err)
	}
	n, err := s.open(ctx, t, r)
	if err != nil {
		return nil, statusOf(err)
	}
	project := names[1]
	if in := projectPath.FindStringSubmatch(r.GetParent()); in != nil { // a table of another project is read in that of the caller
		project = in[1]
	}
	n.name = "projects/" + project + "/locations/" + s.o.Location + "/sessions/" + n.id
	if err := s.sessions.add(n); err != nil {
		return nil, err
	}
	out := &storagepb.ReadSession{
		Name: n.name, ExpireTime: timestamppb.New(n.expires()), DataFormat: storagepb.DataFormat_ARROW, Table: r.GetReadSession().GetTable(),
		Schema:         &storagepb.ReadSession_ArrowSchema{ArrowSchema: &storagepb.ArrowSchema{SerializedSchema: n.serialized}},
		TableModifiers: r.GetReadSession().GetTableModifiers(), ReadOptions: r.GetReadSession().GetReadOptions(),
		EstimatedRowCount: n.rows, TraceId: r.GetReadSession().GetTraceId(),
	}
	for _, x := range n.streams {
		out.Streams = append(out.Streams, &storagepb.ReadStream{Name: n.streamName(x)})
	}
	return out, nil
}

// SplitReadStream implements [storagepb.BigQueryReadServer].
func (s *Server) SplitReadStream(_ context.Context, r *storagepb.SplitReadStreamRequest) (*storagepb.SplitReadStreamResponse, error) {
	n, x, err := s.stream(r.GetName())
	if err != nil {
		return nil, err
	}
	f := r.GetFraction()
	if f == 0 {
		f = 0.5
	}
	if !(f > 0 && f < 1) {
		return nil, invalid("fraction must lie between 0 and 1, not be %v", f)
	}
	at := x.from + int64(float64(x.to-x.from)*f)
	if at == x.from || at == x.to || n.pins != nil {
		return &storagepb.SplitReadStreamResponse{}, nil // which says that it cannot be split
	}
	return &storagepb.SplitReadStreamResponse{
		PrimaryStream:   &storagepb.ReadStream{Name: n.streamName(span{x.from, at})},
		RemainderStream: &storagepb.ReadStream{Name: n.streamName(span{at, x.to})},
	}, nil
}
