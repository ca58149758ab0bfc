// Package ledgertest is the contract of sandbox.Ledger as tests. Every ledger
// runs them.
package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

// Run holds the ledgers that newLedger makes to the contract. Each must be
// empty.
func Run(t *testing.T, newLedger func(t *testing.T) sandbox.Ledger) {
	for name, test := range map[string]func(*testing.T, sandbox.Ledger){
		"an account has one customer":                             oneCustomer,
		"a card needs its customer":                               cardNeedsCustomer,
		"an update of a card is kept, or fails":                   updateMethod,
		"a form is kept once, and its card with it":               oneForm,
		"an invoice has one payment":                              onePayment,
		"a payment comes back as it was written":                  roundTrip,
		"an update writes payment and method":                     updateWritesBoth,
		"an update that fails writes nothing":                     failureWritesNothing,
		"an update of what is not there is not run":               updateOfNothing,
		"an update without a method gets none":                    updateWithoutMethod,
		"40 updates at once are all kept":                         updatesAreSerial,
		"updates of two payments with one card do not lose a use": cardIsShared,
		"only a subscription's payments are listed":               listed,
		"what was read is the reader's own":                       readsAreCopies,
		"what is still to be told is found":                       untold,
		"a form that is still to be told of is found":             untoldForms,
	} {
		t.Run(name, func(t *testing.T) { test(t, newLedger(t)) })
	}
}

var at = time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)

func usd(cents int64) billing.Money { return billing.Money{Amount: cents, Currency: "USD"} }

func payment(n string) sandbox.Payment {
	return sandbox.Payment{
		ID: billing.ChargeID("pay_" + n), Invoice: billing.InvoiceID("inv_" + n), Subscription: "sub_1", Customer: "cst_1", Amount: usd(990), Prepared: 1,
	}
}

// seed keeps a customer, a card and a payment.
func seed(t *testing.T, l sandbox.Ledger) {
	t.Helper()
	_, err := l.Customer(t.Context(), sandbox.Customer{ID: "cst_1", Account: "cus_1"})
	must(t, err)
	must(t, l.AddMethod(t.Context(), sandbox.Method{ID: "pm_1", Customer: "cst_1", Token: "tok_visa"}))
	_, err = l.Open(t.Context(), payment("1"))
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("not as expected (-want +got):\n%s", diff)
	}
}

func read(t *testing.T, l sandbox.Ledger, id billing.ChargeID) sandbox.Payment {
	t.Helper()
	p, err := l.Payment(t.Context(), id)
	must(t, err)
	return p
}

// readMethod reads a card by an update that changes nothing.
func readMethod(t *testing.T, l sandbox.Ledger, payment billing.ChargeID, id string) (m sandbox.Method) {
	t.Helper()
	must(t, l.Update(t.Context(), payment, id, func(_ *sandbox.Payment, kept *sandbox.Method) error {
		m = *kept
		return nil
	}))
	return m
}

func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

func oneCustomer(t *testing.T, l sandbox.Ledger) {
	got := make([]sandbox.Customer, 10)
	together(len(got), func(i int) {
		var err error
		got[i], err = l.Customer(t.Context(), sandbox.Customer{ID: fmt.Sprintf("cst_%d", i), Account: "cus_1"})
		if err != nil {
			t.Error(err)
		}
	})
	for _, c := range got {
		if c != got[0] || c.Account != "cus_1" || c.ID == "" {
			t.Fatalf("one account, customers %v", got)
		}
	}
	other, err := l.Customer(t.Context(), sandbox.Customer{ID: "cst_other", Account: "cus_2"})
	must(t, err)
	equal(t, other, sandbox.Customer{ID: "cst_other", Account: "cus_2"})
}

func oneForm(t *testing.T, l sandbox.Ledger) {
	got := make([]sandbox.Form, 10)
	together(len(got), func(i int) {
		var err error
		got[i], err = l.OpenForm(t.Context(), sandbox.Form{ID: fmt.Sprintf("form_%d", i), Key: "frm_1", Customer: "cst_1", Done: "https://d", Back: "https://b"})
		if err != nil {
			t.Error(err)
		}
	})
	for _, f := range got {
		if f != got[0] || f.ID == "" || f.Token != "" {
			t.Fatalf("one key, forms %v", got)
		}
	}
	want := got[0]
	want.Token, want.Given = "tok_visa", sandbox.Event{ID: "evt_1", Type: sandbox.EventCardCollected, Charge: want.ID, Created: at, Told: 2}
	must(t, l.UpdateForm(t.Context(), want.ID, func(f *sandbox.Form) error {
		*f = want
		return nil
	}))
	refusal := errors.New("refused")
	err := l.UpdateForm(t.Context(), want.ID, func(f *sandbox.Form) error {
		f.Token = "tok_stolen"
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("got %v, want the error of the update", err)
	}
	f, err := l.Form(t.Context(), want.ID)
	must(t, err)
	equal(t, f, want)
	if _, err := l.Form(t.Context(), "form_other"); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("a form that is not there: %v", err)
	}
	err = l.UpdateForm(t.Context(), "form_other", func(*sandbox.Form) error {
		t.Error("the update of a form that is not there was run")
		return nil
	})
	if !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("updating one that is not there: %v", err)
	}
}

func cardNeedsCustomer(t *testing.T, l sandbox.Ledger) {
	err := l.AddMethod(t.Context(), sandbox.Method{ID: "pm_1", Customer: "cst_1", Token: "tok_visa"})
	if !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func updateMethod(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	refusal := errors.New("refused")
	for _, err := range []error{nil, refusal} {
		got := l.UpdateMethod(t.Context(), "pm_1", func(m *sandbox.Method) error {
			equal(t, m.Token, "tok_visa")
			m.Charged, m.Detached = m.Charged+3, true
			return err
		})
		if !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
	}
	equal(t, readMethod(t, l, "pay_1", "pm_1"), sandbox.Method{ID: "pm_1", Customer: "cst_1", Token: "tok_visa", Charged: 3, Detached: true})
	err := l.UpdateMethod(t.Context(), "pm_2", func(*sandbox.Method) error {
		t.Error("the update of a card that is not there was run")
		return nil
	})
	if !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("updating one that is not there: %v", err)
	}
}

func onePayment(t *testing.T, l sandbox.Ledger) {
	got := make([]sandbox.Payment, 10)
	together(len(got), func(i int) {
		p := payment("1")
		p.ID = billing.ChargeID(fmt.Sprintf("pay_%d", i))
		p.Amount = usd(int64(1 + i))
		var err error
		if got[i], err = l.Open(t.Context(), p); err != nil {
			t.Error(err)
		}
	})
	for _, p := range got {
		equal(t, p, got[0])
	}
	equal(t, read(t, l, got[0].ID), got[0])
	for i := range got {
		id := fmt.Sprintf("pay_%d", i)
		if _, err := l.Payment(t.Context(), billing.ChargeID(id)); id != string(got[0].ID) && !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("%s was kept as well: %v", id, err)
		}
	}
}

func roundTrip(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	want := payment("1")
	want.Prepared, want.Faults, want.Amount = 2, 1, billing.Money{Amount: 1 << 53, Currency: "JPY"}
	want.Attempts = []sandbox.Attempt{
		{ID: "ch_1", Number: 1, Method: "pm_1", Amount: usd(990), Status: billing.PaymentDeclined, DeclineCode: "generic_decline", Advice: billing.AdviceRetryLater, At: at},
		{ID: "ch_2", Number: 2, Method: "pm_1", Amount: want.Amount, Status: billing.PaymentSucceeded, At: at.AddDate(50, 0, 0)},
	}
	want.Events = []sandbox.Event{{ID: "evt_1", Type: sandbox.EventSucceeded, Charge: "pay_1", Amount: want.Amount, Created: at, Told: 2}}
	want.Refunds = []sandbox.Refund{{CreditNote: "cn_1", Amount: billing.Money{Amount: 1, Currency: "JPY"}, At: at.Add(time.Second)}}
	must(t, l.Update(t.Context(), "pay_1", "", func(p *sandbox.Payment, _ *sandbox.Method) error {
		*p = want
		return nil
	}))
	equal(t, read(t, l, "pay_1"), want)
	listed, err := l.Payments(t.Context(), "sub_1")
	must(t, err)
	equal(t, listed, []sandbox.Payment{want})
	again, err := l.Open(t.Context(), payment("1"))
	must(t, err)
	equal(t, again, want)
}

func updateWritesBoth(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	must(t, l.Update(t.Context(), "pay_1", "pm_1", func(p *sandbox.Payment, m *sandbox.Method) error {
		equal(t, *p, payment("1"))
		equal(t, *m, sandbox.Method{ID: "pm_1", Customer: "cst_1", Token: "tok_visa"})
		p.Faults, m.Charged = 2, 3
		return nil
	}))
	if got := read(t, l, "pay_1").Faults; got != 2 {
		t.Errorf("faults %d, want 2", got)
	}
	equal(t, readMethod(t, l, "pay_1", "pm_1"), sandbox.Method{ID: "pm_1", Customer: "cst_1", Token: "tok_visa", Charged: 3})
}

func failureWritesNothing(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	refusal := errors.New("refused")
	err := l.Update(t.Context(), "pay_1", "pm_1", func(p *sandbox.Payment, m *sandbox.Method) error {
		p.Faults, m.Charged = 2, 3
		p.Attempts = append(p.Attempts, sandbox.Attempt{ID: "ch_1", Number: 1})
		return refusal
	})
	if !errors.Is(err, refusal) {
		t.Errorf("got %v, want the error of the update", err)
	}
	equal(t, read(t, l, "pay_1"), payment("1"))
	if got := readMethod(t, l, "pay_1", "pm_1").Charged; got != 0 {
		t.Errorf("charged %d, want 0", got)
	}
}

func updateOfNothing(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	for _, ids := range [][2]string{{"pay_2", ""}, {"pay_2", "pm_1"}, {"pay_1", "pm_2"}} {
		err := l.Update(t.Context(), billing.ChargeID(ids[0]), ids[1], func(*sandbox.Payment, *sandbox.Method) error {
			t.Errorf("%v: the update was run", ids)
			return nil
		})
		if !errors.Is(err, sandbox.ErrNotFound) {
			t.Errorf("%v: got %v, want ErrNotFound", ids, err)
		}
	}
	if _, err := l.Payment(t.Context(), "pay_2"); !errors.Is(err, sandbox.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func updateWithoutMethod(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	must(t, l.Update(t.Context(), "pay_1", "", func(p *sandbox.Payment, m *sandbox.Method) error {
		if m != nil {
			t.Errorf("got method %s", m.ID)
		}
		return nil
	}))
}

func updatesAreSerial(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	together(40, func(int) {
		err := l.Update(context.WithoutCancel(t.Context()), "pay_1", "pm_1", func(p *sandbox.Payment, m *sandbox.Method) error {
			p.Faults++
			m.Charged++
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if p, m := read(t, l, "pay_1"), readMethod(t, l, "pay_1", "pm_1"); p.Faults != 40 || m.Charged != 40 {
		t.Errorf("counted %d and %d of 40", p.Faults, m.Charged)
	}
}

func cardIsShared(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	_, err := l.Open(t.Context(), payment("2"))
	must(t, err)
	together(20, func(i int) {
		id := fmt.Sprintf("pay_%d", 1+i%2)
		err := l.Update(t.Context(), billing.ChargeID(id), "pm_1", func(_ *sandbox.Payment, m *sandbox.Method) error {
			m.Charged++
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if m := readMethod(t, l, "pay_1", "pm_1"); m.Charged != 20 {
		t.Errorf("counted %d of 20", m.Charged)
	}
}

func listed(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	_, err := l.Open(t.Context(), payment("2"))
	must(t, err)
	other := payment("3")
	other.Subscription = "sub_2"
	_, err = l.Open(t.Context(), other)
	must(t, err)

	got, err := l.Payments(t.Context(), "sub_1")
	must(t, err)
	slices.SortFunc(got, func(a, b sandbox.Payment) int { return strings.Compare(string(a.ID), string(b.ID)) })
	equal(t, got, []sandbox.Payment{payment("1"), payment("2")})
	got, err = l.Payments(t.Context(), "")
	must(t, err)
	slices.SortFunc(got, func(a, b sandbox.Payment) int { return strings.Compare(string(a.ID), string(b.ID)) })
	equal(t, got, []sandbox.Payment{payment("1"), payment("2"), other})
	got, err = l.Payments(t.Context(), "sub_none")
	must(t, err)
	equal(t, got, []sandbox.Payment(nil))
}

func readsAreCopies(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	must(t, l.Update(t.Context(), "pay_1", "", func(p *sandbox.Payment, _ *sandbox.Method) error {
		p.Attempts = []sandbox.Attempt{{ID: "ch_1", Number: 1, Amount: usd(990), Status: billing.PaymentDeclined, At: at}}
		return nil
	}))
	read(t, l, "pay_1").Attempts[0].Status = billing.PaymentSucceeded
	if got := read(t, l, "pay_1").Attempts[0].Status; got != billing.PaymentDeclined {
		t.Errorf("a reader changed the books to %s", got)
	}
}

func untold(t *testing.T, l sandbox.Ledger) {
	seed(t, l)
	for _, n := range []string{"2", "3"} {
		_, err := l.Open(t.Context(), payment(n))
		must(t, err)
	}
	change := func(id billing.ChargeID, events ...sandbox.Event) {
		t.Helper()
		must(t, l.Update(t.Context(), id, "", func(p *sandbox.Payment, _ *sandbox.Method) error {
			p.Events = events
			return nil
		}))
	}
	ids := func(limit int) (got []string) {
		t.Helper()
		found, err := l.Untold(t.Context(), limit)
		must(t, err)
		for _, p := range found {
			got = append(got, string(p.ID))
		}
		return got
	}
	equal(t, ids(10), []string(nil))
	change("pay_3", sandbox.Event{ID: "evt_3", Told: 1}, sandbox.Event{ID: "evt_4"})
	change("pay_1", sandbox.Event{ID: "evt_1"})
	change("pay_2", sandbox.Event{ID: "evt_2", Told: 1})
	equal(t, ids(10), []string{"pay_1", "pay_3"})
	equal(t, ids(1), []string{"pay_1"})
	change("pay_1", sandbox.Event{ID: "evt_1", Told: 1})
	equal(t, ids(10), []string{"pay_3"})
}

func untoldForms(t *testing.T, l sandbox.Ledger) {
	for _, n := range []string{"1", "2", "3"} {
		_, err := l.OpenForm(t.Context(), sandbox.Form{ID: "form_" + n, Key: "frm_" + n, Customer: "cst_1"})
		must(t, err)
	}
	told := func(id string, given sandbox.Event) {
		t.Helper()
		must(t, l.UpdateForm(t.Context(), id, func(f *sandbox.Form) error {
			f.Given = given
			return nil
		}))
	}
	ids := func(limit int) (got []string) {
		t.Helper()
		found, err := l.UntoldForms(t.Context(), limit)
		must(t, err)
		for _, f := range found {
			got = append(got, f.ID)
		}
		return got
	}
	equal(t, ids(10), []string(nil))
	told("form_3", sandbox.Event{ID: "evt_3"})
	told("form_1", sandbox.Event{ID: "evt_1"})
	told("form_2", sandbox.Event{ID: "evt_2", Told: 1})
	equal(t, ids(10), []string{"form_1", "form_3"})
	equal(t, ids(1), []string{"form_1"})
	told("form_1", sandbox.Event{ID: "evt_1", Told: 1})
	equal(t, ids(10), []string{"form_3"})
}
