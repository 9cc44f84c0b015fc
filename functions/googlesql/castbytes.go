package googlesql

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// castBytes are CAST … FORMAT between BYTES and STRING
// (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_bytes_as_string).
var castBytes = map[string]definition{
	"bytes_to_string_format": binary(bytesByFormat),
	"string_to_bytes_format": binary(bytesFromFormat),
}

// lineOfBase64 is how many characters a line of BASE64M has.
const lineOfBase64 = 76

func bytesByFormat(b []byte, format string) (string, error) {
	switch strings.ToUpper(format) {
	case "BASE2":
		return bitDigits(b, 1), nil
	case "BASE8":
		return bitDigits(b, 3), nil
	case "BASE16", "HEX":
		return hex.EncodeToString(b), nil
	case "BASE32":
		return base32.StdEncoding.EncodeToString(b), nil
	case "BASE64":
		return base64.StdEncoding.EncodeToString(b), nil
	case "BASE64M":
		s := base64.StdEncoding.EncodeToString(b)
		var lines []string
		for ; len(s) > lineOfBase64; s = s[lineOfBase64:] {
			lines = append(lines, s[:lineOfBase64])
		}
		return strings.Join(append(lines, s), "\n"), nil
	case "ASCII":
		if !isASCII(string(b)) {
			return "", errors.New("Failed to decode invalid ASCII string")
		}
		return string(b), nil
	case "UTF-8", "UTF8":
		return bytesToString(b)
	}
	return "", fmt.Errorf("Invalid format '%s'", format)
}

// bitDigits writes bytes in digits of some bits each, of which the first may have fewer.
func bitDigits(b []byte, bits int) string {
	n := (len(b)*8 + bits - 1) / bits
	if n == 0 {
		return ""
	}
	s := new(big.Int).SetBytes(b).Text(1 << bits)
	return strings.Repeat("0", max(0, n-len(s))) + s
}

func bytesFromFormat(s, format string) ([]byte, error) {
	switch strings.ToUpper(format) {
	case "BASE2":
		return fromDigits(s, 1)
	case "BASE8":
		return fromDigits(s, 3)
	case "BASE16", "HEX":
		return fromHex(s)
	case "BASE32":
		return fromBase32(s)
	case "BASE64", "BASE64M":
		return fromBase64(s)
	case "ASCII":
		if !isASCII(s) {
			return nil, errors.New("Failed to decode invalid ASCII string")
		}
		return []byte(s), nil
	case "UTF-8", "UTF8":
		return []byte(s), nil
	}
	return nil, fmt.Errorf("Invalid format '%s'", format)
}

func fromDigits(s string, bits int) ([]byte, error) {
	for i, r := range s {
		if r < '0' || r >= '0'+1<<bits {
			return nil, fmt.Errorf("Failed to decode invalid base%d string due to character '%s' at offset %d", 1<<bits, string(r), i)
		}
	}
	if s == "" {
		return []byte{}, nil
	}
	n, ok := new(big.Int).SetString(s, 1<<bits)
	size := (len(s)*bits + 7) / 8
	if bits == 3 { // the bits of three digits beyond a byte, and of six beyond two, are nothing
		size = len(s)/8*3 + []int{0, 1, 1, 1, 2, 2, 2, 3}[len(s)%8]
		n.And(n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(1)))
	}
	if !ok {
		return nil, fmt.Errorf("Failed to decode invalid base%d string", 1<<bits)
	}
	return n.FillBytes(make([]byte, size)), nil
}
