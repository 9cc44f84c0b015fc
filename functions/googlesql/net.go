package googlesql

import (
	"bytes"
	"database/sql"
	endian "encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// nets are the functions NET.… (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/net_functions).
var nets = map[string]definition{
	"net_host": unary(func(s string) (sql.Null[string], error) {
		h := hostOf(s)
		return sql.Null[string]{V: h, Valid: h != ""}, nil
	}),
	"net_public_suffix": unary(func(s string) (sql.Null[string], error) {
		suffix, _ := suffixOf(hostOf(s))
		return sql.Null[string]{V: suffix, Valid: suffix != ""}, nil
	}),
	"net_reg_domain": unary(func(s string) (sql.Null[string], error) {
		_, domain := suffixOf(hostOf(s))
		return sql.Null[string]{V: domain, Valid: domain != ""}, nil
	}),
	"net_ip_from_string": unary(func(s string) ([]byte, error) {
		ip, ok := parseIP(s)
		if !ok {
			return nil, fmt.Errorf("NET.IP_FROM_STRING() encountered an unparseable IP-address: %s", s)
		}
		return ip, nil
	}),
	"net_safe_ip_from_string": unary(func(s string) (sql.Null[[]byte], error) {
		ip, ok := parseIP(s)
		return sql.Null[[]byte]{V: ip, Valid: ok}, nil
	}),
	"net_ip_to_string": unary(func(b []byte) (string, error) {
		ip, ok := netip.AddrFromSlice(b)
		if !ok {
			const wrong = "NET.IP_TO_STRING() encountered an invalid IP address. Expected 4 (for IPv4) or 16 (for IPv6) bytes but got %d"
			return "", fmt.Errorf(wrong, len(b))
		}
		return ip.String(), nil
	}),
	"net_ipv4_from_int64": unary(func(n int64) ([]byte, error) {
		if n < -0x80000000 || n > 0xFFFFFFFF {
			return nil, fmt.Errorf("NET.IPV4_FROM_INT64() encountered an invalid integer IP. Expected range: [-0x80000000, 0xFFFFFFFF]; got %d", n)
		}
		return binary4(uint32(n)), nil
	}),
	"net_ipv4_to_int64": unary(func(b []byte) (int64, error) {
		if len(b) != 4 {
			return 0, fmt.Errorf("NET.IPV4_TO_INT64() encountered a non-IPv4 address. Expected 4 bytes but got %d", len(b))
		}
		return int64(endian.BigEndian.Uint32(b)), nil
	}),
	"net_ip_net_mask": binary(func(size, n int64) ([]byte, error) {
		switch {
		case size != 4 && size != 16:
			return nil, fmt.Errorf("The first argument of NET.IP_NET_MASK() must be either 4 (for IPv4) or 16 (for IPv6); got %d", size)
		case n < 0 || n > size*8:
			return nil, fmt.Errorf("The second argument of NET.IP_NET_MASK() must be between 0 and the first argument * 8; got %d", n)
		}
		return truncated(bytes.Repeat([]byte{0xff}, int(size)), n), nil
	}),
	"net_ip_trunc": binary(func(b []byte, n int64) ([]byte, error) {
		switch {
		case len(b) != 4 && len(b) != 16:
			return nil, fmt.Errorf("The first argument of NET.IP_TRUNC() must have length 4 (for IPv4) or 16 (for IPv6); got %d", len(b))
		case n < 0 || n > int64(len(b))*8:
			return nil, fmt.Errorf("The second argument of NET.IP_TRUNC() must be between 0 and 8 * LENGTH(first argument); got %d", n)
		}
		return truncated(b, n), nil
	}),
}

func binary4(n uint32) []byte { return endian.BigEndian.AppendUint32(nil, n) }

func truncated(b []byte, n int64) []byte {
	out := bytes.Clone(b)
	for i := range out {
		switch keep := n - int64(i)*8; {
		case keep <= 0:
			out[i] = 0
		case keep < 8:
			out[i] &= byte(0xff << (8 - keep))
		}
	}
	return out
}

func parseIP(s string) ([]byte, bool) {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		return nil, false
	}
	return ip.AsSlice(), true
}

var scheme = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*:)?//`)

// hostOf finds the host in a URL, as it is written; "" when there is none.
func hostOf(s string) string {
	s = strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r < ' ' })
	s = s[len(scheme.FindString(s)):]
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if strings.HasPrefix(s, "[") {
		if i := strings.IndexByte(s, ']'); i >= 0 {
			return s[:i+1]
		}
	}
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSpace(s)
}

// dots are those that part the labels of a name.
const dots = ".\u3002\uff0e\uff61"

// suffixOf gives the public suffix of a host and the domain registered under it, as they are written; "" for what is not
// there. A suffix that belongs to somebody, as us.com does, is none.
func suffixOf(host string) (suffix, domain string) {
	trimmed := strings.Trim(host, dots)
	name, err := idna.ToASCII(strings.ToLower(trimmed))
	if err != nil || name == "" || strings.HasPrefix(name, "[") {
		return "", ""
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "", ""
	}
	found, known := publicsuffix.PublicSuffix(name)
	for !known {
		_, rest, more := strings.Cut(found, ".")
		if !more {
			return "", ""
		}
		found, known = publicsuffix.PublicSuffix(rest)
	}
	labels := strings.FieldsFunc(trimmed, func(r rune) bool { return strings.ContainsRune(dots, r) })
	n := strings.Count(found, ".") + 1
	if n > len(labels) {
		return "", ""
	}
	tail := func(n int) string { return lastLabels(trimmed, n) }
	suffix = tail(n)
	if n < len(labels) {
		domain = tail(n + 1)
	}
	return suffix, domain
}

// lastLabels is the end of a name that has n labels.
func lastLabels(name string, n int) string {
	end := len(name)
	for ; n > 0; n-- {
		if end = strings.LastIndexAny(name[:end], dots); end < 0 {
			return name
		}
	}
	for i := range name[end:] {
		if i > 0 {
			return name[end+i:]
		}
	}
	return ""
}
