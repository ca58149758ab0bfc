package documents

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/delivery/words"
)

func TestALineIsDrawnInVisualOrder(t *testing.T) {
	for logical, want := range map[string]string{
		"Ada Lovelace":    "Ada Lovelace",
		"אבג":             "גבא",
		"אב 12 גד":        "דג 12 בא",
		"אב (Ltd) גד":     "דג (Ltd) בא",
		"Ltd (אב גד) Ltd": "Ltd (דג בא) Ltd",
		"12 אב":           "בא 12",
		"":                "",
	} {
		if got := printable(logical).visual(); got != want {
			t.Errorf("%q is drawn as %q, not %q", logical, got, want)
		}
	}
}

func TestWordsAreKeptWhereTheyFit(t *testing.T) {
	w, err := New(Vendor{Name: "Vendor"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := w.sheet(words.In(""), "Test", time.Time{})
	got := s.wrap(body, 20, "one two three four incomprehensibilities remain")
	want := []printable{"one two", "three four", "incomprehen", "sibilities", "remain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Printable text has only what the fonts show, and wrapping loses nothing of
// it and keeps to the width.
func FuzzPrintable(f *testing.F) {
	for _, s := range []string{
		"Ελένη Παπαδοπούλου", "Иван Петров", "דנה 12 כהן (Ltd)", "محمد", "😀👨‍👩‍👧", "𝔄½⅐²①ﬁ", "\xff\xc3(", "\x00\u202e\u2066", "\uFFFE\uFFFF\uD7FF",
		strings.Repeat("W", 1500), strings.Repeat("e\u0301", 200), "\\)(\r\n", "čǍ\u0d0d", "Nguyễn", " \u2028\u00a0 a  b ",
	} {
		f.Add(s)
	}
	w, err := New(Vendor{Name: "Vendor"}, nil)
	if err != nil {
		f.Fatal(err)
	}
	sheet := w.sheet(words.In(""), "Fuzz", time.Time{})
	f.Fuzz(func(t *testing.T, s string) {
		p := w.printable(s)
		for _, r := range string(p) {
			if r != ' ' && !w.shows(r) {
				t.Fatalf("%q of %q cannot be shown", r, p)
			}
		}
		if !utf8.ValidString(string(p)) || w.printable(string(p)) != p && len(p) < longest {
			t.Fatalf("%q is not what it becomes itself", p)
		}
		if drawn := p.visual(); utf8.RuneCountInString(drawn) != utf8.RuneCountInString(string(p)) {
			t.Fatalf("%q is drawn as %q", p, drawn)
		}
		var all []string
		for _, line := range sheet.wrap(body, 40, s) {
			sheet.use(body)
			if sheet.width(line) > 40.01 || line == "" {
				t.Fatalf("a line of %q is empty or too wide: %q", s, line)
			}
			all = append(all, string(line))
		}
		letters := func(s string) []rune { return []rune(strings.ReplaceAll(s, " ", "")) }
		if !slices.Equal(letters(strings.Join(all, "")), letters(string(p))) {
			t.Fatalf("wrapping changed %q to %q", p, all)
		}
	})
}
