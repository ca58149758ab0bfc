package billing

import (
	"testing"
	"time"
)

// The gateway takes no call of ours from May on. The customer, whose card is
// good, hears of it only when access is about to end.
func TestARenewalThatTheGatewayRefusesKeepsTheScheduleAndTellsTheOperatorInTheCustomersPlace(t *testing.T) {
	l := failing(t, "visa")
	l.cards["visa"] = DeclineRejected
	l.to("2026-05-01")
	is(t, "status", l.s().Status, PastDue)
	is(t, "next", l.s().Next, Step{StepRetry, instant("2026-05-02")})
	is(t, "customer", len(l.told(NoticePaymentFailed)), 0)
	operator := l.told(NoticeChargeRejected)
	is(t, "operator", operator, []Notice{{Kind: NoticeChargeRejected, To: RoleOperator, InvoiceID: l.last().ID, Amount: Money{1000, "USD"}}})
	l.to("2026-05-06")
	is(t, "customer", len(l.told(NoticePaymentFailed)), 0)
	is(t, "before the end", l.told(NoticeFinalNotice)[0].Until, instant("2026-05-08"))
	is(t, "operator, each time", len(l.told(NoticeChargeRejected)), 4)

	mended := failing(t, "visa")
	mended.cards["visa"] = DeclineRejected
	mended.to("2026-05-01")
	delete(mended.cards, "visa")
	mended.now = instant("2026-05-01").Add(time.Hour)
	mended.must(Command{Action: ActionRenew}, "")
	is(t, "renewed at once", mended.s().Period, Period{instant("2026-05-01"), instant("2026-06-01")})
	is(t, "once", mended.charged(), int64(2000))
}

func TestRefusalsOfTheGatewayUseUpNoneOfAnOrdersCards(t *testing.T) {
	l := ordered(t, "2026-04-01", offer{})
	l.cards["visa"] = DeclineRejected
	l.command(Command{Action: ActionPurchase, Request: "req_buy"}, "visa")
	for range l.snapshot.Policy.MaxDeclines {
		got := l.command(Command{Action: ActionPaymentMethod}, "visa")
		is(t, "outcome", got.Code+" "+Code(got.Payment.DeclineCode), "card_declined gateway_rejected")
	}
	is(t, "declines", l.s().Declines, 0)
	is(t, "operator", len(l.told(NoticeChargeRejected)), 1+l.snapshot.Policy.MaxDeclines)
	delete(l.cards, "visa")
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	is(t, "status", l.s().Status, Active)
	is(t, "charged", l.charged(), int64(1000))
}

func TestATrialThatTheGatewayRefusesToConvertEndsAndTellsTheOperator(t *testing.T) {
	l := tried(t, "2026-04-01", "visa", offer{})
	l.cards["visa"] = DeclineRejected
	l.to("2026-05-01")
	is(t, "status", l.s().Status, Canceled)
	is(t, "operator", len(l.told(NoticeChargeRejected)), 1)
	delete(l.cards, "visa")
	l.must(Command{Action: ActionRenew}, "")
	is(t, "revived", l.s().Status, Active)
}
