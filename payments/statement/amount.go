package statement

import (
	"strconv"
	"strings"

	"github.com/bojanz/currency"
)

// maxDigits is how many digits an amount may have: what fits into an int64,
// with room for its minor unit.
const maxDigits = 14

// minorUnits reads an amount as banks write it: with a point or a comma before
// the minor unit, and points, commas, apostrophes or spaces between thousands.
// The currency decides what a single mark is: before three digits it divides
// thousands, unless the currency has three decimals. False: it is no amount, or
// has more decimals than its currency.
func minorUnits(text, code string) (int64, bool) {
	digits, known := currency.GetDigits(code)
	if !known {
		return 0, false
	}
	decimals := int(digits)
	sign := ""
	switch {
	case strings.HasPrefix(text, "-"), strings.HasPrefix(text, "\u2212"):
		sign, text = "-", strings.TrimPrefix(strings.TrimPrefix(text, "-"), "\u2212")
	default:
		text = strings.TrimPrefix(text, "+")
	}
	text = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2019", "'").Replace(strings.TrimSpace(text))
	whole, rest, point := text, "", ""
	if i := strings.LastIndexAny(text, ".,"); i >= 0 {
		mark, after := text[i:i+1], text[i+1:]
		alone := strings.Count(text, mark) == 1
		thousands := alone && len(after) == 3 && decimals != 3 && !strings.ContainsAny(text[:i], ".,")
		if alone && !thousands {
			whole, rest, point = text[:i], after, mark
		}
	}
	if point != "" && rest == "" || len(rest) > decimals && strings.Trim(rest[decimals:], "0") != "" {
		return 0, false
	}
	whole, ok := ungrouped(whole, point)
	if !ok || strings.Trim(rest, "0123456789") != "" {
		return 0, false
	}
	if len(rest) > decimals {
		rest = rest[:decimals]
	}
	all := whole + rest + strings.Repeat("0", decimals-len(rest))
	if len(strings.TrimLeft(all, "0")) > maxDigits {
		return 0, false
	}
	n, err := strconv.ParseInt(sign+all, 10, 64)
	return n, err == nil
}

// ungrouped takes the marks from between thousands: one kind of them, which is
// not the one before the minor unit, each before three digits.
func ungrouped(whole, point string) (string, bool) {
	for _, mark := range []string{".", ",", "'", " "} {
		if mark == point || !strings.Contains(whole, mark) {
			continue
		}
		groups := strings.Split(whole, mark)
		if strings.HasPrefix(whole, "0") {
			return "", false
		}
		for i, group := range groups {
			if len(group) != 3 && (i > 0 || len(group) < 1 || len(group) > 2) {
				return "", false
			}
		}
		whole = strings.Join(groups, "")
		break
	}
	return whole, whole != "" && strings.Trim(whole, "0123456789") == ""
}
