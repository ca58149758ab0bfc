package models

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

// invoiced places an order that is to be paid by transfer, of any total, and
// returns the changeset that mails its invoice.
func (s shop) invoiced(email string) billing.Changeset {
	s.Helper()
	o := newOrder(email)
	o.sub.Collection = billing.ByInvoice
	s.place(o)
	b := s.snapshot(o.sub.ID)
	b.Policy.InvoiceFrom = map[string]int64{"USD": 0}
	d := b.Decide(o.request.Command, opening)
	if d.Changeset == nil {
		s.Fatalf("%+v", d)
	}
	return *d.Changeset
}

// marked is the changeset of a transfer for a subscription's open invoice.
func (s shop) marked(sub billing.SubscriptionID, reference string, amount int64) billing.Changeset {
	s.Helper()
	b := s.snapshot(sub)
	var err error
	b.Transferred, err = s.Transferred(s.Context(), b.Open.ID)
	must(s, err)
	d := b.Decide(billing.Command{Action: billing.ActionMarkPaid, Invoice: b.Open.ID, Amount: &amount, Reference: reference}, opening.Add(time.Hour))
	if d.Changeset == nil {
		s.Fatalf("%+v", d)
	}
	return *d.Changeset
}

// Ten purchases are paid by card, ten are invoiced, each of these by two tries
// of the same step, and ten are declined, all at once.
func TestNumbersOfPaidAndOfMailedInvoicesAreOneSeriesWithoutGaps(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		const n = 40
		var changesets [n]billing.Changeset
		for i := 0; i < n; i += 4 {
			email := fmt.Sprintf("ada%d@contoso.example", i)
			_, changesets[i] = s.reserved(newOrder(email))
			changesets[i+1] = s.invoiced(email)
			changesets[i+2] = changesets[i+1]
			o := newOrder(email)
			inv, _ := s.reserved(o)
			changesets[i+3] = *s.snapshot(o.sub.ID).Declined(inv, billing.ChargeResult{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}, opening)
		}
		stale := 0
		for i, err := range together(n, func(i int) error { return s.Post(t.Context(), changesets[i]) }) {
			if errors.Is(err, billing.ErrStale) && (i%4 == 1 || i%4 == 2) {
				stale++
			} else if err != nil {
				t.Errorf("posting %d: %v", i, err)
			}
		}
		if stale != n/4 {
			t.Errorf("%d postings were stale, want the second try of each invoice", stale)
		}
		var want []string
		for i := range n / 2 {
			want = append(want, fmt.Sprintf("INV-2026-%06d", i+1))
		}
		if diff := cmp.Diff(want, s.numbers("invoices")); diff != "" {
			t.Error(diff)
		}
		// Their payments take no numbers.
		var paid []billing.Changeset
		for i := 1; i < n; i += 4 {
			paid = append(paid, s.marked(changesets[i].Subscription.ID, "r", 990))
		}
		for _, err := range together(len(paid), func(i int) error { return s.Post(t.Context(), paid[i]) }) {
			must(t, err)
		}
		if diff := cmp.Diff(want, s.numbers("invoices")); diff != "" {
			t.Error(diff)
		}
		if s.rows("paid_lines") != n/2 || s.rows("licenses") != n/2 {
			t.Errorf("%d lines and %d licences are sold, want %d", s.rows("paid_lines"), s.rows("licenses"), n/2)
		}
	})
}

func TestATransferGoesThroughTheBalanceOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		issued := s.invoiced("ada@contoso.example")
		must(t, s.Post(t.Context(), issued))
		sub, inv := issued.Subscription.ID, issued.Invoice.ID
		account := s.snapshot(sub).Order.BillingAccount
		part := s.marked(sub, "one", 400)
		must(t, s.Post(t.Context(), part))
		if err := s.Post(t.Context(), part); !errors.Is(err, billing.ErrStale) {
			t.Errorf("the same posting again: %v", err)
		}
		got, err := s.Transferred(t.Context(), inv)
		must(t, err)
		if got.Received != 400 || len(got.Keys) != 1 || got.Amounts[0] != 400 || got.Invoice.ID != inv || s.balance(account) != 400 {
			t.Errorf("%+v, balance %d", got, s.balance(account))
		}
		must(t, s.Post(t.Context(), s.marked(sub, "two", 600)))
		if s.balance(account) != 10 {
			t.Errorf("balance %d, want what was too much", s.balance(account))
		}
		entries, err := s.Entries(t.Context(), account, 10)
		must(t, err)
		causes := map[string]int64{}
		for _, e := range entries {
			if causes[string(e.Cause)] += e.Amount; e.Document != string(inv) || e.Currency != "USD" || time.Since(e.At) > time.Minute {
				t.Errorf("%+v", e)
			}
		}
		if diff := cmp.Diff(map[string]int64{"transfer": 1000, "payment": -990}, causes); diff != "" || len(entries) != 3 {
			t.Errorf("%d entries:\n%s", len(entries), diff)
		}
		if last, err := s.Entries(t.Context(), account, 1); err != nil || len(last) != 1 || last[0] != entries[0] {
			t.Errorf("%+v, %v", last, err)
		}
		if none, err := s.Entries(t.Context(), "cus_none", 10); err != nil || len(none) != 0 {
			t.Errorf("%+v, %v", none, err)
		}
		paid, _, err := s.Invoice(t.Context(), inv)
		must(t, err)
		if paid.Status != billing.InvoicePaid || paid.Number != "INV-2026-000001" || !paid.IssuedAt.Equal(opening) || !paid.PaidAt.Equal(opening.Add(time.Hour)) {
			t.Errorf("%+v", paid)
		}
		if sold := s.snapshot(sub).PaidLines; len(sold) != 1 || !sold[0].Line.Period.Start.Equal(opening.Add(time.Hour)) {
			t.Errorf("sold %+v", sold)
		}
		if _, err := s.Transferred(t.Context(), "inv_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown invoice: %v", err)
		}
		if found, err := s.InvoiceByNumber(t.Context(), paid.Number); err != nil || found.ID != inv {
			t.Errorf("%+v, %v", found, err)
		}
		for _, none := range []string{"INV-2026-000002", "inv-2026-000001", ""} {
			if _, err := s.InvoiceByNumber(t.Context(), none); !errors.Is(err, billing.ErrNotFound) {
				t.Errorf("%q: %v", none, err)
			}
		}
	})
}

func TestOnlyItsPaymentIsWrittenToAMailedInvoice(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		issued := s.invoiced("ada@contoso.example")
		must(t, s.Post(t.Context(), issued))
		sub := issued.Subscription.ID
		p := s.marked(sub, "one", 990)
		good := *p.Invoice
		edited := good
		edited.Lines = append([]billing.Line{}, good.Lines...)
		edited.Lines[0].Amount++
		p.Invoice = &edited
		if err := s.Post(t.Context(), p); err == nil {
			t.Error("an edited invoice was written")
		}
		if got := s.snapshot(sub); got.Open == nil || got.Balance.Amount != 0 {
			t.Errorf("open %v, balance %s", got.Open, got.Balance)
		}
		p.Invoice = &good
		must(t, s.Post(t.Context(), p))
	})
}

func TestAMailedInvoiceThatIsVoidKeepsItsNumberAndIsCredited(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		issued := s.invoiced("ada@contoso.example")
		must(t, s.Post(t.Context(), issued))
		was, _, err := s.Invoice(t.Context(), issued.Invoice.ID)
		must(t, err)
		if got := s.due(issued.Subscription.ID); got.Status != billing.IncompleteExpired {
			t.Errorf("the order is %s", got.Status)
		}
		void, notes, err := s.Invoice(t.Context(), issued.Invoice.ID)
		must(t, err)
		if len(notes) != 1 || notes[0].Number != "CN-2026-000001" || notes[0].Total() != was.Total() {
			t.Errorf("notes %+v", notes)
		}
		was.Status = billing.InvoiceVoid
		if diff := cmp.Diff(was, void); diff != "" {
			t.Errorf("it was edited:\n%s", diff)
		}
	})
}
