package vertextest

import "unicode/utf8"

// CountTokens is the fake's tokenizer: one token for each four characters begun. The empty text has none.
func CountTokens(text string) int { return (utf8.RuneCountInString(text) + 3) / 4 }

// cutTokens keeps the first n tokens.
func cutTokens(text string, n int) (string, bool) {
	if CountTokens(text) <= n {
		return text, false
	}
	chars := 0
	for i := range text {
		if chars == 4*n {
			return text[:i], true
		}
		chars++
	}
	return text, false
}
