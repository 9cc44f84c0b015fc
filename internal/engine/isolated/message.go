package isolated

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/mallardml/mallard/functions"
	"github.com/mallardml/mallard/internal/failure"
)

// The calls of a worker, the first byte of a message, and the first byte of an answer.
const (
	callConfigure = iota + 1 // the configuration; the answer is empty
	callOpen                 // an opening as JSON; the answer is the model's number
	callRun                  // the model's number, then tensors; the answer is tensors
	callClose                // the model's number; the answer is empty

	answerDone   = 0
	answerFailed = 1 // the kind of failure, or nothing, a zero byte, and the text
)

const (
	maxAnswer = 64 << 10 // bytes of an answer: tensors lie elsewhere
	maxText   = 16 << 10 // bytes of an error's text
	maxRank   = 254

	maxCopied  = 2 << 30 // bytes of a tensor that is copied
	maxStrings = 1 << 26 // elements of one
	align      = 64      // of tensors: what TensorFlow's own allocator gives
)

// A tensor is described by its type, its rank, the place and the bytes of its data, and its dimensions. The data of strings is their
// lengths, four bytes each, and then their texts.
const tensorHead = 1 + 1 + 8 + 8

// aligned is the next place for a tensor.
func aligned(n int) int { return (n + align - 1) &^ (align - 1) }

// place says where tensors are to lie from a place on, and where they end.
func place(head []byte, ts []functions.Tensor, at int) (_ []byte, end int, err error) {
	head = binary.LittleEndian.AppendUint32(head, uint32(len(ts)))
	for _, t := range ts {
		size := len(t.Data)
		if t.DType == functions.String {
			size = 4 * len(t.Strings)
			for _, s := range t.Strings {
				if len(s) > math.MaxInt32 {
					return nil, 0, errors.New("a string of more than 2 GiB cannot be sent to the process of the engine")
				}
				size += len(s)
			}
		}
		if len(t.Shape) > maxRank {
			return nil, 0, fmt.Errorf("a tensor of %d dimensions cannot be sent to the process of the engine", len(t.Shape))
		}
		at = aligned(at)
		head = append(head, byte(t.DType), byte(len(t.Shape)))
		head = binary.LittleEndian.AppendUint64(head, uint64(at))
		head = binary.LittleEndian.AppendUint64(head, uint64(size))
		for _, d := range t.Shape {
			head = binary.LittleEndian.AppendUint64(head, uint64(d))
		}
		at += size
	}
	return head, at, nil
}

// fill copies tensors to where place said that they lie, which mem must reach to.
func fill(mem []byte, ts []functions.Tensor, at int) {
	for _, t := range ts {
		at = aligned(at)
		if t.DType != functions.String {
			at += copy(mem[at:], t.Data)
			continue
		}
		lengths := mem[at:]
		at += 4 * len(t.Strings)
		for i, s := range t.Strings {
			binary.LittleEndian.PutUint32(lengths[4*i:], uint32(len(s)))
			at += copy(mem[at:], s)
		}
	}
}

var errForeign = errors.New("the process of the engine gave an answer that cannot be read")

// tensors reads what place wrote and fill filled. Numbers are views of mem, which may change under the reader; all else is copied before it
// is checked.
func tensors(head, mem []byte) ([]functions.Tensor, error) {
	if len(head) < 4 {
		return nil, errForeign
	}
	count := binary.LittleEndian.Uint32(head)
	head = head[4:]
	if uint64(count)*tensorHead > uint64(len(head)) {
		return nil, errForeign
	}
	all := make([]functions.Tensor, count)
	for i := range all {
		if len(head) < tensorHead || len(head) < tensorHead+8*int(head[1]) {
			return nil, errForeign
		}
		t := functions.Tensor{DType: functions.DType(head[0]), Shape: make([]int64, head[1])}
		from, size := binary.LittleEndian.Uint64(head[2:]), binary.LittleEndian.Uint64(head[10:])
		head = head[tensorHead:]
		n, unit := uint64(1), uint64(t.DType.Size())
		if t.DType == functions.String {
			unit = 4
		}
		for d := range t.Shape {
			dim := binary.LittleEndian.Uint64(head[8*d:])
			t.Shape[d] = int64(dim)
			hi, lo := bits.Mul64(n, dim)
			if hi != 0 || dim > math.MaxInt64 || lo > math.MaxInt64/8 {
				return nil, errForeign
			}
			n = lo
		}
		head = head[8*len(t.Shape):]
		if unit == 0 || from > uint64(len(mem)) || size > uint64(len(mem))-from || n*unit > size {
			return nil, errForeign
		}
		data := mem[from : from+size : from+size]
		ok := t.DType.Size() > 1 || size <= maxCopied && n <= maxStrings
		if !ok {
			return nil, errForeign
		}
		switch t.DType {
		case functions.String:
			t.Strings, ok = texts(data, int(n))
		case functions.Bool:
			t.Data, ok = bools(data)
			ok = ok && n == size
		default:
			t.Data, ok = data, n*unit == size
		}
		if !ok {
			return nil, errForeign
		}
		all[i] = t
	}
	if len(head) > 0 {
		return nil, errForeign
	}
	return all, nil
}

// texts reads n strings.
func texts(data []byte, n int) ([]string, bool) {
	all, block := make([]string, n), string(data[4*n:])
	for i := range all {
		size := binary.LittleEndian.Uint32(data[4*i:])
		if uint64(size) > uint64(len(block)) {
			return nil, false
		}
		all[i], block = block[:size], block[size:]
	}
	return all, block == ""
}

// bools copies truth values: DuckDB takes no other bytes than 0 and 1.
func bools(data []byte) ([]byte, bool) {
	own := append([]byte(nil), data...)
	for _, b := range own {
		if b > 1 {
			return nil, false
		}
	}
	return own, true
}

// kinds are the failures that keep their kind on the way.
func kinds() []*failure.Kind { return []*failure.Kind{failure.ErrTensorFlow, failure.ErrModelFiles} }

// failed writes an error as an answer.
func failed(err error) []byte {
	b := []byte{answerFailed}
	for _, k := range kinds() {
		if errors.Is(err, k) {
			b = append(b, k.Error()...)
			break
		}
	}
	text := err.Error()
	return append(append(b, 0), text[:min(len(text), maxText)]...)
}

// result gives what follows the first byte of an answer, or the error that the answer is.
func result(answer []byte) ([]byte, error) {
	switch {
	case len(answer) > 0 && answer[0] == answerDone:
		return answer[1:], nil
	case len(answer) == 0 || answer[0] != answerFailed:
		return nil, errForeign
	}
	name, text, ok := strings.Cut(string(answer[1:]), "\x00")
	if !ok {
		return nil, errForeign
	}
	err := errors.New(strings.ToValidUTF8(text, "\uFFFD"))
	for _, k := range kinds() {
		if k.Error() == name {
			return nil, failure.As(k, err)
		}
	}
	return nil, err
}
