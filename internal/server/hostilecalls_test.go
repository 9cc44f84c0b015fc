package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/bigquery/connection/apiv1/connectionpb"
	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// media are contents of loads.
func (a *attacker) media() []byte {
	return a.flipped([]byte(pick(a, "a,b\n1,2\n\"x\"\"\n", `{"a": 1}`+"\n"+`{"a": [`, "PAR1\x15\x04\x15\x10PAR1", "ARROW1\x00\x00\xff\xff\xff\xff\x10\x00\x00\x00", "Obj\x01\x02\x16avro.schema",
		"ORC\x08\x03", "\x1f\x8b\x08\x00\x00", strings.Repeat("1,", 4000), "\xef\xbb\xbfa\n", "")))
}

var formats = []string{"CSV", "NEWLINE_DELIMITED_JSON", "PARQUET", "AVRO", "ORC", "ARROW", "DATASTORE_BACKUP", "X", ""}

func (a *attacker) load() []byte {
	text := fmt.Sprintf(`{"configuration": {"load": {"sourceFormat": %q, "autodetect": true, "destinationTable": {"projectId": "test-project", "datasetId": "d", "tableId": "l%d"},
		"writeDisposition": "WRITE_TRUNCATE", "maxBadRecords": 3, "fieldDelimiter": ",", "encoding": "UTF-8", "nullMarker": "x"}}}`, formats[a.r.IntN(len(formats))], a.r.IntN(5))
	if a.r.IntN(3) == 0 {
		return a.mutated([]byte(text))
	}
	return []byte(text)
}

const uploads = "/upload/bigquery/v2/projects/test-project/jobs?uploadType="

// upload sends a multipart request.
func (a *attacker) upload() {
	boundary := pick(a, "x", "==x==", "", strings.Repeat("b", 200))
	text := fmt.Appendf(nil, "--%s\r\nContent-Type: application/json\r\n\r\n%s\r\n--%s\r\nContent-Type: %s\r\n\r\n%s\r\n--%s--\r\n", boundary, a.load(), boundary,
		pick(a, "application/octet-stream", "*/*", "", "text/csv"), a.media(), boundary)
	if a.r.IntN(2) == 0 {
		text = a.flipped(text)
	}
	kind := pick(a, `multipart/related; boundary="`+boundary+`"`, "multipart/related; boundary="+boundary, "multipart/related", "multipart/mixed; boundary=y", "text/plain")
	a.send("upload", "POST", uploads+pick(a, "multipart", "multipart", "media", "x", ""), http.Header{"Content-Type": {kind}}, text)
}

// resumable begins an upload, and goes on with it in a wrong way.
func (a *attacker) resumable() {
	answer := a.send("resumable", "POST", uploads+"resumable", http.Header{"Content-Type": {"application/json"},
		"X-Upload-Content-Length": {pick(a, "10", "-1", "x", "99999999999999999", "")}, "X-Upload-Content-Type": {"*/*"}}, a.load())
	if answer == nil {
		return
	}
	at := strings.TrimPrefix(answer.Header.Get("Location"), "http://"+a.addr)
	if at == "" || !strings.HasPrefix(at, "/") {
		at = uploads + "resumable&upload_id=" + a.word()
	}
	for range 1 + a.r.IntN(3) {
		a.send("resumable", pick(a, "PUT", "PUT", "PUT", "POST", "DELETE", "GET"), at, http.Header{"Content-Range": {pick(a, "bytes */*", "bytes */10", "bytes 0-9/10", "bytes 5-9/10",
			"bytes 0-4/*", "bytes 9-0/10", "bytes -1-5/3", "bytes 0-99999999999999999999/5", "bytes x", "", "bytes 0-0/1", "bytes 18446744073709551615-18446744073709551616/*")}}, a.media())
	}
}

// connections asks the services of connections and policies.
func (a *attacker) connections() {
	at := pick(a, "/v1/projects/test-project/locations/us/connections", "/v1/projects/test-project/locations/us/connections/c", "/v1/projects/test-project:setIamPolicy",
		"/v3/projects/test-project:testIamPermissions", "/v1/projects/"+a.word()+":getIamPolicy", "/v1/projects/test-project/locations/"+a.word()+"/connections/"+a.word())
	a.send("connection", pick(a, "GET", "POST", "PATCH", "DELETE"), at+"?connectionId="+pick(a, "c", "x", "%2e%2e")+"&updateMask="+pick(a, "description", "x", "")+"&pageToken="+pick(a, "", "-1", "z"),
		http.Header{"Content-Type": {"application/json"}}, a.mutated([]byte(`{"cloudResource": {}, "description": "d", "policy": {"etag": "AAAA", "bindings": [{"role": "r", "members": ["m"]}]}}`)))
}

func (a *attacker) token() {
	a.send("token", pick(a, "POST", "GET", "PUT"), "/token", http.Header{"Content-Type": {pick(a, "application/x-www-form-urlencoded", "application/json", "")}},
		a.flipped([]byte("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=eyJhbGciOiJSUzI1NiJ9.e30.AAAA")))
}

// rawCodec sends bytes as messages, whatever they are.
type rawCodec struct{}

var _ encoding.CodecV2 = rawCodec{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// message is a request of gRPC's that is made from a right one.
func (a *attacker) message() (method string, stream bool, text []byte) {
	var m proto.Message
	switch a.r.IntN(8) {
	case 0, 1, 2:
		method = "/google.cloud.bigquery.storage.v1.BigQueryRead/CreateReadSession"
		m = &storagepb.CreateReadSessionRequest{Parent: "projects/test-project", MaxStreamCount: int32(a.r.IntN(5) - 1), ReadSession: &storagepb.ReadSession{
			Table: "projects/test-project/datasets/d/tables/" + pick(a, "t", "t", "t", a.word()), DataFormat: storagepb.DataFormat(pick(a, 2, 2, 2, 1, 0, 9)),
			ReadOptions: &storagepb.ReadSession_TableReadOptions{SelectedFields: pick(a, nil, []string{"x"}, []string{a.word()}, []string{"x.y.z"}),
				RowRestriction: pick(a, "", "x > 0", "TRUE) OR (TRUE", "x = '", strings.Repeat("(", 3000), "x IN (SELECT 1)", "ERROR('a')", "\x00", a.word())}}}
	case 3, 4:
		method, stream = "/google.cloud.bigquery.storage.v1.BigQueryRead/ReadRows", true
		m = &storagepb.ReadRowsRequest{ReadStream: "projects/test-project/locations/us/sessions/" + strings.Repeat("0", 32) + "/streams/" + pick(a, "0-1", "1-0", a.word()), Offset: a.r.Int64() - a.r.Int64()}
	case 5:
		method = "/google.cloud.bigquery.storage.v1.BigQueryRead/SplitReadStream"
		m = &storagepb.SplitReadStreamRequest{Name: a.word(), Fraction: a.r.NormFloat64()}
	case 6:
		method = "/google.cloud.bigquery.connection.v1.ConnectionService/" + pick(a, "CreateConnection", "GetConnection", "ListConnections", "UpdateConnection", "DeleteConnection")
		m = &connectionpb.CreateConnectionRequest{Parent: "projects/test-project/locations/us", ConnectionId: "c", Connection: &connectionpb.Connection{Name: "x"}}
	default:
		method = "/google.cloud.resourcemanager.v3.Projects/" + pick(a, "GetIamPolicy", "SetIamPolicy", "TestIamPermissions", "Nothing")
		m = &iampb.SetIamPolicyRequest{Resource: "projects/test-project", Policy: &iampb.Policy{Bindings: []*iampb.Binding{{Role: "r", Members: []string{"m"}}}}}
	}
	text, _ = proto.Marshal(m) // texts that are no UTF-8 give none
	if a.r.IntN(2) == 0 {
		text = a.flipped(text)
	}
	return method, stream, text
}

func (a *attacker) call() {
	ctx, stop := context.WithTimeout(context.Background(), 60*time.Second)
	defer stop()
	method, stream, in := a.message()
	var out []byte
	var err error
	if stream {
		var s grpc.ClientStream
		if s, err = a.calls.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method); err == nil {
			err = s.SendMsg(&in)
		}
		for err == nil {
			err = s.RecvMsg(&out)
		}
	} else {
		err = a.calls.Invoke(ctx, method, &in, &out)
	}
	code := status.Code(err)
	bad := code == codes.Unknown || code == codes.Unavailable || code == codes.DeadlineExceeded || code == codes.DataLoss ||
		code == codes.Internal && !strings.Contains(err.Error(), "unmarshal") // that is gRPC's own answer
	if err != nil && strings.HasSuffix(err.Error(), "EOF") {
		bad = false
	}
	a.note("call", code.String(), bad, fmt.Sprintf("%s %s: %v", method, base64.StdEncoding.EncodeToString(in), err))
}

// raw sends bytes that may be no HTTP, no TLS and no HTTP/2.
func (a *attacker) raw() {
	c, err := net.DialTimeout("tcp", a.addr, 10*time.Second)
	if err != nil {
		a.note("raw", "not reached", true, err.Error())
		return
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	frame := func() string {
		n := a.r.IntN(64)
		return string([]byte{0, 0, byte(n), byte(a.r.IntN(12)), byte(a.r.IntN(256)), 0, 0, 0, byte(a.r.IntN(4))}) + strings.Repeat(string(rune(a.r.IntN(128))), n)
	}
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	text := pick(a, preface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"+frame()+frame(), preface+frame(), preface, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n", "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
		"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
		"CONNECT bigquery.googleapis.com:443 HTTP/1.1\r\nHost: bigquery.googleapis.com:443\r\n\r\n"+frame(), "CONNECT x HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", "GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x00\x01\x02", "\r\n\r\n")
	if a.r.IntN(3) == 0 {
		text = string(a.flipped([]byte(text)))
	}
	if a.r.IntN(8) == 0 {
		t := tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: pick(a, "localhost", "evil.example", "bigquery.googleapis.com")}) //nolint:gosec // what it says is not looked at
		_, _ = t.Write([]byte(text))
		a.note("raw", "TLS", false, "")
		return
	}
	if _, err := c.Write([]byte(text)); err != nil {
		a.note("raw", "ended", false, "")
		return
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		a.note("raw", "no HTTP", false, "")
		return
	}
	// 502 is how a proxy says that the far end was not reached; 501 and 505 are net/http's to what is no HTTP that it knows.
	tunnel := bytes.Contains([]byte(text), []byte("CONNECT")) && answer.StatusCode == http.StatusBadGateway
	own := answer.StatusCode == http.StatusNotImplemented || answer.StatusCode == http.StatusHTTPVersionNotSupported
	a.note("raw", fmt.Sprint(answer.StatusCode), answer.StatusCode >= 500 && !tunnel && !own, text)
}
