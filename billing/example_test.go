package billing_test

import (
	"fmt"
	"time"

	"github.com/okviz/licensing/billing"
)

// Half of a period of 30 days is unused: half of 9.90 USD is credited.
func ExampleProrate() {
	start := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	period := billing.Period{Start: start, End: start.AddDate(0, 1, 0)}
	paid := billing.Money{Amount: 990, Currency: "USD"}
	fmt.Println(billing.Prorate(paid, period, start.AddDate(0, 0, 15), billing.PerSecond))
	// Output: 4.95 USD
}

// A subscription that begins on 31 January renews on the last day of shorter
// months, and on the 31st again after them.
func ExampleBoundary() {
	anchor := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	for n := range 4 {
		fmt.Println(billing.Boundary(anchor, billing.Monthly, n).Format(time.DateOnly))
	}
	// Output:
	// 2026-01-31
	// 2026-02-28
	// 2026-03-31
	// 2026-04-30
}

func ExamplePeriodAt() {
	anchor := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	p, n := billing.PeriodAt(anchor, billing.Monthly, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(n, p.Start.Format(time.DateOnly), p.End.Format(time.DateOnly))
	// Output: 1 2026-02-28 2026-03-31
}
