package mail

import (
	"strings"
	"unicode"
)

// clean makes a name fit for one line of a mail: valid UTF-8 without line
// breaks, other control characters, and the marks that turn the direction of
// what follows. It leaves every other name as it is, a licensee's above all,
// which is to be typed exactly.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(s)
}
