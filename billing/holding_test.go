package billing

import "testing"

func TestRevokingALicenceCancelsItsSubscriptionAndItCannotBeRevived(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.to("2026-04-20")
	l.must(Command{Action: ActionRevoke})
	is(t, "status", l.s().Status, Canceled)
	is(t, "reason", l.s().CancelReason, ReasonOperator)
	is(t, "given back", l.refunded(), int64(0))
	is(t, "revoked", l.s().Entitlement(l.snapshot.Policy).Revoked, true)
	l.refused(Command{Action: ActionRenew}, CodeNotPossibleNow)
	l.refused(Command{Action: ActionRevoke}, CodeNoChange)
	l.must(Command{Action: ActionReinstate})
	l.must(Command{Action: ActionRenew})
	is(t, "status", l.s().Status, Active)
	is(t, "revoked", l.s().Entitlement(l.snapshot.Policy).Revoked, false)
}

func TestASuspendedLicenceIsReinstated(t *testing.T) {
	l := bought(t, "2026-04-01", offer{})
	l.refused(Command{Action: ActionReinstate}, CodeNoChange)
	l.must(Command{Action: ActionSuspend})
	l.refused(Command{Action: ActionSuspend}, CodeNoChange)
	is(t, "suspended", l.s().Entitlement(l.snapshot.Policy).Suspended, true)
	l.to("2026-05-01") // it is paid for all the same, and stays suspended
	is(t, "status", l.s().Status, Active)
	is(t, "suspended", l.s().Entitlement(l.snapshot.Policy).Suspended, true)
	l.must(Command{Action: ActionReinstate})
	is(t, "suspended", l.s().Entitlement(l.snapshot.Policy).Suspended, false)
}

func TestAnOrderHasNoLicenceToHold(t *testing.T) {
	for _, v := range []Action{ActionSuspend, ActionRevoke, ActionReinstate} {
		in[Incomplete](t).refused(Command{Action: v}, CodeNotPossibleNow)
	}
}
