package googlesql

import (
	"database/sql"
	"errors"
)

// likes is the operator LIKE, with its escapes.
var likes = map[string]definition{
	"like":       binary(func(s, pattern string) (bool, error) { return like(s, pattern) }),
	"like_bytes": binary(func(b, pattern []byte) (bool, error) { return like(b, pattern) }),
	// Over an array: whether not is before LIKE, and whether all patterns count.
	"like_array":       quaternary(likeArray[string]),
	"like_array_bytes": quaternary(likeArray[[]byte]),
}

// like matches a whole text: % is any characters, _ is one, and \ takes the meaning from what follows.
func like[T string | []byte](s, pattern T) (bool, error) {
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' {
			if i++; i == len(pattern) {
				return false, errors.New("LIKE pattern ends with a backslash")
			}
		}
	}
	i, j := 0, 0
	star, from := -1, 0 // the last %, and where what follows it is tried
	for i < len(s) || j < len(pattern) {
		if j < len(pattern) {
			switch c := pattern[j]; {
			case c == '%':
				star, from = j, i
				j++
				continue
			case i == len(s):
			case c == '_':
				i += step(s[i:])
				j++
				continue
			case c == '\\':
				if pattern[j+1] == s[i] {
					i, j = i+1, j+2
					continue
				}
			case c == s[i]:
				i, j = i+1, j+1
				continue
			}
		}
		if star < 0 || from >= len(s) {
			return false, nil
		}
		from += step(s[from:])
		i, j = from, star+1
	}
	return true, nil
}

func likeArray[T string | []byte](s sql.Null[T], patterns []sql.Null[T], not, all bool) (sql.Null[bool], error) {
	null := false
	for _, p := range patterns {
		if !s.Valid || !p.Valid {
			null = true
			continue
		}
		is, err := like(s.V, p.V)
		if err != nil {
			return sql.Null[bool]{}, err
		}
		if is != not != all {
			return some(!all), nil
		}
	}
	return sql.Null[bool]{V: all, Valid: !null}, nil
}
