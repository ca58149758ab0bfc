package billing

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// The figures of the business (docs/rules.md, Figures). They are computed from the
// ledger of invoices, so that they add up with it.

// Life is what the books say of a subscription over time.
type Life struct {
	Subscription SubscriptionID
	Product      string
	Currency     string
	Invoices     []Invoice   // in any status
	Ends         []time.Time // see Ends
	Trial        time.Time   // when its trial began; zero: it had none

	paid []Invoice // see sales
}

// perMonth are 36ths of a minor unit a month, so that a year's and three years' prices
// are whole numbers, too: what is shown is rounded once.
type perMonth int64

func (m perMonth) in(currency string) Money   { return Money{mulDiv(int64(m), 1, 36), currency} }
func (m perMonth) year(currency string) Money { return Money{mulDiv(int64(m), 1, 3), currency} }

// recurring is the MRR that a paid invoice stands for.
func (inv Invoice) recurring() perMonth {
	l := inv.Service()
	if !l.Plan.Cycle.Valid() {
		return 0
	}
	return perMonth(l.Recurring * int64(36/l.Plan.Cycle.months()))
}

// sales are the paid invoices, in the order in which they were paid: of one
// second's, the numbers tell.
func (l Life) sales() []Invoice {
	var paid []Invoice
	for _, inv := range l.Invoices {
		if inv.Status == InvoicePaid && inv.Service().ID != "" {
			paid = append(paid, inv)
		}
	}
	slices.SortStableFunc(paid, func(a, b Invoice) int {
		return cmp.Or(a.PaidAt.Compare(b.PaidAt), cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number))
	})
	return paid
}

// mrr is what a subscription brings each month at an instant: by what was paid
// last of all whose period has begun, until it has ended. A renewal that is late
// counts from its period's start.
func (l Life) mrr(at time.Time) perMonth {
	var now perMonth
	for _, inv := range l.paid {
		if !inv.Service().Period.Start.After(at) && !l.over(inv, at) {
			now = inv.recurring()
		}
	}
	return now
}

// over tells whether the subscription has ended between a payment and an instant.
func (l Life) over(inv Invoice, at time.Time) bool {
	return slices.ContainsFunc(l.Ends, func(end time.Time) bool { return !end.After(at) && !inv.PaidAt.After(end) })
}

// Ends are the instants at which a subscription ended, by its events in their
// order, but for those of a second in which it was revived again.
func Ends(events []Event) []time.Time {
	var ends []time.Time
	for _, e := range events {
		switch n := len(ends); {
		case e.Kind == EventCanceled || e.Kind == EventDisputeLost:
			ends = append(ends, e.At)
		case e.Kind == EventRevival && n > 0 && ends[n-1].Equal(e.At):
			ends = ends[:n-1]
		}
	}
	return ends
}

// firstSale is when the subscription first began to bring something; zero: never.
func (l Life) firstSale() time.Time {
	var first time.Time
	for _, inv := range l.paid {
		start := inv.Service().Period.Start
		if inv.recurring() > 0 && (first.IsZero() || start.Before(first)) && l.mrr(start) > 0 {
			first = start
		}
	}
	return first
}

// MRRRow is the monthly and yearly recurring revenue at an instant.
type MRRRow struct {
	At            time.Time `json:"at"`
	Currency      string    `json:"currency"`
	Product       string    `json:"product" doc:"Empty: all products."`
	MRR           Money     `json:"mrr"`
	ARR           Money     `json:"arr" doc:"Twelve times the MRR, before it was rounded."`
	Subscriptions int64     `json:"subscriptions" doc:"How many subscriptions bring it."`
}

// MovementRow says why MRR changed between two instants: start and the five causes
// add up to end.
type MovementRow struct {
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	Currency      string    `json:"currency"`
	Product       string    `json:"product" doc:"Empty: all products."`
	Start         Money     `json:"start"`
	New           Money     `json:"new" doc:"Of subscriptions that had never brought anything."`
	Reactivation  Money     `json:"reactivation" doc:"Of subscriptions that had brought something, and nothing at the start."`
	Expansion     Money     `json:"expansion"`
	Contraction   Money     `json:"contraction" doc:"Zero or negative."`
	Churn         Money     `json:"churn" doc:"Of subscriptions that bring nothing at the end; zero or negative."`
	End           Money     `json:"end"`
	Subscriptions int64     `json:"subscriptions" doc:"How many bring something at the start."`
	Started       int64     `json:"started" doc:"How many of new and reactivation."`
	Ended         int64     `json:"ended" doc:"How many of churn."`
}

// CohortRow is what is left of the subscriptions that were first bought in a month.
type CohortRow struct {
	Month           string `json:"month" example:"2026-01" doc:"Of the first purchase, in UTC; of trials, of their start."`
	Currency        string `json:"currency"`
	Age             int64  `json:"age" doc:"Months since: 0 is the end of the month itself."`
	Size            int64  `json:"size" doc:"How many subscriptions were first bought in the month."`
	Subscriptions   int64  `json:"subscriptions" doc:"How many of them bring something at that age."`
	MRR             Money  `json:"mrr" doc:"What they bring then."`
	Trials          int64  `json:"trials" doc:"How many trials began in the month; the same at every age."`
	TrialsConverted int64  `json:"trials_converted" doc:"How many of them were bought by now."`
}

// RecoveryRow is what became of renewals whose first payment failed.
type RecoveryRow struct {
	Month           string `json:"month" example:"2026-01" doc:"In which they were due, in UTC."`
	Currency        string `json:"currency"`
	Failed          int64  `json:"failed"`
	FailedAmount    Money  `json:"failed_amount"`
	Recovered       int64  `json:"recovered" doc:"Paid after all, or replaced by a change that was paid."`
	RecoveredAmount Money  `json:"recovered_amount"`
	Lost            int64  `json:"lost"`
	LostAmount      Money  `json:"lost_amount"`
	Open            int64  `json:"open" doc:"Not decided yet."`
	OpenAmount      Money  `json:"open_amount"`
}

// UpcomingRow is a payment that is expected as things stand.
type UpcomingRow struct {
	At           time.Time      `json:"at"`
	Subscription SubscriptionID `json:"subscription_id"`
	Number       int64          `json:"number"`
	Product      string         `json:"product"`
	Kind         string         `json:"kind" enum:"renewal,trial_end,retry" doc:"trial_end: of a trial with a card; retry: of a payment that has failed."`
	Collection   Collection     `json:"collection" enum:"card,invoice"`
	Currency     string         `json:"currency"`
	Amount       Money          `json:"amount" doc:"With tax, after discounts; of the next payment also after the balance."`
}

// group is one currency's figures of one product, or of all (empty).
type group struct{ currency, product string }

// groups are those that a life counts in.
func (l Life) groups() []group { return []group{{l.Currency, ""}, {l.Currency, l.Product}} }

// Figures collects lives, one at a time, and makes the reports of them.
type Figures struct {
	From, To time.Time
	marks    []time.Time // From, each first of a month between, To
	groups   map[group]series
	cohorts  map[cohort]*cohortSeries
	recovery map[cohort]*RecoveryRow
}

// series are a group's figures: at each mark, and between two of them.
type series struct {
	at    []point
	moves []movement
}

// point is what subscriptions bring at an instant, and how many do.
type point struct {
	mrr           perMonth
	subscriptions int64
}

func (p *point) add(m perMonth) {
	if m > 0 {
		p.mrr += m
		p.subscriptions++
	}
}

type cohort struct{ month, currency string }

// cohortSeries is a cohort's row but for what is left of it, which is at each age.
type cohortSeries struct {
	CohortRow
	ages []point
}

type movement struct {
	new, reactivation, expansion, contraction, churn perMonth
	started, ended                                   int64
}

// NewFigures begins reports of [from, to].
func NewFigures(from, to time.Time) *Figures {
	f := &Figures{
		From: from, To: to, groups: map[group]series{}, cohorts: map[cohort]*cohortSeries{}, recovery: map[cohort]*RecoveryRow{},
	}
	f.marks = append(f.marks, from)
	for at := monthAfter(from); at.Before(to); at = monthAfter(at) {
		f.marks = append(f.marks, at)
	}
	f.marks = append(f.marks, to)
	return f
}

func monthAfter(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

// Add counts a life.
func (f *Figures) Add(l Life) {
	l.paid = l.sales()
	first := l.firstSale()
	at := make([]perMonth, len(f.marks))
	for i, mark := range f.marks {
		at[i] = l.mrr(mark)
	}
	for _, g := range l.groups() {
		s, ok := f.groups[g]
		if !ok {
			s = series{make([]point, len(at)), make([]movement, len(at)-1)}
			f.groups[g] = s
		}
		for i, m := range at {
			s.at[i].add(m)
			if i > 0 {
				s.moves[i-1].add(at[i-1], m, !first.IsZero() && !first.After(f.marks[i-1]))
			}
		}
	}
	f.addCohort(l, first)
	f.addRecovery(l)
}

// add counts the difference of a subscription. before: it had brought something
// before.
func (m *movement) add(was, is perMonth, before bool) {
	switch {
	case was == is:
	case was == 0 && before:
		m.reactivation, m.started = m.reactivation+is, m.started+1
	case was == 0:
		m.new, m.started = m.new+is, m.started+1
	case is == 0:
		m.churn, m.ended = m.churn-was, m.ended+1
	case is > was:
		m.expansion += is - was
	default:
		m.contraction += is - was
	}
}

func (f *Figures) within(t time.Time) bool {
	return !t.IsZero() && !t.Before(f.From) && t.Before(f.To)
}

func (f *Figures) cohort(month, currency string) *cohortSeries {
	key := cohort{month, currency}
	if f.cohorts[key] == nil {
		f.cohorts[key] = &cohortSeries{CohortRow: CohortRow{Month: month, Currency: currency}}
	}
	return f.cohorts[key]
}

func (f *Figures) addCohort(l Life, first time.Time) {
	if f.within(l.Trial) {
		row := f.cohort(monthOf(l.Trial), l.Currency)
		row.Trials++
		if !first.IsZero() {
			row.TrialsConverted++
		}
	}
	if !f.within(first) {
		return
	}
	c := f.cohort(monthOf(first), l.Currency)
	c.Size++
	for i, at := range ages(first, f.To) {
		if i == len(c.ages) {
			c.ages = append(c.ages, point{})
		}
		c.ages[i].add(l.mrr(at))
	}
}

// ages are the last instants of a month and of those after it, up to an end.
func ages(first, to time.Time) []time.Time {
	var list []time.Time
	for end := monthAfter(first); ; end = monthAfter(end) {
		if !end.Before(to) {
			return append(list, to.Add(-time.Second))
		}
		list = append(list, end.Add(-time.Second))
	}
}

func (f *Figures) addRecovery(l Life) {
	for _, inv := range l.Invoices {
		due := inv.Service().Period.Start
		if inv.Purpose != ForRenewal || inv.Attempt == 0 || inv.Status == InvoicePaid && inv.Attempt == 1 || inv.Waits || inv.InFlight != "" || !inv.DueAt.IsZero() || !f.within(due) {
			continue
		}
		key := cohort{monthOf(due), l.Currency}
		if f.recovery[key] == nil {
			none := Money{0, l.Currency}
			f.recovery[key] = &RecoveryRow{Month: key.month, Currency: l.Currency, FailedAmount: none, RecoveredAmount: none, LostAmount: none, OpenAmount: none}
		}
		row, amount := f.recovery[key], inv.Total()
		row.Failed, row.FailedAmount = row.Failed+1, row.FailedAmount.Add(amount)
		switch {
		case inv.Status == InvoicePaid || l.changedAfter(due):
			row.Recovered, row.RecoveredAmount = row.Recovered+1, row.RecoveredAmount.Add(amount)
		case inv.Status == InvoiceVoid:
			row.Lost, row.LostAmount = row.Lost+1, row.LostAmount.Add(amount)
		default:
			row.Open, row.OpenAmount = row.Open+1, row.OpenAmount.Add(amount)
		}
	}
}

// changedAfter tells whether a change was paid after an instant, before the
// subscription ended.
func (l Life) changedAfter(due time.Time) bool {
	return slices.ContainsFunc(l.Invoices, func(inv Invoice) bool {
		return inv.Purpose == ForChange && inv.Status == InvoicePaid && !inv.PaidAt.Before(due) &&
			!slices.ContainsFunc(l.Ends, func(end time.Time) bool { return !end.Before(due) && end.Before(inv.PaidAt) })
	})
}

// sorted are the groups in order: each currency's total before its products.
func (f *Figures) sorted() []group {
	return slices.SortedFunc(maps.Keys(f.groups), func(a, b group) int {
		return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.product, b.product))
	})
}

// MRR is the recurring revenue at the start, at each month's first instant and at
// the end.
func (f *Figures) MRR() []MRRRow {
	rows := []MRRRow{}
	for i, at := range f.marks {
		for _, g := range f.sorted() {
			p := f.groups[g].at[i]
			rows = append(rows, MRRRow{at, g.currency, g.product, p.mrr.in(g.currency), p.mrr.year(g.currency), p.subscriptions})
		}
	}
	return rows
}

// Movements are the differences between the instants of MRR, by cause. What is shown
// adds up: each cause is the difference of two rounded sums.
func (f *Figures) Movements() []MovementRow {
	rows := []MovementRow{}
	for i := range f.marks[1:] {
		for _, g := range f.sorted() {
			start, m := f.groups[g].at[i], f.groups[g].moves[i]
			sum := start.mrr
			step := func(d perMonth) Money {
				was := sum.in(g.currency)
				sum += d
				return sum.in(g.currency).Sub(was)
			}
			row := MovementRow{From: f.marks[i], To: f.marks[i+1], Currency: g.currency, Product: g.product, Start: sum.in(g.currency)}
			row.New, row.Reactivation, row.Expansion, row.Contraction, row.Churn = step(m.new), step(m.reactivation), step(m.expansion), step(m.contraction), step(m.churn)
			row.End, row.Subscriptions, row.Started, row.Ended = sum.in(g.currency), start.subscriptions, m.started, m.ended
			rows = append(rows, row)
		}
	}
	return rows
}

func byMonth(a, b cohort) int {
	return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.month, b.month))
}

// Cohorts are the months of first purchase within the reports' time, at each age.
func (f *Figures) Cohorts() []CohortRow {
	rows := []CohortRow{}
	for _, key := range slices.SortedFunc(maps.Keys(f.cohorts), byMonth) {
		c := f.cohorts[key]
		points := c.ages
		if len(points) == 0 {
			points = []point{{}}
		}
		for age, p := range points {
			row := c.CohortRow
			row.Age, row.Subscriptions, row.MRR = int64(age), p.subscriptions, p.mrr.in(key.currency)
			rows = append(rows, row)
		}
	}
	return rows
}

// Recovery is what became of failed renewals that were due within the reports' time.
func (f *Figures) Recovery() []RecoveryRow {
	rows := []RecoveryRow{}
	for _, key := range slices.SortedFunc(maps.Keys(f.recovery), byMonth) {
		rows = append(rows, *f.recovery[key])
	}
	return rows
}

// Upcoming are the payments of [from, to) that are expected if nothing changes.
func (b Snapshot) Upcoming(from, to time.Time) []UpcomingRow {
	s := b.Subscription
	if !s.renews() || s.Disputed() || !s.Plan.Cycle.Valid() || s.Status == Trialing && !s.HasMethod && !s.Prepaid() {
		return nil
	}
	kind, due := "renewal", s.PaidUntil()
	anchor := s.nextAnchor()
	switch s.Status {
	case Trialing:
		if !s.Prepaid() {
			kind = "trial_end"
		}
	case PastDue:
		if s.Dunning.Hard {
			return nil // it waits for another card
		}
		kind = "retry"
	case Active:
	default:
		return nil
	}
	first := b.draft(ForRenewal, "preview", due, b.saleAt(anchor, due, due))
	at, later := due, b.PreviewRenewal(due).Total()
	if kind == "retry" {
		at = s.Next.At
	}
	cycle := first.Service().Plan.Cycle
	if cycle != s.Plan.Cycle { // a scheduled change's: its boundaries are counted from it
		anchor = due
	}
	var rows []UpcomingRow
	for n, amount := 0, first.AmountDue(); at.Before(to); amount = later {
		if !at.Before(from) && amount.Amount > 0 {
			rows = append(rows, UpcomingRow{at, s.ID, s.Number, s.Product, kind, s.Collection, s.Price.Currency, amount})
		}
		if n == 0 {
			_, n = PeriodAt(anchor, cycle, due)
		}
		n++
		at, kind = Boundary(anchor, cycle, n), "renewal"
	}
	return rows
}
