package models

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

// charged buys and pretends that the sandbox charged for it.
func (s shop) charged(email string) billing.Subscription {
	s.Helper()
	return s.chargedFor(newOrder(email))
}

func (s shop) chargedFor(o order) billing.Subscription {
	s.Helper()
	inv, paid := s.reserved(o)
	must(s, s.SetCharge(s.Context(), inv.ID, "sandbox", billing.ChargeID("pay_"+string(inv.ID))))
	paid.Invoice.Gateway, paid.Invoice.Charge = "sandbox", billing.ChargeID("pay_"+string(inv.ID))
	return s.post(paid, o.request.ID)
}

// decided is what a command makes of the rows.
func (s shop) decided(id billing.SubscriptionID, c billing.Command, at time.Time) billing.Changeset {
	s.Helper()
	b := s.snapshot(id)
	var err error
	b.Receipts, err = s.Receipts(s.Context(), id)
	must(s, err)
	d := b.Decide(c, at)
	if d.Changeset == nil {
		s.Fatalf("%s: %+v", c.Action, d)
	}
	return *d.Changeset
}

// refunding begins to give back a part of an invoice.
func (s shop) refunding(id billing.SubscriptionID, invoice billing.InvoiceID, amount int64) billing.Changeset {
	s.Helper()
	p := s.decided(id, billing.Command{Action: billing.ActionRefund, Invoice: invoice, Amount: &amount}, opening)
	s.post(p, "")
	return p
}

func TestARefundIsPendingUntilItIsConfirmed(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		inv := s.receipts(sub.ID)[0].ID
		p := s.refunding(sub.ID, inv, 400)
		pending, err := s.PendingRefunds(t.Context(), sub.ID)
		must(t, err)
		if diff := cmp.Diff(p.Refunds, pending); diff != "" || len(pending) != 1 {
			t.Errorf("pending:\n%s", diff)
		}
		r := s.receipts(sub.ID)[0]
		if r.Noted != 400 || r.Refunded != 400 {
			t.Errorf("%d noted and %d refunded", r.Noted, r.Refunded)
		}
		if live, err := s.Live(t.Context(), 0, 10); err != nil || len(live) != 1 {
			t.Errorf("live are %v, %v", live, err)
		}
		note, err := s.CreditNote(t.Context(), p.CreditNotes[0].ID)
		must(t, err)
		if note.Number != "CN-2026-000001" || note.Reason != "refund" {
			t.Errorf("%+v", note)
		}

		pending[0].Status = billing.RefundSucceeded
		done := s.snapshot(sub.ID).RefundsAnswered(pending, opening)
		s.post(*done, "")
		pending, err = s.PendingRefunds(t.Context(), sub.ID)
		if err != nil || len(pending) != 0 {
			t.Errorf("still pending: %v, %v", pending, err)
		}
		// What has been confirmed cannot be confirmed again.
		again := s.snapshot(sub.ID).RefundsAnswered(done.Refunds, opening)
		if err := s.Post(t.Context(), *again); err == nil {
			t.Error("a refund was confirmed twice")
		}
	})
}

func TestARefundThatHadSucceededFailsOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		inv := s.receipts(sub.ID)[0].ID
		p := s.refunding(sub.ID, inv, 400)
		p.Refunds[0].Status = billing.RefundSucceeded
		s.post(*s.snapshot(sub.ID).RefundsAnswered(p.Refunds, opening), "")
		if _, err := s.Refund(t.Context(), "sub_other", p.Refunds[0].ID); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("another subscription's: %v", err)
		}
		b := s.snapshot(sub.ID)
		var err error
		b.Returned, err = s.Refund(t.Context(), sub.ID, p.Refunds[0].ID)
		must(t, err)
		failed := b.Decide(billing.Command{Action: billing.ActionRefundFailed}, opening).Changeset
		s.post(*failed, "")
		if got := s.snapshot(sub.ID).Balance.Amount; got != 400 {
			t.Errorf("the balance is %d", got)
		}
		again := *failed
		again.From, again.Subscription.Revision = again.From+1, again.Subscription.Revision+1
		if err := s.Post(t.Context(), again); err == nil {
			t.Error("a refund failed twice")
		}
		list, err := s.Refunds(t.Context(), sub.ID, inv)
		must(t, err)
		if len(list) != 1 || list[0].Status != billing.RefundFailed || string(list[0].Charge) != "pay_"+string(inv) {
			t.Errorf("%+v", list)
		}
		if r := s.receipts(sub.ID)[0]; r.Noted != 400 || r.Refunded != 400 { // the card is not asked again
			t.Errorf("%d noted and %d refunded", r.Noted, r.Refunded)
		}
		if s.rows("balance_entries") != 1 {
			t.Error("the balance has moved more than once")
		}
	})
}

func (s shop) receipts(id billing.SubscriptionID) []billing.Receipt {
	s.Helper()
	r, err := s.Receipts(s.Context(), id)
	must(s, err)
	return r
}

func TestReceiptsAreInTheOrderOfTheirNumbersBeyondAMillionAYear(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		row, err := one[invoiceRow](db.db.Where("subscription = ?", sub.ID))
		must(t, err)
		must(t, db.db.Model(&row).Update("number", "INV-2026-999999").Error)
		want := []string{string(row.ID)}
		for _, number := range []string{"INV-2026-1000000", "INV-2027-000001"} {
			row.ID, row.InvoiceKey, row.Number = billing.InvoiceID(NewID("inv")), number, &number
			row.Detail.ID = row.ID
			must(t, db.db.Create(&row).Error)
			want = append(want, string(row.ID))
		}
		got := []string{}
		for _, r := range s.receipts(sub.ID) {
			got = append(got, string(r.ID))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the receipts are:\n%s", diff)
		}
	})
}

func TestASubscriptionThatEndedIsLiveWhileItsMoneyIsOnItsWay(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		sub := s.charged("ada@contoso.example")
		p := s.decided(sub.ID, billing.Command{Action: billing.ActionMoneyBack}, opening)
		s.post(p, "")
		if live, err := s.Live(t.Context(), 0, 10); err != nil || len(live) != 1 {
			t.Errorf("live are %v, %v", live, err)
		}
		p.Refunds[0].Status = billing.RefundSucceeded
		s.post(*s.snapshot(sub.ID).RefundsAnswered(p.Refunds, opening), "")
		if live, err := s.Live(t.Context(), 0, 10); err != nil || len(live) != 0 {
			t.Errorf("live are %v, %v", live, err)
		}
	})
}

// Eight subscriptions of one account ask at once: two get their money back.
func TestMoneyBackIsCountedForAnAccountAndAProduct(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		changesets := make([]billing.Changeset, 8)
		for i := range changesets {
			changesets[i] = s.decided(s.charged("ada@contoso.example").ID, billing.Command{Action: billing.ActionMoneyBack}, opening)
		}
		other := s.decided(s.charged("bea@contoso.example").ID, billing.Command{Action: billing.ActionMoneyBack}, opening)
		errs := together(len(changesets), func(i int) error { return s.Post(t.Context(), changesets[i]) })
		given := 0
		for _, err := range errs {
			refusal := (*billing.Error)(nil)
			switch {
			case err == nil:
				given++
			case !errors.As(err, &refusal) || refusal.Code != billing.CodeMoneyBackUsedUp:
				t.Error(err)
			}
		}
		if given != 2 || s.rows("refunds") != 2 || s.rows("credit_notes") != 2 {
			t.Errorf("%d were given, with %d refunds and %d credit notes", given, s.rows("refunds"), s.rows("credit_notes"))
		}
		must(t, s.Post(t.Context(), other)) // another account has its own
	})
}

// The tax that is drawn is kept: parts of an odd amount add up to the line.
func TestTheTaxThatIsDrawnIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, db *Store) {
		s := openShop(t, db)
		o := newOrder("ada@contoso.example")
		o.detail.Billing.Country = "IT" // 9.90 and 2.18
		s.buy(o)
		inv := s.receipts(o.sub.ID)[0].ID
		three := int64(3)
		s.post(s.decided(o.sub.ID, billing.Command{Action: billing.ActionRefund, Invoice: inv, Amount: &three}, opening), "")
		sold := s.snapshot(o.sub.ID).PaidLines[0]
		if got := []int64{sold.Credited, sold.CreditedTax}; !slices.Equal(got, []int64{2, 1}) {
			t.Errorf("drawn are %v", got)
		}
		s.post(s.decided(o.sub.ID, billing.Command{Action: billing.ActionRefund, Invoice: inv}, opening), "")
		if r := s.receipts(o.sub.ID)[0]; r.Noted != 1208 {
			t.Errorf("%d of 1208 are noted", r.Noted)
		}
	})
}
