package documents

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// printable is text that the writer's fonts can show: valid, on one line, in
// reading order. fpdf panics on some of the rest.
type printable string

// longest is how many runes of one text are printed.
const longest = 1000

// printable makes text fit to print. What the fonts lack becomes its plain
// letter if it has one ("ễ" an "e"), otherwise a question mark; control and
// formatting characters are dropped.
func (w *Writer) printable(s string) printable {
	runes := []rune(strings.ToValidUTF8(s, "?"))
	if len(runes) > longest {
		runes = append(runes[:longest:longest], []rune("...")...)
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(string(runes)) {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Variation_Selector):
		case w.shows(r):
			b.WriteRune(r)
		default:
			b.WriteString(w.plain(r))
		}
	}
	return printable(strings.Join(strings.Fields(b.String()), " "))
}

// plain is a rune that the fonts lack without the marks that they lack.
func (w *Writer) plain(r rune) string {
	var b strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		switch {
		case w.shows(part) || part == ' ':
			b.WriteRune(part)
		case !unicode.Is(unicode.M, part):
			return "?"
		}
	}
	return norm.NFC.String(b.String())
}

// shows tells whether the fonts have a glyph for a rune that fpdf can address.
func (w *Writer) shows(r rune) bool {
	if r > 0xFFFF {
		return false
	}
	for _, face := range w.faces {
		if glyph, err := face.GlyphIndex(nil, r); err != nil || glyph == 0 {
			return false
		}
	}
	return true
}

// visual is a line as it is drawn from left to right. Where the first letter
// is a right-to-left one, the whole line runs that way.
func (p printable) visual() string {
	s := string(p)
	rightToLeft := func(r rune) bool {
		props, _ := bidi.LookupRune(r)
		return props.Class() == bidi.R || props.Class() == bidi.AL
	}
	if !strings.ContainsFunc(s, rightToLeft) {
		return s
	}
	var line bidi.Paragraph
	if _, err := line.SetString(s); err != nil {
		return s
	}
	order, err := line.Order()
	if err != nil {
		return s
	}
	first := strings.IndexFunc(s, func(r rune) bool { return rightToLeft(r) || unicode.IsLetter(r) })
	fromRight := rightToLeft([]rune(s[first:])[0])
	var drawn string
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		if run.Direction() == bidi.RightToLeft {
			text = bidi.ReverseString(text)
		}
		if fromRight {
			drawn = text + drawn
		} else {
			drawn += text
		}
	}
	return drawn
}

// present leaves out the empty ones.
func present(texts ...string) []string {
	var kept []string
	for _, t := range texts {
		if t != "" {
			kept = append(kept, t)
		}
	}
	return kept
}
