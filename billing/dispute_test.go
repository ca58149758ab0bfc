package billing

import "testing"

// disputes tells of a dispute over the whole of the last invoice.
func (l *ledger) disputes(id string, status DisputeStatus, amount int64) Command {
	return Command{Action: ActionDispute, Dispute: Dispute{ID: id, Invoice: l.last().ID, Amount: Money{amount, "USD"}, Status: status}}
}

func TestWhatIsToldOfADisputeInAnyOrderComesToTheSame(t *testing.T) {
	for name, told := range map[string][]DisputeStatus{
		"opened, won":        {DisputeOpened, DisputeWon, DisputeWon, DisputeOpened},
		"won before opened":  {DisputeWon, DisputeOpened, DisputeLost},
		"opened twice":       {DisputeOpened, DisputeOpened, DisputeWon},
		"won, and lost late": {DisputeOpened, DisputeWon, DisputeLost},
	} {
		l := bought(t, "2026-01-31 10:00", offer{})
		for _, status := range told {
			l.command(l.disputes("dp_1", status, 990))
		}
		is(t, name+": disputed", l.s().Disputed(), false)
		is(t, name+": suspended", l.s().Entitlement(DefaultPolicy()).Suspended, false)
		is(t, name+": status", l.s().Status, Active)
		is(t, name+": next", l.s().Next, Step{StepRenew, instant("2026-02-28 10:00")})
	}
	l := bought(t, "2026-01-31 10:00", offer{})
	l.must(l.disputes("dp_1", DisputeLost, 990))
	l.refused(l.disputes("dp_1", DisputeWon, 990), CodeNoChange)
	is(t, "lost at once", l.s().CancelReason, ReasonDisputed)
}

func TestAnOpenDisputeStopsChargesAndNothingElse(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	l.must(l.disputes("dp_1", DisputeOpened, 990))
	is(t, "suspended", l.s().Entitlement(DefaultPolicy()).Suspended, true)
	for _, v := range []Action{ActionRenew, ActionMoneyBack, ActionRefund} {
		l.refused(Command{Action: v, Invoice: l.last().ID}, CodeNotPossibleNow)
	}
	l.refused(Command{Action: ActionChange, Plan: "calendar-pro_users_21-50_monthly"}, CodeNotPossibleNow)
	l.refused(Command{Action: ActionCancelNow, Refund: RefundFull}, CodeNotPossibleNow)
	l.must(Command{Action: ActionCancel})
	l.must(Command{Action: ActionResume})
	l.to("2026-03-05 00:00")
	is(t, "the operator is told again", len(l.told(NoticeDisputeOpened)), 2)
	is(t, "charged", l.charged(), int64(1000))
	l.must(Command{Action: ActionPaymentMethod}, "amex")
	l.must(Command{Action: ActionSuspend}) // an operator's word is another matter
	l.must(l.disputes("dp_1", DisputeWon, 990))
	is(t, "suspended by the operator", l.s().Entitlement(DefaultPolicy()).Suspended, true)
	l.to("2026-03-05 00:01")
	is(t, "renewed for what runs", l.s().Period, Period{instant("2026-02-28 10:00"), instant("2026-03-31 10:00")})
	is(t, "charged", l.charged(), int64(2*1000))
}

func TestASecondDisputeKeepsTheLicenceSuspended(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	l.must(l.disputes("dp_1", DisputeOpened, 500))
	l.must(l.disputes("dp_2", DisputeOpened, 490))
	l.must(l.disputes("dp_1", DisputeWon, 500))
	is(t, "suspended", l.s().Entitlement(DefaultPolicy()).Suspended, true)
	l.must(l.disputes("dp_2", DisputeWon, 490))
	is(t, "suspended", l.s().Entitlement(DefaultPolicy()).Suspended, false)
}

// The money has gone: nothing is refunded, and no more than is left is noted.
func TestALostDisputeIsNotedAndGivesNothingBack(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	given := int64(300)
	l.must(Command{Action: ActionRefund, Invoice: l.last().ID, Amount: &given})
	l.confirm()
	invoice := l.last().ID
	l.must(l.disputes("dp_1", DisputeLost, 990))
	is(t, "status", l.s().Status, Canceled)
	var noted int64
	for _, n := range l.notes {
		if n.Invoice == invoice && n.Reason == ReasonDispute {
			noted += n.Total().Amount
		}
	}
	is(t, "noted", noted, int64(700))
	is(t, "refunded", l.refunded(), int64(300))
	is(t, "balance", l.snapshot.Balance.Amount, int64(0))
	l.refused(Command{Action: ActionRefund, Invoice: invoice}, CodeNothingToRefund)
}

// 5.00 of the invoice came from the balance and 5.00 from the card, whose bank took
// them: what is given back later goes to the balance.
func TestACardThatLostADisputeIsGivenNothingBack(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{balance: 500})
	l.must(l.disputes("dp_1", DisputeLost, 500))
	l.must(Command{Action: ActionRefund, Invoice: l.last().ID})
	is(t, "to the card", l.refunded(), int64(0))
	is(t, "to the balance", l.balance, int64(500))
}

// The January that was used stays paid: what the dispute takes beyond the rest
// of its own line is the credit that the change has moved.
func TestALostDisputeDrawsOnWhatAChangeHasMovedAndOnNothingEarlier(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-05-16 12:00") // half of May
	l.must(change(large))
	l.must(Command{Action: ActionDispute, Dispute: Dispute{ID: "dp_1", Invoice: InvoiceID(l.paid[1]), Amount: Money{1000, "USD"}, Status: DisputeLost}})
	credited := []int64{}
	for _, s := range l.sold {
		credited = append(credited, s.Credited)
	}
	is(t, "drawn from April, May and the change", credited, []int64{0, 1000, 500})
}

func TestAPaymentThatIsOwedIsNotChargedWhileAnotherIsDisputed(t *testing.T) {
	l := bought(t, "2026-01-31 10:00", offer{})
	first := l.last().ID
	l.cards["poor"] = "insufficient_funds"
	l.must(Command{Action: ActionPaymentMethod}, "poor")
	l.to("2026-02-28 10:00")
	is(t, "status", l.s().Status, PastDue)
	l.must(Command{Action: ActionDispute, Dispute: Dispute{ID: "dp_1", Invoice: first, Amount: Money{990, "USD"}, Status: DisputeOpened}})
	l.must(Command{Action: ActionPaymentMethod}, "visa")
	l.to("2026-03-20 00:00")
	is(t, "status", l.s().Status, PastDue)
	is(t, "charged", l.charged(), int64(1000))
}
