package billing

import (
	"testing"
	"time"
)

// failing is a monthly subscription from 1 April whose card is refused from
// then on.
func failing(t *testing.T, card string) *ledger {
	l := bought(t, "2026-04-01", offer{})
	l.must(Command{Action: ActionPaymentMethod}, card)
	return l
}

// attempts are the instants at which the gateway was asked for an invoice.
func attempts(l *ledger, invoice InvoiceID) []string {
	var at []string
	for _, m := range l.history {
		if m.Invoice != nil && m.Invoice.ID == invoice && m.Invoice.InFlight != "" {
			at = append(at, m.at.Format(time.DateOnly))
		}
	}
	return at
}

func TestRetriesAreOneThreeFiveAndSevenDaysAfterTheFirstFailure(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-01")
	is(t, "status", l.s().Status, PastDue)
	is(t, "period stays", l.s().Period.End, instant("2026-05-01"))
	l.to("2026-05-07 23:59")
	is(t, "status", l.s().Status, PastDue)
	l.to("2026-05-08")
	is(t, "attempts", attempts(l, l.last().ID), []string{"2026-05-01", "2026-05-02", "2026-05-04", "2026-05-06", "2026-05-08"})
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonPaymentFailed)
	is(t, "at the deadline", l.s().CanceledAt, instant("2026-05-08"))
	is(t, "one invoice", len(l.order), 2)
	is(t, "void", l.last().Status, InvoiceVoid)
	is(t, "charged", l.charged(), int64(1000))

	var told []string
	for _, n := range l.notices {
		switch n.Kind {
		case NoticePaymentFailed, NoticeFinalNotice, NoticeEnded:
			is(t, "to", n.To, RoleBilling)
			told = append(told, string(n.Kind)+" "+n.Until.Format(time.DateOnly))
		default: // about something else
		}
	}
	is(t, "each is announced", told, []string{
		"payment_failed 2026-05-02", "payment_failed 2026-05-04", "payment_failed 2026-05-06", "final_notice 2026-05-08", "ended 2026-05-08",
	})
}

func TestARetryThatSucceedsRenewsFromTheAnchor(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-05")
	l.cards["poor"] = "" // salary
	l.to("2026-05-06")
	is(t, "status", l.s().Status, Active)
	is(t, "period", l.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "anchor", l.s().Anchor, instant("2026-04-01"))
	is(t, "dunning", l.s().Dunning, Dunning{})
	is(t, "charged", l.charged(), int64(2000))
}

func TestHardDeclinesAreNotRetried(t *testing.T) {
	for _, card := range []string{"stolen", "3ds"} {
		l := failing(t, card)
		l.to("2026-05-07")
		is(t, card+": status", l.s().Status, PastDue)
		is(t, card+": told", l.told(NoticeFinalNotice)[0].Until, instant("2026-05-08"))
		l.to("2026-05-08")
		is(t, card+": status", l.s().Status, Canceled)
		is(t, card+": reason", l.s().CancelReason, ReasonPaymentFailed)
		is(t, card+": attempts", attempts(l, l.last().ID), []string{"2026-05-01"})
		is(t, card+": invoice", l.last().Status, InvoiceVoid)
	}
}

func TestWhatMakesADeclineHard(t *testing.T) {
	for code, want := range map[string]bool{
		"stolen_card": true, "lost_card": true, "pickup_card": true, "incorrect_number": true, "authentication_required": true,
		"insufficient_funds": false, "generic_decline": false, "processing_error": false, "": false,
	} {
		is(t, code, ChargeResult{DeclineCode: code}.Hard(), want)
	}
	for advice, want := range map[Advice]bool{AdviceNever: true, AdviceNewMethod: true, AdviceNeedsCustomer: true, AdviceRetryLater: false, "": false} {
		is(t, string(advice), ChargeResult{DeclineCode: "generic_decline", Advice: advice}.Hard(), want)
	}
}

func TestANewMethodIsChargedAtOnceAndTheAnchorStays(t *testing.T) {
	l := failing(t, "stolen")
	l.to("2026-05-03 08:00")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "status", l.s().Status, Active)
	is(t, "period", l.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "charged", l.charged(), int64(2000))
	l.to("2026-06-01")
	is(t, "the new card renews", l.charged(), int64(3000))
}

// Otherwise the retries would go on with the card that was stolen.
func TestANewMethodIsStoredEvenIfItIsDeclined(t *testing.T) {
	l := failing(t, "stolen")
	l.to("2026-05-03")
	is(t, "outcome", l.command(Command{Action: ActionPaymentMethod}, "poor").Payment.DeclineCode, "insufficient_funds")
	is(t, "card", l.wallet, "poor")
	is(t, "next", l.s().Next, Step{StepRetry, instant("2026-05-04")})
	is(t, "the deadline is where it was", l.s().Dunning.Deadline(l.snapshot.Policy), instant("2026-05-08"))
	l.cards["poor"] = ""
	l.to("2026-05-04")
	is(t, "status", l.s().Status, Active)
	is(t, "paid with", l.last().Method, "poor")
}

func TestMissedRetriesCollapseIntoOne(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-01")
	l.late("2026-05-05")
	is(t, "attempts", attempts(l, l.last().ID), []string{"2026-05-01", "2026-05-05"})
	is(t, "next", l.s().Next, Step{StepRetry, instant("2026-05-06")})
}

func TestTheDeadlineDoesNotMove(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-01")
	l.late("2026-07-10")
	is(t, "status", l.s().Status, Canceled)
	is(t, "ended at the deadline, though the engine came later", l.s().CanceledAt, instant("2026-05-08"))
	is(t, "attempts", attempts(l, l.last().ID), []string{"2026-05-01", "2026-07-10"})

	l = failing(t, "stolen")
	l.to("2026-05-01")
	l.late("2026-07-10")
	is(t, "hard: ended at the deadline", l.s().CanceledAt, instant("2026-05-08"))
	is(t, "hard: attempts", attempts(l, l.last().ID), []string{"2026-05-01"})

	l = failing(t, "poor") // the failure itself is late, and counts from there
	l.late("2026-05-03 10:00")
	is(t, "deadline", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-05-10 10:00"))
}

func TestARenewalWithoutACardIsAFailedPayment(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{balance: 1300})
	l.pay("") // the balance paid
	l.to("2026-05-01")
	is(t, "status", l.s().Status, PastDue)
	is(t, "balance", l.balance, int64(300))
	is(t, "next", l.s().Next, Step{StepRetry, instant("2026-05-08")})
	for _, action := range []Action{ActionRenew, ActionPaymentMethod} {
		l.refused(Command{Action: action}, CodeNoPaymentMethod)
	}
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "charged besides the balance", l.charged(), int64(700))
	is(t, "period", l.s().Period.End, instant("2026-06-01"))
}

func TestCancellingADebtEndsIt(t *testing.T) {
	l := failing(t, "poor")
	l.to("2026-05-02 12:00")
	l.must(Command{Action: ActionCancel})
	l.to("2027-01-01")
	is(t, "attempts", attempts(l, l.last().ID), []string{"2026-05-01", "2026-05-02"})
	is(t, "reason", l.s().CancelReason, ReasonRequested)
	is(t, "valid until", l.s().Entitlement(l.snapshot.Policy).ValidUntil, instant("2026-05-02 12:00"))
}
