package billing

import (
	"testing"
	"time"
)

// invoiced is an order of users 21-50 for a year at 200.00, to be paid by
// transfer; the threshold of these tests is 150.00.
func invoiced(t *testing.T, at string, o offer) *ledger {
	t.Helper()
	o.by = ByInvoice
	if o.plan == "" {
		o.plan = largeYear
	}
	l := ordered(t, at, o)
	l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 15000}
	l.must(Command{Action: ActionPurchase, Request: "req_buy"})
	return l
}

// transferredYear is that order, paid on 31 January 2026 at ten.
func transferredYear(t *testing.T, o offer) *ledger {
	t.Helper()
	l := invoiced(t, "2026-01-31 10:00", o)
	is(t, "paid", l.transfer(l.last().ID, "bought", l.last().AmountDue().Amount).Payment.Status, PaymentSucceeded)
	return l
}

func TestInvoicesAreOfferedFromATotalOnInTheCurrenciesOfTheTable(t *testing.T) {
	for _, c := range []struct {
		currency string
		total    int64
		allowed  bool
	}{
		{"USD", 50000, true}, {"USD", 49999, false}, {"EUR", 50000, true}, {"GBP", 50000, true}, {"GBP", 49999, false},
		{"JPY", 75000, true}, {"JPY", 74999, false}, {"CHF", 1000000, false},
	} {
		bill := Invoice{Currency: c.currency, Lines: []Line{{Amount: c.total - 100, Tax: 100}}, BalanceApplied: 5}
		is(t, bill.Total().String(), DefaultPolicy().InvoiceAllowed(bill), c.allowed)
	}
}

func TestAnOrderByInvoiceBelowTheThresholdOrForATrialIsRefusedAndLapses(t *testing.T) {
	for _, o := range []offer{{by: ByInvoice, plan: small}, {by: ByInvoice, plan: largeYear, pay: PayTrial}} {
		l := ordered(t, "2026-01-31", o)
		l.snapshot.Policy.InvoiceFrom = map[string]int64{"USD": 15000}
		is(t, "outcome", l.command(Command{Action: ActionPurchase, Request: "req_buy"}).Code, CodeInvoiceNotAllowed)
		is(t, "status", l.s().Status, IncompleteExpired)
	}
}

func TestAnOrdersInvoiceIsDueIn30DaysAndKeepsWhatItHasReserved(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{balance: 3000})
	inv := l.last()
	is(t, "invoice", [4]any{inv.Status, inv.DueAt, inv.AmountDue().Amount, inv.BalanceApplied}, [4]any{InvoiceOpen, instant("2026-03-02 10:00"), int64(17000), int64(3000)})
	is(t, "next", l.s().Next, Step{StepExpireOrder, instant("2026-03-02 10:00")})
	is(t, "balance", l.balance, int64(0))
	is(t, "told", l.told(NoticeInvoiceOpen), []Notice{{Kind: NoticeInvoiceOpen, To: RoleBilling, InvoiceID: inv.ID, Amount: Money{17000, "USD"}, Until: inv.DueAt, Plan: l.s().Plan}})
	l.to("2026-03-02 10:00")
	is(t, "status", l.s().Status, IncompleteExpired)
	is(t, "credited in full", l.notes[0].Total().Amount, int64(20000))
	is(t, "what was reserved comes back", l.balance, int64(3000))
	is(t, "the document stays as it was mailed", l.last().BalanceApplied, int64(3000))
}

func TestABalanceThatSufficesPaysAnOrderByInvoiceAtOnce(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{balance: 25000})
	is(t, "status", l.s().Status, Active)
	is(t, "collection", l.s().Collection, ByInvoice)
	is(t, "balance", l.balance, int64(5000))
	is(t, "charges", len(l.charges), 0)
}

func TestThePeriodOfAnOrderBeginsWhenItsTransferIsMarked(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	l.to("2026-02-10 12:00")
	is(t, "paid", l.transfer(l.last().ID, "r", 20000).Payment.Status, PaymentSucceeded)
	year := Period{instant("2026-02-10 12:00"), instant("2027-02-10 12:00")}
	is(t, "period", [2]any{l.s().Anchor, l.s().Period}, [2]any{year.Start, year})
	is(t, "line", l.last().Service().Period, year)
	is(t, "issued", l.last().IssuedAt, instant("2026-01-31 10:00"))
	is(t, "licence until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, year.End)
	// Half a year later the smaller plan: credited from that instant on.
	l.to("2026-08-11 12:00")
	l.must(change(smallYear))
	is(t, "credit", l.last().Credit().Amount, int64(10027)) // 183 of 365 days of 200.00
}

func TestPartsOfAnInvoiceAddUpAndWhatIsTooMuchStays(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	inv := l.last().ID
	is(t, "a part", l.transfer(inv, "one", 5000).Payment.Status, PaymentPending)
	is(t, "the operator is told", l.told(NoticeTransferShort), []Notice{{Kind: NoticeTransferShort, To: RoleOperator, InvoiceID: inv, Amount: Money{5000, "USD"}, Rest: Money{15000, "USD"}}})
	is(t, "the same again", l.transfer(inv, " ONE ", 5000).Code, CodeAlreadyRecorded)
	is(t, "balance", l.balance, int64(5000))
	is(t, "one less", l.transfer(inv, "two", 14999).Payment.Status, PaymentPending)
	is(t, "the rest", l.transfer(inv, "three", 8).Payment.Status, PaymentSucceeded)
	is(t, "balance", l.balance, int64(7))
	is(t, "once more", l.transfer(inv, "four", 100).Payment.Status, PaymentStatus(""))
	is(t, "balance", l.balance, int64(107))
	is(t, "the operator is told", len(l.told(NoticeTransferUnused)), 1)
}

// What came as a part lies on the balance, where another invoice of the account
// may have used it up by the time the rest comes.
func TestAPartThatAnotherInvoiceHasUsedUpIsMissing(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	inv := l.last().ID
	l.transfer(inv, "one", 5000)
	l.balance -= 2000
	is(t, "outcome", l.transfer(inv, "two", 15000).Payment.Status, PaymentPending)
	is(t, "missing", l.told(NoticeTransferShort)[1].Rest, Money{2000, "USD"})
	is(t, "balance", l.balance, int64(18000))
}

func TestARenewalIsInvoicedAheadByItsCycle(t *testing.T) {
	for plan, at := range map[string]string{largeYear: "2027-01-01 10:00", smallThree: "2029-01-01 10:00"} {
		l := transferredYear(t, offer{plan: plan})
		if plan == smallThree {
			l.to("2028-12-01") // its fresh files have been mailed
		}
		is(t, plan, l.s().Next, Step{StepInvoice, instant(at)})
	}
	l := transferredYear(t, offer{})
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.must(change(large)) // which is monthly
	is(t, large, l.s().Next, Step{StepInvoice, instant("2026-02-21 10:00")})
}

func TestAnUnpaidRenewalEndsAtThePeriodsEndAndIsCredited(t *testing.T) {
	l := transferredYear(t, offer{})
	l.to("2027-01-01 10:00")
	inv := l.last()
	is(t, "invoice", [3]any{inv.Status, inv.DueAt, inv.Service().Period}, [3]any{InvoiceOpen, instant("2027-01-31 10:00"), Period{instant("2027-01-31 10:00"), instant("2028-01-31 10:00")}})
	l.to("2027-01-31 09:59")
	is(t, "status", l.s().Status, Active)
	l.late("2027-03-01") // told late, and ended then
	is(t, "ended", [3]any{l.s().Status, l.s().CancelReason, l.s().CanceledAt}, [3]any{Canceled, ReasonPaymentFailed, instant("2027-01-31 10:00")})
	is(t, "credited", [2]any{l.notes[0].Total().Amount, l.notes[0].IssuedAt}, [2]any{int64(20000), instant("2027-03-01")})
	l.transfer(inv.ID, "late", 20000)
	is(t, "late money", [2]any{l.balance, l.s().Status}, [2]any{int64(20000), Canceled})
}

func TestAPaidRenewalFollowsTheOldPeriod(t *testing.T) {
	l := transferredYear(t, offer{})
	l.to("2027-01-10")
	l.transfer(l.last().ID, "r", 20000)
	is(t, "ahead", l.s().PrepaidPeriod, Period{instant("2027-01-31 10:00"), instant("2028-01-31 10:00")})
	is(t, "next", l.s().Next, Step{StepRenew, instant("2027-01-31 10:00")})
	l.to("2027-01-31 10:00")
	is(t, "period", l.s().Period, Period{instant("2027-01-31 10:00"), instant("2028-01-31 10:00")})
	is(t, "next", l.s().Next, Step{StepInvoice, instant("2028-01-01 10:00")})
	is(t, "anchor", l.s().Anchor, instant("2026-01-31 10:00"))
}

func TestAnInvoiceHandledLateIsNeverForAPeriodThatIsOver(t *testing.T) {
	for _, c := range []struct {
		name, at, start, due string
	}{
		{"within the period", "2027-01-20", "2027-01-31 10:00", "2027-01-31 10:00"},
		{"after it", "2027-02-10", "2027-01-31 10:00", "2027-03-12"},
		{"years after it", "2030-06-01", "2030-01-31 10:00", "2030-07-01"},
		{"close to the end of the one that runs", "2030-01-30", "2029-01-31 10:00", "2030-01-31 10:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := transferredYear(t, offer{})
			l.late(c.at)
			inv := l.last()
			is(t, "period", inv.Service().Period.Start, instant(c.start))
			is(t, "due", inv.DueAt, instant(c.due))
			is(t, "licence until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2027-01-31 10:00"))
			is(t, "paid", l.transfer(inv.ID, "r", 20000).Payment.Status, PaymentSucceeded)
			is(t, "licence until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, inv.Service().Period.End)
		})
	}
}

func TestCancellingVoidsAnAheadInvoiceAndResumingMailsItAgain(t *testing.T) {
	l := transferredYear(t, offer{country: "IT"})
	l.to("2027-01-10")
	first := l.last()
	l.must(Command{Action: ActionCancel})
	is(t, "void", l.docs[string(first.ID)].Status, InvoiceVoid)
	is(t, "credited with its tax", [2]int64{l.notes[0].Net, l.notes[0].Tax}, [2]int64{20000, 4400})
	is(t, "told", len(l.told(NoticeInvoiceVoid)), 1)
	is(t, "next", l.s().Next, Step{StepEnd, instant("2027-01-31 10:00")})
	l.must(Command{Action: ActionResume})
	again := l.last()
	is(t, "again", [3]any{again.ID == first.ID, again.Status, again.DueAt}, [3]any{false, InvoiceOpen, instant("2027-01-31 10:00")})
	is(t, "resumed", len(l.told(NoticeResumed)), 1)
	l.transfer(first.ID, "to the old one", 24400)
	is(t, "money for the void one", [2]any{l.balance, l.docs[string(again.ID)].Status}, [2]any{int64(24400), InvoiceOpen})

	l = transferredYear(t, offer{}) // nothing was mailed yet
	l.must(Command{Action: ActionCancel})
	l.must(Command{Action: ActionResume})
	is(t, "next", l.s().Next, Step{StepInvoice, instant("2027-01-01 10:00")})
	is(t, "invoices", len(l.order), 1)
}

func TestAChangeVoidsAnAheadInvoiceAndADeclinedOneDoesNot(t *testing.T) {
	l := transferredYear(t, offer{balance: 0})
	l.to("2027-01-10")
	open := l.last().ID
	l.refused(change(smallThree), CodeNoPaymentMethod)
	l.must(Command{Action: ActionPaymentMethod}, "poor")
	is(t, "declined", l.command(change(smallThree)).Code, CodeCardDeclined)
	is(t, "open", l.docs[string(open)].Status, InvoiceOpen)
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.must(change(smallThree))
	is(t, "void", l.docs[string(open)].Status, InvoiceVoid)
	is(t, "next", l.s().Next.Kind, StepFile) // the invoice follows in the third year
}

func TestRenewNowMailsTheInvoiceOrChargesTheCard(t *testing.T) {
	l := transferredYear(t, offer{})
	l.to("2026-05-01")
	l.must(Command{Action: ActionRenew})
	open := l.last()
	is(t, "open", [2]any{open.Status, open.DueAt}, [2]any{InvoiceOpen, instant("2027-01-31 10:00")})
	l.refused(Command{Action: ActionRenew}, CodeNotPossibleNow)
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.must(Command{Action: ActionRenew})
	is(t, "charged", l.charged(), int64(20000))
	is(t, "void", l.docs[string(open.ID)].Status, InvoiceVoid)
	is(t, "ahead", l.s().PrepaidPeriod.End, instant("2028-01-31 10:00"))
}

func TestACardMayPayAnOrderByInvoiceAndADeclineLeavesItOpen(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	open := l.last().ID
	is(t, "declined", l.command(Command{Action: ActionPaymentMethod}, "poor").Code, CodeCardDeclined)
	is(t, "open", l.docs[string(open)].Status, InvoiceOpen)
	is(t, "next", l.s().Next, Step{StepExpireOrder, instant("2026-03-02 10:00")})
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "void", l.docs[string(open)].Status, InvoiceVoid)
	is(t, "collected by", l.s().Collection, ByCard)
	l.to("2027-01-31 10:00")
	is(t, "charged", l.charged(), int64(40000))
}

func TestAMailedInvoiceIsNeverEdited(t *testing.T) {
	open := Invoice{
		Number: "INV-2026-000001", Status: InvoiceOpen, IssuedAt: instant("2026-01-31"), DueAt: instant("2026-03-02"), BalanceApplied: 5,
		Lines: []Line{{Kind: LineService, Amount: 100, Plan: PlanRef{Cycle: Yearly}}},
	}
	paid := open.transferred(Yearly, instant("2026-02-10"))
	is(t, "its payment", paid.OnlyPays(open), true)
	for name, edit := range map[string]func(*Invoice){
		"number":  func(i *Invoice) { i.Number = "INV-2026-000002" },
		"status":  func(i *Invoice) { i.Status = InvoiceVoid },
		"issued":  func(i *Invoice) { i.IssuedAt = i.PaidAt },
		"due":     func(i *Invoice) { i.DueAt = i.DueAt.Add(time.Second) },
		"balance": func(i *Invoice) { i.BalanceApplied = 0 },
		"amount":  func(i *Invoice) { i.Lines = []Line{i.Lines[0]}; i.Lines[0].Amount++ },
		"period":  func(i *Invoice) { i.Lines = []Line{i.Lines[0]}; i.Lines[0].Period.Start = open.IssuedAt },
		"lines":   func(i *Invoice) { i.Lines = append(i.Lines, Line{}) },
		"note":    func(i *Invoice) { i.TaxNote = "x" },
	} {
		edited := paid
		edit(&edited)
		is(t, name, edited.OnlyPays(open), false)
	}
}

func TestOnlyAMailedInvoiceOfTheSubscriptionCanBeMarked(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{})
	is(t, "unknown", l.command(Command{Action: ActionMarkPaid, Invoice: "inv_none", Amount: new(int64)}).Code, CodeInvalid)
	card := ordered(t, "2026-01-31", offer{})
	card.command(Command{Action: ActionPurchase, Request: "r"}, "poor")
	is(t, "a draft", card.transfer(card.last().ID, "r", 1000).Code, CodeNotPossibleNow)
}

func TestAChangeCountsFromTheOldEndWhereAnOutageKeptTheInvoiceBack(t *testing.T) {
	l := transferredYear(t, offer{})
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.late("2027-01-31 10:05")
	early := change(small)
	early.ProrationTime = instant("2027-01-31 09:58")
	l.refused(early, CodePreviewExpired)
	l.must(change(small))
	is(t, "nothing is credited", l.last().Credit().Amount, int64(0))
	is(t, "period", l.s().Period.Start, instant("2027-01-31 10:05"))
}

func TestAChangesPreviewCountsOnWhatTheVoidInvoiceHadReserved(t *testing.T) {
	l := transferredYear(t, offer{balance: 0})
	l.balance = 3000
	l.to("2027-01-10")
	is(t, "reserved", [2]int64{l.last().BalanceApplied, l.balance}, [2]int64{3000, 0})
	p, err := l.onFile().PreviewChange(change(small), l.now)
	if err != nil {
		t.Fatal(err)
	}
	l.must(change(small))
	is(t, "balance", l.balance, p.BalanceAfter.Amount)
}

func TestTheReminderOfARenewalByInvoiceNamesTheInvoice(t *testing.T) {
	l := transferredYear(t, offer{})
	l.to("2027-01-24 10:00")
	is(t, "reminder", l.told(NoticeRenewalComing), []Notice{{
		Kind: NoticeRenewalComing, To: RoleBilling, InvoiceID: l.last().ID, Amount: Money{20000, "USD"}, Until: instant("2027-01-31 10:00"), Plan: l.s().Plan,
	}})
}

// What is too little for the gateway is not too little for a transfer.
func TestATransferMayBeOfAnyAmount(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{balance: 19999})
	is(t, "due", [2]any{l.last().Status, l.last().AmountDue().Amount}, [2]any{InvoiceOpen, int64(1)})
}

func TestOnlyAnOrderThatIsNoGuestsIsPaidFromTheAccountsBalance(t *testing.T) {
	for guest, want := range map[bool]PaymentStatus{false: PaymentSucceeded, true: PaymentPending} {
		l := invoiced(t, "2026-01-31 10:00", offer{guest: guest})
		inv := l.last().ID
		l.balance = 8000 // given to the account meanwhile
		is(t, "a part", l.transfer(inv, "one", 12000).Payment.Status, want)
		if guest {
			is(t, "missing", l.told(NoticeTransferShort)[0].Rest, Money{8000, "USD"})
			is(t, "the rest", l.transfer(inv, "two", 8000).Payment.Status, PaymentSucceeded)
			is(t, "what is the account's stays", l.balance, int64(8000))
		}
	}
}

func TestAGuestsSubscriptionStaysOneWhereItsRenewalsAreInvoiced(t *testing.T) {
	l := invoiced(t, "2026-01-31 10:00", offer{guest: true})
	l.transfer(l.last().ID, "bought", 20000)
	l.balance = 5000
	l.to("2027-01-10")
	is(t, "nothing of the balance is used", l.last().BalanceApplied, int64(0))
	l.transfer(l.last().ID, "renewed", 20000)
	is(t, "guest", l.s().Guest, true)
	is(t, "balance", l.balance, int64(5000))
}
