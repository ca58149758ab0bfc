package stripe_test

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// The keys are forgotten, and so is every reference, by a database that is
// older than the charges: one paid at the first try, one declined and not paid
// yet, one paid after an attempt that was given up.
func TestAChargeThatIsRememberedFromTheListIsNotMadeAgain(t *testing.T) {
	s := newShop(t)
	first := s.request("pm_visa", 1)
	same(t, s.charge(first).Status, billing.PaymentSucceeded)
	for _, card := range []string{"pm_declined", "pm_3ds"} {
		_, err := s.AttachMethod(t.Context(), s.customer, card)
		must(t, err)
	}
	declined := first
	declined.Invoice, declined.Method = "inv_2", "pm_declined"
	twice := first
	twice.Invoice, twice.Method = "inv_3", "pm_3ds"
	pay := func(r billing.ChargeRequest) (billing.ChargeID, billing.ChargeResult) {
		t.Helper()
		ref, err := s.Prepare(t.Context(), r)
		must(t, err)
		got, err := s.Charge(t.Context(), ref, r)
		must(t, err)
		return ref, got
	}
	_, got := pay(declined)
	same(t, got.Status, billing.PaymentDeclined)
	given, _ := pay(twice)
	_, err := s.Abandon(t.Context(), given)
	must(t, err)
	twice.Attempt, twice.Method = 2, "pm_visa"
	paid, got := pay(twice)
	same(t, got.Status, billing.PaymentSucceeded)

	s.ForgetKeys()
	s.Gateway = s.Server.Gateway(nil) // whose memory is empty
	moved, err := s.Moved(t.Context(), time.Unix(0, 0), time.Now().AddDate(100, 0, 0))
	must(t, err)
	same(t, len(moved.Charges), 2)
	same(t, len(moved.Prepared), 2)
	for _, c := range append(moved.Prepared, moved.Charges...) { // that of inv_3 that was given up is the older one
		must(t, s.Remember(t.Context(), "cus_1", c))
	}
	customer, err := s.EnsureCustomer(t.Context(), "cus_1")
	must(t, err)
	same(t, customer, s.customer)
	for _, r := range []billing.ChargeRequest{first, twice} {
		_, got := pay(r)
		same(t, got.Status, billing.PaymentSucceeded)
		same(t, s.Succeeded(r.Invoice), 1)
	}
	ref, _ := pay(twice)
	same(t, ref, paid)
	_, got = pay(declined)
	same(t, got.Status, billing.PaymentDeclined)
	declined.Attempt, declined.Method = 2, "pm_visa"
	_, got = pay(declined)
	same(t, got.Status, billing.PaymentSucceeded)
	same(t, s.asked("POST payment_intents"), 4) // none was made after the restore
}

// An intent waits for its last retry, or for the customer's bank: the day on which
// the money moved is the charge's.
func TestAChargeIsListedOnTheDayOnWhichItWasMade(t *testing.T) {
	s := newShop(t)
	r := s.request("pm_visa", 1)
	ref, err := s.Prepare(t.Context(), r)
	must(t, err)
	const age = 20 * 24 * time.Hour
	s.Age(ref, age)
	_, err = s.Charge(t.Context(), ref, r)
	must(t, err)
	now := time.Now()
	for _, c := range []struct {
		at   time.Time
		want int
	}{{now, 1}, {now.Add(-age), 0}} {
		moved, err := s.Moved(t.Context(), c.at.Add(-time.Hour), c.at.Add(time.Hour))
		must(t, err)
		same(t, len(moved.Charges), c.want)
		same(t, len(moved.Prepared), 0)
	}
}
