// Package native runs Google's GoogleSQL service from its native library, liblocal_service_jni.so of the Maven artifact
// com.google.zetasql:zetasql-jni-channel-linux. The service speaks gRPC over a socket pair of its own making.
//
// The library is opened once in a process, and stays. A crash inside it is the process's.
package native

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "native.h"
*/
import "C"

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Service is the running service. It may be used by several goroutines.
type Service struct{ conn *grpc.ClientConn }

var (
	mu     sync.Mutex
	opened = map[string]*Service{} // by path: a library that was opened stays
)

// Open starts the service of the library at path, or gives the one that runs.
func Open(path string) (*Service, error) {
	mu.Lock()
	defer mu.Unlock()
	if s := opened[path]; s != nil {
		return s, nil
	}
	if len(opened) > 0 {
		return nil, errors.New("another GoogleSQL library is open in this process; start a new one to change it")
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	const size = 1024
	message := (*C.char)(C.calloc(1, size))
	defer C.free(unsafe.Pointer(message))
	fd := C.mallard_googlesql_start(name, message, size)
	if fd < 0 {
		return nil, fmt.Errorf("GoogleSQL library %s: %s", path, C.GoString(message))
	}
	file := os.NewFile(uintptr(fd), "googlesql")
	defer file.Close() // FileConn duplicates it
	socket, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("GoogleSQL library %s: %w", path, err)
	}
	var taken atomic.Bool
	conn, err := grpc.NewClient("passthrough:///googlesql",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, errors.New("the service's socket is closed")
			}
			return socket, nil
		}),
		grpc.WithIdleTimeout(0), // the one socket cannot be dialled again
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec{}), grpc.MaxCallRecvMsgSize(1<<30)))
	if err != nil {
		return nil, fmt.Errorf("GoogleSQL library %s: %w", path, err)
	}
	s := &Service{conn}
	opened[path] = s
	return s, nil
}

// maxTime is the time of a call, for a request of ordinary size; a byte beyond that has its own.
const (
	maxTime      = 2 * time.Second
	ordinarySize = 256 << 10
	timePerByte  = 5 * time.Microsecond
)

// Call answers a method. An error that the service gives has its words alone. A call that takes too long goes on in the
// service, which cannot be stopped.
func (s *Service) Call(ctx context.Context, method string, request []byte) ([]byte, error) {
	limit := maxTime + time.Duration(max(0, len(request)-ordinarySize))*timePerByte
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var answer []byte
	err := s.conn.Invoke(timed, "/zetasql.local_service.ZetaSqlLocalService/"+method, request, &answer)
	if st, ok := status.FromError(err); err != nil && ok && st.Code() != codes.Canceled && st.Code() != codes.DeadlineExceeded {
		return nil, errors.New(st.Message())
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (timed.Err() != nil || status.Code(err) == codes.DeadlineExceeded): // the service may be the first to see it
		return nil, fmt.Errorf("the statement takes GoogleSQL's analyzer more than %v; make it shorter, or nest it less",
			limit.Round(100*time.Millisecond))
	}
	return answer, err
}

// codec passes serialised messages through.
type codec struct{}

func (codec) Name() string                    { return "proto" }
func (codec) Marshal(v any) ([]byte, error)   { return v.([]byte), nil }
func (codec) Unmarshal(b []byte, v any) error { *v.(*[]byte) = bytes.Clone(b); return nil }

// Close ends the services of the process. It is for the end of a program: the libraries stay, and cannot be opened again.
func Close() error {
	mu.Lock()
	defer mu.Unlock()
	var errs []error
	for _, s := range opened {
		errs = append(errs, s.conn.Close())
	}
	return errors.Join(errs...)
}
