package mailbox

import (
	"strings"
	"unicode"
)

// parseQuery reads a search: words and "quoted phrases", all of which must
// occur, whatever their case. `to:` looks at To, Cc and the envelope, `from:`
// and `subject:` at what they say; a word without one looks at all of these.
func parseQuery(query string) func(*summary) bool {
	type term struct{ field, text string }
	var terms []term
	quoted := false
	for _, word := range strings.FieldsFunc(query, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && unicode.IsSpace(r)
	}) {
		word = strings.ToLower(strings.ReplaceAll(word, `"`, ""))
		field, text, _ := strings.Cut(word, ":")
		switch field {
		case "to", "from", "subject":
		default:
			field, text = "", word
		}
		terms = append(terms, term{field, text})
	}
	return func(s *summary) bool {
		for _, t := range terms {
			if !strings.Contains(strings.ToLower(s.searchable(t.field)), t.text) {
				return false
			}
		}
		return true
	}
}

// searchable joins with line ends, which no search term contains.
func (s *summary) searchable(field string) string {
	var lines []string
	if field == "to" || field == "" {
		for _, a := range append(append([]address{}, s.To...), s.Cc...) {
			lines = append(lines, a.Name, a.Address)
		}
		lines = append(lines, s.recipients...)
	}
	if field == "from" || field == "" {
		lines = append(lines, s.From.Name, s.From.Address)
	}
	if field == "subject" || field == "" {
		lines = append(lines, s.Subject)
	}
	return strings.Join(lines, "\n")
}
