package billing

import "testing"

func TestRevokingALicenceCancelsItsSubscriptionAndItCannotBeRevived(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-20")
	l.must(Command{Verb: VerbRevoke})
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonOperator)
	is(t, "given back", l.refunded(), int64(0))
	is(t, "revoked", l.s().Entitlement(l.book.Policy).Revoked, true)
	l.refused(Command{Verb: VerbRenew}, CodeNotPossibleNow)
	l.refused(Command{Verb: VerbRevoke}, CodeNoChange)
	l.must(Command{Verb: VerbReinstate})
	l.must(Command{Verb: VerbRenew})
	is(t, "status", l.s().Status, Active)
	is(t, "revoked", l.s().Entitlement(l.book.Policy).Revoked, false)
}

func TestASuspendedLicenceIsReinstated(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.refused(Command{Verb: VerbReinstate}, CodeNoChange)
	l.must(Command{Verb: VerbSuspend})
	l.refused(Command{Verb: VerbSuspend}, CodeNoChange)
	is(t, "suspended", l.s().Entitlement(l.book.Policy).Suspended, true)
	l.to("2026-05-01") // it is paid for all the same, and stays suspended
	is(t, "status", l.s().Status, Active)
	is(t, "suspended", l.s().Entitlement(l.book.Policy).Suspended, true)
	l.must(Command{Verb: VerbReinstate})
	is(t, "suspended", l.s().Entitlement(l.book.Policy).Suspended, false)
}

func TestAnOrderHasNoLicenceToHold(t *testing.T) {
	for _, v := range []Verb{VerbSuspend, VerbRevoke, VerbReinstate} {
		in[Incomplete](t).refused(Command{Verb: v}, CodeNotPossibleNow)
	}
}
