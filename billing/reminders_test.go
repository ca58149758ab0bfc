package billing

import "testing"

// expiring is a subscription whose card is good until the end of a month.
func expiring(t *testing.T, month string, o offer) *ledger {
	t.Helper()
	l := ordered(t, "2026-01-10", o)
	l.snapshot.MethodExp = month
	l.pay("visa")
	return l
}

func TestTheBillingContactIsRemindedOnceBeforeTheCardExpires(t *testing.T) {
	l := expiring(t, "2026-03", offer{})
	is(t, "expires", l.s().CardExpires, instant("2026-04-01"))
	l.to("2026-03-17") // 14 days before, and after the renewal of 10 March
	is(t, "before", len(l.told(NoticeCardExpiring)), 0)
	l.to("2026-03-18")
	is(t, "told", l.told(NoticeCardExpiring), []Notice{{Kind: NoticeCardExpiring, To: RoleBilling, Until: instant("2026-04-01"), Plan: l.s().Plan}})
	l.to("2026-06-10")
	is(t, "told again", len(l.told(NoticeCardExpiring)), 1)
	is(t, "renewals all the same", l.charged(), int64(6000))
}

func TestAnotherCardOrACancellationNeedsNoReminder(t *testing.T) {
	l := expiring(t, "2026-03", offer{})
	l.to("2026-03-01")
	l.snapshot.MethodExp = "2031-05"
	l.must(Command{Action: ActionPaymentMethod}, "amex")
	is(t, "expires", l.s().CardExpires, instant("2031-06-01"))
	l.to("2026-06-10")
	is(t, "told of another card", len(l.told(NoticeCardExpiring)), 0)

	l = expiring(t, "2026-03", offer{})
	l.to("2026-03-15")
	l.must(Command{Action: ActionCancel})
	l.to("2026-06-10")
	is(t, "told what is cancelled", len(l.told(NoticeCardExpiring)), 0)
}

// The issuer has sent a new end meanwhile, and the gateway has told it.
func TestACardThatWasUpdatedNeedsNoReminder(t *testing.T) {
	l := expiring(t, "2026-03", offer{})
	l.to("2026-03-15") // after the renewal, and before the reminder of 18 March
	l.snapshot.MethodExp = "2031-05"
	l.to("2026-06-10")
	is(t, "told", len(l.told(NoticeCardExpiring)), 0)
	is(t, "expires", l.s().CardExpires, instant("2031-06-01"))
}

func TestTheCardsReminderAndTheRenewalsDoNotHideEachOther(t *testing.T) {
	// Yearly from 10 January: the renewal's reminder is on 3 January 2027.
	for month, want := range map[string]int{"2026-12": 1, "2027-01": 1, "2026-06": 1} {
		l := expiring(t, month, offer{plan: smallYear})
		l.to("2027-01-20")
		is(t, month+" card", len(l.told(NoticeCardExpiring)), want)
		is(t, month+" renewal", len(l.told(NoticeRenewalComing)), 1)
	}
	l := expiring(t, "2026-06", offer{plan: smallYear})
	l.late("2026-08-01") // after an outage over both instants of the card
	is(t, "told of a card that has expired", len(l.told(NoticeCardExpiring)), 0)
}

// A year at 100.00: less 10% is 90.00, with 22% of tax 109.80, of which 5.00 are
// on the balance.
func TestAReminderNamesWhatWillBeChargedAsThingsStand(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: smallYear, standing: 10, country: "IT"})
	l.pay("visa")
	l.balance = 500
	l.to("2027-01-03")
	told := l.told(NoticeRenewalComing)[0].Amount
	is(t, "told", told, Money{10480, "USD"})
	before := l.charged()
	l.to("2027-01-10")
	is(t, "charged", l.charged()-before, told.Amount)

	l = tried(t, "2026-04-01", "visa", offer{standing: 10, country: "IT"})
	l.to("2026-04-24")
	told = l.told(NoticeTrialEnding)[0].Amount
	is(t, "trial, told", told, Money{1098, "USD"}) // 10.00 − 1.00 + 1.98
	l.to("2026-05-01")
	is(t, "trial, charged", l.charged(), told.Amount)
}
