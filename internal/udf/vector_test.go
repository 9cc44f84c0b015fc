package udf

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// TestAnyNull compares with a look at every bit.
func TestAnyNull(t *testing.T) {
	if AnyNull(nil, 3, 100) || !Valid(nil, 3) {
		t.Error("no mask: there are no NULLs")
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		words := make([]uint64, 6)
		for i := range words {
			words[i] = math.MaxUint64
		}
		for range r.IntN(3) {
			words[r.IntN(6)] &^= 1 << r.IntN(64)
		}
		mask := unsafe.Pointer(&words[0])
		start := r.IntN(300)
		n := r.IntN(6*64 - start)
		want := false
		for i := start; i < start+n; i++ {
			want = want || words[i/64]&(1<<(i%64)) == 0
			if Valid(mask, i) != (words[i/64]&(1<<(i%64)) != 0) {
				t.Fatalf("%x at %d: got %v", words, i, Valid(mask, i))
			}
		}
		if got := AnyNull(mask, start, n); got != want {
			t.Fatalf("%x from %d for %d: got %v", words, start, n, got)
		}
	}
}

// TestStringLayout holds String to string_t: 16 bytes, the text behind the length, and no pointer that Go would follow.
func TestStringLayout(t *testing.T) {
	typ := reflect.TypeFor[String]()
	if typ.Size() != 16 || typ.Align() != 8 {
		t.Errorf("a string has %d bytes, aligned to %d; string_t has 16 and 8", typ.Size(), typ.Align())
	}
	for i := range typ.NumField() {
		switch typ.Field(i).Type.Kind() {
		case reflect.UnsafePointer, reflect.Pointer, reflect.String:
			t.Errorf("field %s is a pointer: storing a String would run Go's write barrier on DuckDB's garbage", typ.Field(i).Name)
		}
	}
	for n := range Inlined + 1 {
		s := String{math.MaxUint32, [4]byte{9, 9, 9, 9}, math.MaxUint64}
		text := strings.Repeat("x", n)
		s.Set(text)
		raw := (*[16]byte)(unsafe.Pointer(&s))
		want := string([]byte{byte(n), 0, 0, 0}) + text + strings.Repeat("\x00", Inlined-n)
		if s.View() != text || s.Len() != n || string(raw[:]) != want {
			t.Errorf("%d bytes: got %q, %q", n, s.View(), raw)
		}
	}
}
