package models

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// moved is a subscription of another system: 50 users monthly at 8.00, renewed on
// the 31st; its running period is paid by invoice A-7.
func moved(s shop, account billing.AccountID) billing.MovedIn {
	s.Helper()
	o := newOrder("ada@contoso.example")
	product, err := s.Product(s.Context(), "calendar-pro")
	must(s, err)
	plan, err := product.Plan(upTo50)
	must(s, err)
	o.sub.Plan, o.sub.Price = plan.Ref(), billing.Price{ID: "former", Money: billing.Money{Amount: 800, Currency: "USD"}, Tax: billing.TaxExclusive}
	o.sub.CreatedAt = opening.AddDate(0, 0, 14)
	o.detail.BillingAccount = account
	o.detail.License = "kept-license"
	anchor := opening.AddDate(-1, 0, 0) // 31 January 2025
	return billing.MovedIn{
		Ref: "old-1", Hash: "h1", Order: o.detail, Subscription: o.sub, Product: product, CreatedAt: anchor, Anchor: anchor,
		Period: billing.Period{Start: opening, End: billing.Boundary(anchor, billing.Monthly, 13)},
		Invoices: []billing.FormerInvoice{
			{Ref: "i6", Number: "INV-2026-000001", IssuedAt: opening.AddDate(0, -1, 0), PaidAt: opening.AddDate(0, -1, 0), Period: billing.Period{Start: opening.AddDate(0, -1, 0), End: opening}, Net: 800},
			{Ref: "i7", Number: "A-7", IssuedAt: opening, PaidAt: opening, Period: billing.Period{Start: opening, End: billing.Boundary(anchor, billing.Monthly, 13)}, Net: 800},
		},
	}
}

func moveIn(s shop, m billing.MovedIn, at time.Time) billing.MovedAs {
	s.Helper()
	must(s, s.SaveMethod(s.Context(), "", m.Order.BillingAccount, "sandbox", billing.StoredMethod{Ref: "pm_old", Brand: "visa", Last4: "4242", Exp: "2029-12"}))
	as, err := s.MoveIn(s.Context(), m, "pm_old", at)
	must(s, err)
	return as
}

func TestASubscriptionOfAnotherSystemIsWrittenOnceAndPaysFirstAtItsNextBoundary(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14)
		customer := billing.MovedAccount{Ref: "c1", Hash: "x", Email: "Ada@contoso.example", Balances: []billing.Money{{Amount: 300, Currency: "USD"}}}
		account, before, _, err := s.MoveAccount(t.Context(), customer)
		must(t, err)
		if before {
			t.Error("the customer was there before")
		}
		m := moved(s, account)
		as := moveIn(s, m, at)
		sub := as.Subscription
		if as.Before || sub.Status != billing.Active || sub.License != "kept-license" || sub.Next != (billing.Step{Kind: billing.StepRenew, At: m.Period.End}) {
			t.Errorf("%+v", sub)
		}
		license, err := s.License(t.Context(), "kept-license")
		must(t, err)
		if want := m.Period.End.Add(72 * time.Hour); !license.ValidUntil.Equal(want) {
			t.Errorf("the licence is valid until %s", license.ValidUntil)
		}

		for range 2 { // again, and with other words
			m.Hash += "!"
			m.Subscription.ID, m.Order.Subscription = "sub_other", "sub_other"
			again, err := s.MoveIn(t.Context(), m, "pm_old", at)
			must(t, err)
			if !again.Before || !again.Differs {
				t.Errorf("again: %+v", again)
			}
			customer.Balances[0].Amount = 9900
			if _, before, differs, err := s.MoveAccount(t.Context(), customer); !before || differs || err != nil {
				t.Errorf("again: %v, %v, %v", before, differs, err)
			}
		}
		if n := s.rows("subscriptions"); n != 1 {
			t.Errorf("%d subscriptions", n)
		}

		b := s.snapshot(sub.ID)
		due, amount, applied := b.FirstPayment()
		if want := time.Date(2026, 2, 28, 10, 0, 0, 0, time.UTC); !due.Equal(want) || amount.Amount != 500 || applied.Amount != 300 {
			t.Errorf("first payment at %s of %s, and %s from the balance", due, amount, applied)
		}
		next := s.due(sub.ID)
		if next.Period.End != time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC) || next.Price.Amount != 800 {
			t.Errorf("renewed until %s at %s", next.Period.End, next.Price)
		}
		invoices, err := s.Invoices(t.Context(), "", sub.ID, "", 10)
		must(t, err)
		numbers := map[string]string{}
		for _, inv := range invoices {
			numbers[inv.Former] += inv.Number
		}
		if len(invoices) != 3 || numbers["INV-2026-000001"] != "" || numbers["A-7"] != "" || numbers[""] != "INV-2026-000001" {
			t.Errorf("invoices %v", numbers) // the other system's number is in no way of ours
		}
	})
}

func TestAChangeCreditsWhatAnotherSystemWasPaidForTheRunningPeriod(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14) // half of 28 days
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		sub := moveIn(s, moved(s, account), at).Subscription
		p, err := s.snapshot(sub.ID).PreviewChange(billing.Command{Action: billing.ActionChange, Plan: upTo20}, at)
		must(t, err)
		if credit := p.Invoice.Credit(); credit.Amount != 400 {
			t.Errorf("the credit is %s, want half of 8.00", credit)
		}
		var mrr int64
		must(t, s.Lives(t.Context(), func(l billing.Life) {
			for _, inv := range l.Invoices {
				mrr += inv.Service().Recurring
			}
		}))
		if mrr != 1600 {
			t.Errorf("the figures see %d", mrr)
		}
	})
}

func TestALicenceThatIsAnothersIsNotMovedInAndNothingOfItIsWritten(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14)
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		moveIn(s, moved(s, account), at)
		other := moved(s, account)
		other.Ref, other.Invoices = "old-2", nil
		if _, err := s.MoveIn(t.Context(), other, "pm_old", at); !errors.Is(err, billing.ErrConflict) {
			t.Errorf("got %v", err)
		}
		if before, _, err := s.Moved(t.Context(), billing.MovedSubscription, "old-2", ""); before || err != nil {
			t.Errorf("it counts as moved in: %v, %v", before, err)
		}
		if n := s.rows("subscriptions"); n != 1 {
			t.Errorf("%d subscriptions", n)
		}
	})
}

func TestASubscriptionWithSeveralFormerInvoicesIsChangedAndIsCancelledProrated(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14) // half of 28 days
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		sub := moveIn(s, moved(s, account), at).Subscription
		b := s.snapshot(sub.ID)
		b.Receipts = s.receipts(sub.ID)
		d := b.Decide(billing.Command{Action: billing.ActionChange, Plan: upTo20}, at)
		if d.Bill == nil {
			t.Fatalf("%+v", d)
		}
		inv, _ := b.Reserve(*d.Bill, "change")
		if credit := inv.Credit(); credit.Amount != 400 {
			t.Errorf("the change credits %s, want half of 8.00", credit)
		}
		s.due(sub.ID) // an invoice of ours beside the former ones
		var order []string
		for _, r := range s.receipts(sub.ID) {
			order = append(order, r.Former+" "+r.Number)
		}
		if want := []string{"INV-2026-000001 ", "A-7 ", " INV-2026-000001"}; !slices.Equal(order, want) {
			t.Errorf("receipts %q, want %q", order, want)
		}

		other := moved(s, account)
		other.Ref, other.Order.License = "old-2", "other-license"
		for i := range other.Invoices {
			other.Invoices[i].Ref += "b"
		}
		sub = moveIn(s, other, at).Subscription
		p := s.decided(sub.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundProrated}, at)
		if len(p.CreditNotes) != 1 || p.CreditNotes[0].Total().Amount != 400 {
			t.Errorf("cancelling credits %+v, want half of 8.00", p.CreditNotes)
		}
		s.post(p, "")
	})
}

// The old system stopped before the boundary of 28 February, and the import comes after it.
func TestABoundaryThatPassedDuringTheSwitchOverIsChargedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		m := moved(s, account)
		boundary := m.Period.End // 28 February at 10:00
		at := boundary.Add(2 * time.Hour)
		m.Subscription.CreatedAt = at
		sub := moveIn(s, m, at).Subscription
		if sub.Status != billing.Active || sub.Next != (billing.Step{Kind: billing.StepRenew, At: boundary}) {
			t.Fatalf("next is %+v of %s", sub.Next, sub.Status)
		}
		if refs, err := s.MovedSubscriptions(t.Context()); err != nil || len(refs) != 1 || !refs["old-1"] {
			t.Errorf("moved in are %v, %v", refs, err)
		}
		b := s.snapshot(sub.ID)
		d := b.Due(sub.Next, at)
		if d.Bill == nil {
			t.Fatalf("%+v", d)
		}
		inv, _ := b.Reserve(*d.Bill, sub.Next.Cause())
		next := s.apply(b, d, sub.Next.Cause(), "", at)
		march := billing.Period{Start: boundary, End: time.Date(2026, 3, 31, 10, 0, 0, 0, time.UTC)}
		if len(inv.Lines) != 1 || inv.AmountDue().Amount != 800 || next.Period != march || next.Next != (billing.Step{Kind: billing.StepRenew, At: march.End}) {
			t.Errorf("%s charged for %+v, next %+v", inv.AmountDue(), next.Period, next.Next)
		}
	})
}

func TestASubscriptionIsMovedInForTheAccountOfItsCustomerWhoseAddressIsAnotherByNow(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14)
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		m := moved(s, account)
		a, err := one[accountRow](s.db.Where("id = ?", account))
		must(t, err)
		must(t, s.tx(t.Context(), func(tx *gorm.DB) error { return s.readdress(t.Context(), tx, a, "ada@fabrikam.example") }))
		sub := moveIn(s, m, at).Subscription
		b := s.snapshot(sub.ID)
		if o := b.Order; o.BillingAccount != account || o.LicenseeAccount != account || o.Billing.Email != "ada@fabrikam.example" || o.Licensee.Email != "ada@fabrikam.example" {
			t.Errorf("paid by %s and used by %s: %+v", o.BillingAccount, o.LicenseeAccount, o)
		}
		if b.Method == "" {
			t.Error("it does not have the account's card")
		}
		if n := s.rows("accounts"); n != 1 {
			t.Errorf("%d accounts", n)
		}
	})
}

func TestNothingIsMovedInForAnAccountThatHasBeenErased(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14)
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		m := moved(s, account)
		if _, err := s.Erase(t.Context(), "ada@contoso.example"); err != nil {
			t.Fatal(err)
		}
		var refusal *billing.Error
		if _, err := s.MoveIn(t.Context(), m, "", at); !errors.As(err, &refusal) || refusal.Code != billing.CodeRequestExpired {
			t.Errorf("got %v", err)
		}
		if subs, accounts := s.rows("subscriptions"), s.rows("accounts"); subs != 0 || accounts != 1 {
			t.Errorf("%d subscriptions, %d accounts", subs, accounts)
		}
	})
}

func TestACreditNoteOfAFormerInvoiceKeepsTheBuyerOfAnErasedAccount(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s, at := openShop(t, store), opening.AddDate(0, 0, 14)
		account, _, _, err := s.MoveAccount(t.Context(), billing.MovedAccount{Ref: "c1", Hash: "x", Email: "ada@contoso.example"})
		must(t, err)
		sub := moveIn(s, moved(s, account), at).Subscription
		s.post(s.decided(sub.ID, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundProrated}, at), "")
		must(t, s.db.Where("account = ?", account).Delete(&balanceRow{}).Error) // it was paid out
		done, err := s.Erase(t.Context(), "ada@contoso.example")
		must(t, err)
		order, err := one[orderRow](s.db.Where("subscription = ?", sub.ID))
		must(t, err)
		if done.Documents != 1 || order.KeptSince == nil || !order.KeptSince.Equal(at) || order.Detail.Billing.Name != "Ada Rossi" {
			t.Errorf("%d documents since %v, of %q; want the credit note", done.Documents, order.KeptSince, order.Detail.Billing.Name)
		}
	})
}
