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
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Service is the running service. It may be used by several goroutines.
type Service struct {
	conn  *grpc.ClientConn
	meter meter
}

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
	s := &Service{conn: conn, meter: meter{threads: threads}}
	opened[path] = s
	return s, nil
}

// maxTime is the processor time of a call, for a request of ordinary size; a byte beyond that has its own.
const (
	maxTime      = 2 * time.Second
	ordinarySize = 256 << 10
	timePerByte  = 5 * time.Microsecond
)

// Call answers a method. An error that the service gives has its words alone. A call that takes too long, or whose context ends, goes
// on in the service, which cannot be stopped.
func (s *Service) Call(ctx context.Context, method string, request []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	limit := maxTime + time.Duration(max(0, len(request)-ordinarySize))*timePerByte
	type outcome struct {
		answer []byte
		err    error
	}
	done := make(chan outcome, 1)
	c := s.meter.begin(limit)
	go func() {
		var o outcome
		o.err = s.conn.Invoke(context.WithoutCancel(ctx), "/zetasql.local_service.ZetaSqlLocalService/"+method, request, &o.answer)
		s.meter.end(c)
		done <- o
	}()
	select {
	case o := <-done:
		if st, ok := status.FromError(o.err); o.err != nil && ok {
			return nil, errors.New(st.Message())
		}
		return o.answer, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.spent:
		return nil, fmt.Errorf("the statement takes GoogleSQL's analyzer more than %v; make it shorter, or nest it less",
			limit.Round(100*time.Millisecond))
	}
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
