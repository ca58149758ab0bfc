package billing

import "time"

// ProrationMode is the unit in which a running period is divided.
type ProrationMode string

const (
	PerSecond ProrationMode = "second"
	PerDay    ProrationMode = "day" // whole UTC days
)

// Prorate is the part of amount that a change at an instant of the period
// gives back: amount × remaining ÷ total, rounded once, half away from zero
// (docs/rules.md, Changing plan). At the start all comes back, at the end nothing.
func Prorate(amount Money, p Period, at time.Time, mode ProrationMode) Money {
	remaining, total := span(at, p.End, mode), span(p.Start, p.End, mode)
	switch {
	case total <= 0 || remaining <= 0:
		return Money{0, amount.Currency}
	case remaining >= total:
		return amount
	}
	return amount.Scale(remaining, total)
}

func span(from, to time.Time, mode ProrationMode) int64 {
	if mode == PerDay {
		const day = 24 * time.Hour
		from, to = from.UTC().Truncate(day), to.UTC().Truncate(day)
		return int64(to.Sub(from) / day)
	}
	return int64(to.Sub(from) / time.Second)
}
