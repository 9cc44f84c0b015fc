package googlesql

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"

	farm "github.com/dgryski/go-farm"
)

// hashes are the hash functions; those over STRING hash its bytes.
var hashes = map[string]definition{
	"farm_fingerprint": unary(func(b []byte) (int64, error) { return int64(farm.Fingerprint64(b)), nil }),
	"md5":              unary(func(b []byte) ([]byte, error) { h := md5.Sum(b); return h[:], nil }),
	"sha1":             unary(func(b []byte) ([]byte, error) { h := sha1.Sum(b); return h[:], nil }),
	"sha256":           unary(func(b []byte) ([]byte, error) { h := sha256.Sum256(b); return h[:], nil }),
	"sha512":           unary(func(b []byte) ([]byte, error) { h := sha512.Sum512(b); return h[:], nil }),
}
