package pbiviz

import (
	"regexp"
	"strings"
	"unicode"
)

// maxPrelude is what one stored deflate block holds. A token has about a thousand bytes.
const maxPrelude = 1<<16 - 1

var (
	guidPattern = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]{0,199}$`)
	tokenSyntax = `[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`

	tokenPattern   = regexp.MustCompile(`^` + tokenSyntax + `$`)
	preludePattern = regexp.MustCompile(`^(?:'use strict';)?` +
		`\(globalThis\.okvizLicenses=globalThis\.okvizLicenses\|\|\{\}\)` +
		`\['([A-Za-z_$][A-Za-z0-9_$]*)'\]='(` + tokenSyntax + `)';`)
)

// prelude returns the statement that hands the token to the visual with this guid.
// It has no character that a JSON string must escape, and no line break, so that line
// numbers of the code stay.
func prelude(guid, token string, strict bool) string {
	directive := ""
	if strict {
		directive = `'use strict';`
	}
	return directive + `(globalThis.okvizLicenses=globalThis.okvizLicenses||{})['` + guid + `']='` + token + `';`
}

// splitPrelude reads the prelude at the start of a script; ok is false if there is none.
func splitPrelude(script string) (guid, token string, ok bool) {
	m := preludePattern.FindStringSubmatch(script)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}

// isStrict says whether the script opens with a 'use strict' directive. A directive
// counts only before the first statement, so a prelude put before it must repeat it:
// otherwise the same code would silently run in sloppy mode. It is looked for in the
// script's first mebibyte.
func isStrict(script string) bool {
	script = script[:min(len(script), 1<<20)]
	for {
		script, _ = skipBlank(script)
		if script == "" || script[0] != '"' && script[0] != '\'' {
			return false
		}
		end := literalEnd(script)
		if end < 0 {
			return false
		}
		literal := script[1:end]
		rest, newline := skipBlank(script[end+1:])
		switch {
		case strings.HasPrefix(rest, ";"):
			rest = rest[1:]
		case rest == "":
		case newline && !strings.ContainsRune(".([,+-*/%&|^<>=?!`", rune(rest[0])): // a semicolon is inserted
		default:
			return false // the literal is part of an expression
		}
		if literal == "use strict" {
			return true
		}
		script = rest
	}
}

// literalEnd returns the index of the quote that closes the literal which s opens with,
// or -1.
func literalEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\n', '\r':
			return -1
		case s[0]:
			return i
		}
	}
	return -1
}

// skipBlank cuts white space and comments off the start of s, and says whether a line
// ended among them.
func skipBlank(s string) (rest string, newline bool) {
	const lineEnds = "\n\r\u2028\u2029"
	for {
		rest = strings.TrimLeftFunc(s, func(r rune) bool { return r == '\ufeff' || unicode.IsSpace(r) })
		end := len(rest)
		switch {
		case strings.HasPrefix(rest, "//"):
			if i := strings.IndexAny(rest, lineEnds); i >= 0 {
				end = i
			}
		case strings.HasPrefix(rest, "/*"):
			if i := strings.Index(rest[2:], "*/"); i >= 0 {
				end = i + 4
			}
		default:
			end = 0
		}
		newline = newline || strings.ContainsAny(s[:len(s)-len(rest)+end], lineEnds)
		if end == 0 {
			return rest, newline
		}
		s = rest[end:]
	}
}
