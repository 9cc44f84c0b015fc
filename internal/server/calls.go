package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"cloud.google.com/go/bigquery/connection/apiv1/connectionpb"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/mallardml/mallard/internal/server/bigquery"
	"github.com/mallardml/mallard/internal/server/storageread"
)

// callBytes bounds a message that comes in by gRPC: the longest that is needed carries a row_restriction.
const callBytes = 4 << 20

// newCalls makes the server of gRPC, with the services that are served by it.
func (s *Server) newCalls() *grpc.Server {
	calls := grpc.NewServer(grpc.ChainUnaryInterceptor(s.unary), grpc.ChainStreamInterceptor(s.streaming), grpc.MaxRecvMsgSize(callBytes),
		grpc.MaxConcurrentStreams(256), grpc.WriteBufferSize(256<<10))
	s.reads = storageread.New(storageread.Options{DB: s.db, Tables: readables{s.bigquery}, Location: s.o.Location, Logger: s.o.Logger})
	storagepb.RegisterBigQueryReadServer(calls, s.reads)
	connectionpb.RegisterConnectionServiceServer(calls, s.connections)
	s.policies.Register(calls)
	s.services.register(calls)
	return calls
}

func (s *Server) unary(ctx context.Context, in any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (out any, err error) {
	err = s.call(ctx, info.FullMethod, func() error {
		out, err = handler(ctx, in)
		return err
	})
	return out, err
}

func (s *Server) streaming(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return s.call(stream.Context(), info.FullMethod, func() error { return handler(srv, stream) })
}

// call runs a call behind the checks of who asks, and counts it: what [Server.Handler] does for requests.
func (s *Server) call(ctx context.Context, method string, run func() error) (err error) {
	begin := time.Now()
	s.counts.requests.Add(1)
	s.counts.running.Add(1)
	defer func() {
		s.counts.running.Add(-1)
		if p := recover(); p != nil {
			s.o.Logger.Error("a fault of the server's", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = status.Error(codes.FailedPrecondition, "A fault of Mallard's: its log says more.")
		}
		if err != nil {
			s.counts.failed.Add(1)
		}
		s.o.Logger.Debug("call", "method", method, "status", status.Code(err).String(), "took", time.Since(begin).Round(time.Microsecond))
	}()
	given := ""
	if all := metadata.ValueFromIncomingContext(ctx, "authorization"); len(all) > 0 {
		given = all[0]
	}
	if !s.gateway.Admits(given) {
		return status.Error(codes.Unauthenticated, "The call is missing the server's -token as its authorization: Bearer.")
	}
	return run()
}

// readables lets Storage Read find tables.
type readables struct{ s *bigquery.Service }

// Table implements [storageread.Tables].
func (r readables) Table(ctx context.Context, project, dataset, table string) (storageread.Table, error) {
	of, err := r.s.Readable(ctx, project, dataset, table)
	return storageread.Table{Name: of.SQL, GoogleSQL: of.GoogleSQL, Columns: of.Columns, Fixed: of.Fixed}, asStatus(err)
}

// Keep implements [storageread.Tables].
func (r readables) Keep(ctx context.Context, query string) (storageread.Table, func(context.Context) error, error) {
	of, drop, err := r.s.Keep(ctx, query)
	return storageread.Table{Name: of.SQL, Columns: of.Columns, Fixed: of.Fixed}, drop, asStatus(err)
}

// statusCodes are gRPC's of HTTP's.
var statusCodes = map[int]codes.Code{
	http.StatusNotFound: codes.NotFound, http.StatusForbidden: codes.PermissionDenied, http.StatusConflict: codes.AlreadyExists,
	499: codes.Canceled,
}

// asStatus is a fault of REST's as gRPC shows it.
func asStatus(err error) error {
	var f *bigquery.Fault
	if !errors.As(err, &f) {
		return err
	}
	code, ok := statusCodes[f.Status]
	if !ok {
		code = codes.InvalidArgument
	}
	return status.Error(code, f.Message)
}
