package mail

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bojanz/currency"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// The English words for what the engine counts. An email's sentences are in
// templates/en.

// PlanWords names a plan: "Users 1-20, billed monthly", "2 × Capacity P1 or
// F64, billed yearly". No plan has no words.
func PlanWords(p billing.PlanRef, quantity int64) string {
	var what string
	switch {
	case p.Type == "":
		return ""
	case p.Type == licensing.Capacity:
		what = "Capacity " + p.Tier
	case p.Type == licensing.Site:
		what = strings.TrimSpace("Site " + p.Tier)
	case p.Tier == "Single":
		what = "Single user"
	case p.Tier == "Unlimited":
		what = "Unlimited users"
	default:
		what = "Users " + p.Tier
	}
	if quantity > 1 {
		what = strconv.FormatInt(quantity, 10) + " × " + what
	}
	switch p.Cycle {
	case billing.Monthly:
		what += ", billed monthly"
	case billing.Yearly:
		what += ", billed yearly"
	case billing.ThreeYears:
		what += ", billed every three years"
	default: // for tests alone
	}
	return what
}

// MoneyWords writes an amount as English readers do: "$9.90", "€1,250.00",
// "¥990".
func MoneyWords(m billing.Money) string {
	a, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		return m.String()
	}
	return currency.NewFormatter(currency.NewLocale("en")).Format(a)
}

// DateWords writes an instant to the minute: "31 January 2026, 10:00 UTC".
func DateWords(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

func dayWords(t time.Time) string { return t.UTC().Format("2 January 2006") }

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
