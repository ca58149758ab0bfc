package billing

import "testing"

// The names are those of recorded histories and of what operators send by
// hand: none may change, and no two commands may share an update.
func TestCommandsKeepTheNamesThatOperatorsKnow(t *testing.T) {
	want := map[Action][3]string{ // update, signal, activity
		"purchase":         {"purchase", "", "Purchase"},
		"payment-method":   {"payment_method", "", "StorePaymentMethod"},
		"change":           {"change", "upgrade", "Change"},
		"schedule-change":  {"schedule_change", "", "ScheduleChange"},
		"scheduled-change": {"withdraw_change", "", "WithdrawChange"},
		"billing-details":  {"amend", "", "Amend"},
		"licensee":         {"hand_over", "", "HandOver"},
		"transfer":         {"transfer", "", "Transfer"},
		"cancel":           {"cancel", "cancel", "Cancel"},
		"resume":           {"resume", "resume", "Resume"},
		"renew":            {"renew", "", "RenewNow"},
		"mark-paid":        {"mark_paid", "", "MarkPaid"},
		"money-back":       {"money_back", "", "MoneyBack"},
		"cancel-now":       {"cancel_now", "", "CancelNow"},
		"refund":           {"refund", "", "RefundInvoice"},
		"suspend":          {"suspend", "", "Hold"},
		"revoke":           {"revoke", "", "Hold"},
		"reinstate":        {"reinstate", "", "Hold"},
		"migrate":          {"migrate_price", "", "MigratePrice"},
		"dispute":          {"dispute", "", "Dispute"},
		"refund-failed":    {"refund_failed", "", "RefundFailed"},
		"settle":           {"settle", "", "SettlePayment"},
	}
	for _, k := range Commands {
		if got := [3]string{k.Update, k.Signal, k.Activity}; got != want[k.Action] {
			t.Errorf("%s: update, signal and activity are %q, want %q", k.Action, got, want[k.Action])
		}
		delete(want, k.Action)
		if k.Description == "" {
			t.Errorf("%s tells operators nothing", k.Action)
		}
	}
	for action := range want {
		t.Errorf("%s is not declared", action)
	}
	for status, actions := range possible {
		for _, a := range actions {
			if a.kind().decide == nil {
				t.Errorf("%s may be asked while %s, and has no rule", a, status)
			}
		}
	}
}

func TestEachCommandOfTheAccountShowsThatItIsNoGuest(t *testing.T) {
	for _, c := range []Command{{Action: ActionCancel}, {Action: ActionRenew}, change(large)} {
		l := bought(t, "2026-04-01", offer{guest: true})
		is(t, "a guest's order", l.s().Guest, true)
		l.must(c)
		is(t, string(c.Action), l.s().Guest, false)
	}
}
