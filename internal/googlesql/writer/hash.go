package writer

import "github.com/mallardml/mallard/googlesql"

// hashes are the hash functions (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions).
var hashes = map[string]entry{
	"farm_fingerprint": hashOf("farm_fingerprint"),
	"md5":              hashOf("md5"),
	"sha1":             hashOf("sha1"),
	"sha256":           hashOf("sha256"),
	"sha512":           hashOf("sha512"),
}

// hashOf makes an entry of a native function over bytes.
func hashOf(name string) entry {
	return func(c *call) string { return c.w.native(name) + "(" + c.bytes(0) + ")" }
}

// bytes gives an argument, STRING or BYTES, as BLOB.
func (c *call) bytes(i int) string {
	if c.types[i].Kind == googlesql.Bytes {
		return c.args[i]
	}
	return "encode(" + c.args[i] + ")"
}
