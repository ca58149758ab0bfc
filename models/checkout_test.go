package models

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestAnOrderIsReadAsItWasWritten(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("  Ada.Rossi@Contoso.Example ")
		o.detail.Billing = billing.BillingDetails{
			Contact: billing.Contact{Name: "Άδα Ρόσση 😀 O'Neil \\ \"ß\"", Email: "  Ada.Rossi@Contoso.Example "},
			Company: "Κοντόσο & Υιοί 🏛", Country: "GR", VATID: "EL123456789",
			Line1: "Πλατεία 1", Line2: "2ος όροφος", City: "Αθήνα", Postal: "105 57", Region: "Αττική",
		}
		o.detail.Licensee = billing.Contact{Name: "Ομάδα BI 📊", Email: "BI@Contoso.Example"}
		o.detail.Sites = []string{"reports.contoso.example", "*.contoso.example"}
		due := int64(990)
		o.request.Command.NotAfter, o.request.Command.ExpectedAmountDue = opening.Add(10*time.Minute), &due
		request, fresh, err := s.Begin(t.Context(), o.request, &o.detail, &o.sub)
		must(t, err)
		read, err := s.Request(t.Context(), o.request.ID)
		must(t, err)
		if !fresh || request.CreatedAt.IsZero() {
			t.Errorf("fresh %v, created at %v", fresh, request.CreatedAt)
		}
		o.request.CreatedAt = request.CreatedAt
		for _, got := range []billing.Request{request, read} {
			if diff := cmp.Diff(o.request, got); diff != "" {
				t.Errorf("request:\n%s", diff)
			}
		}

		b, err := s.Snapshot(t.Context(), o.sub.ID)
		must(t, err)
		if !strings.HasPrefix(string(b.Order.BillingAccount), "cus_") || !strings.HasPrefix(string(b.Order.LicenseeAccount), "cus_") {
			t.Errorf("accounts %q and %q", b.Order.BillingAccount, b.Order.LicenseeAccount)
		}
		o.detail.BillingAccount, o.detail.LicenseeAccount = b.Order.BillingAccount, b.Order.LicenseeAccount
		if diff := cmp.Diff(o.detail, b.Order); diff != "" {
			t.Errorf("order:\n%s", diff)
		}
		// An order that nobody pays lapses after 23 hours.
		o.sub.Number, o.sub.Next = 1, billing.Step{Kind: billing.StepExpireOrder, At: opening.Add(23 * time.Hour)}
		if diff := cmp.Diff(o.sub, b.Subscription); diff != "" {
			t.Errorf("subscription:\n%s", diff)
		}
		view, err := s.Overview(t.Context(), o.sub.ID)
		must(t, err)
		if view.BillingAccount != "ada.rossi@contoso.example" || view.LicenseeAccount != "bi@contoso.example" {
			t.Errorf("accounts are named %q and %q", view.BillingAccount, view.LicenseeAccount)
		}
	})
}

func TestARepeatedKeyBringsTheFirstRequestBack(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		first, second := newOrder("ada@contoso.example"), newOrder("bea@fabrikam.example")
		second.request.Key, second.request.BodyHash = first.request.Key, "another"
		s.place(first)
		got, fresh, err := s.Begin(t.Context(), second.request, &second.detail, &second.sub)
		must(t, err)
		if fresh || got.ID != first.request.ID || got.BodyHash != "hash" || got.Subscription != first.sub.ID {
			t.Errorf("fresh %v, got %+v", fresh, got)
		}
		if orders, accounts := s.rows("orders"), s.rows("accounts"); orders != 1 || accounts != 1 {
			t.Errorf("%d orders and %d accounts were written", orders, accounts)
		}
		for name, change := range map[string]func(*billing.Request){
			"another caller":   func(r *billing.Request) { r.Caller = "cal_2" },
			"another route":    func(r *billing.Request) { r.Route = "POST /v1/quotes" },
			"another spelling": func(r *billing.Request) { r.Key = strings.ToLower(r.Key) },
		} {
			o := newOrder("ada@contoso.example")
			o.request.Key = first.request.Key
			change(&o.request)
			if _, fresh, err := s.Begin(t.Context(), o.request, &o.detail, &o.sub); err != nil || !fresh {
				t.Errorf("%s: fresh %v, %v", name, fresh, err)
			}
		}
	})
}

func TestARequestWithoutAnOrderWritesNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		_, fresh, err := s.Begin(t.Context(), o.request, nil, nil)
		must(t, err)
		if !fresh || s.rows("orders") != 0 || s.rows("accounts") != 0 {
			t.Errorf("fresh %v, %d orders, %d accounts", fresh, s.rows("orders"), s.rows("accounts"))
		}
	})
}

func TestTheSameOrderSent20TimesAtOnceIsOneOrder(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		key := NewID("key")
		type answer struct {
			request billing.RequestID
			fresh   bool
			err     error
		}
		fresh, ids := 0, map[string]bool{}
		for _, a := range together(20, func(int) answer {
			o := newOrder("ada@contoso.example")
			o.request.Key = key
			r, fresh, err := s.Begin(t.Context(), o.request, &o.detail, &o.sub)
			return answer{r.ID, fresh, err}
		}) {
			must(t, a.err)
			ids[string(a.request)] = true
			if a.fresh {
				fresh++
			}
		}
		if fresh != 1 || len(ids) != 1 {
			t.Errorf("%d were fresh, ids %v", fresh, ids)
		}
		for _, table := range []string{"requests", "orders", "subscriptions", "accounts"} {
			if n := s.rows(table); n != 1 {
				t.Errorf("%d %s were written", n, table)
			}
		}
	})
}

// Every second order names the two addresses the other way round.
func TestAnAddressIsOneAccountHoweverManyOrderAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		for _, err := range together(20, func(i int) error {
			o := newOrder("ADA@contoso.example")
			o.detail.Licensee.Email = "bea@Contoso.example "
			if i%2 == 1 {
				o.detail.Billing.Email, o.detail.Licensee.Email = o.detail.Licensee.Email, o.detail.Billing.Email
			}
			_, _, err := s.Begin(t.Context(), o.request, &o.detail, &o.sub)
			return err
		}) {
			must(t, err)
		}
		if n := s.rows("accounts"); n != 2 {
			t.Errorf("%d accounts for 2 addresses", n)
		}
		var orders []orderRow
		must(t, s.db.Find(&orders).Error)
		accounts := map[string]string{}
		for _, o := range orders {
			for email, id := range map[string]string{
				o.Detail.Billing.Email: string(o.Detail.BillingAccount), o.Detail.Licensee.Email: string(o.Detail.LicenseeAccount),
			} {
				email = normalEmail(email)
				if was, ok := accounts[email]; ok && was != id {
					t.Errorf("%s is %s and %s", email, was, id)
				}
				accounts[email] = id
			}
		}
		var numbers []int64
		must(t, s.db.Model(&subscriptionRow{}).Order("number").Pluck("number", &numbers).Error)
		want := make([]int64, 20)
		for i := range want {
			want[i] = int64(i + 1)
		}
		if !slices.Equal(numbers, want) {
			t.Errorf("numbers %v", numbers)
		}
	})
}

func TestAnOrderOnATestClockIsPlacedAtTheClocksInstant(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		clock, err := s.CreateClock(t.Context(), opening.AddDate(1, 0, 0))
		must(t, err)
		o := newOrder("ada@contoso.example")
		o.sub.TestClock = clock
		s.place(o)
		sub := s.snapshot(o.sub.ID).Subscription
		at := opening.AddDate(1, 0, 0)
		if !sub.CreatedAt.Equal(at) || !sub.Now.Equal(at) || !sub.Next.At.Equal(at.Add(23*time.Hour)) {
			t.Errorf("created %v, now %v, next %v", sub.CreatedAt, sub.Now, sub.Next)
		}

		o = newOrder("ada@contoso.example")
		o.sub.TestClock = "clk_none"
		if _, _, err := s.Begin(t.Context(), o.request, &o.detail, &o.sub); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown clock: %v", err)
		}
		if n := s.rows("requests"); n != 1 {
			t.Errorf("%d requests were kept", n)
		}
	})
}

func TestTheFirstAnswerToARequestIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		s.place(o)
		body := `{"name":"Άδα 😀","pad":"` + strings.Repeat("x", 100_000) + `"}`
		must(t, s.Respond(t.Context(), o.request.ID, 201, body))
		must(t, s.Respond(t.Context(), o.request.ID, 402, "{}"))
		r, err := s.Request(t.Context(), o.request.ID)
		must(t, err)
		if r.Status != 201 || r.Response != body {
			t.Errorf("status %d, %d bytes", r.Status, len(r.Response))
		}
		if _, err := s.Request(t.Context(), "req_none"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("an unknown request: %v", err)
		}
	})
}

func TestACardIsAttachedOnceAndItsTokenForgotten(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		s.place(o)
		token, method, err := s.RequestCard(t.Context(), o.request.ID)
		must(t, err)
		if token != "tok_visa" || method != "" {
			t.Errorf("got token %q, method %q", token, method)
		}
		for range 2 {
			must(t, s.SaveMethod(t.Context(), o.request.ID, "cus_1", "sandbox", billing.StoredMethod{Ref: "pm_1", Brand: "visa", Last4: "4242", Exp: "2029-12"}))
			token, method, err = s.RequestCard(t.Context(), o.request.ID)
			must(t, err)
			if token != "" || method != "pm_1" {
				t.Errorf("got token %q, method %q", token, method)
			}
		}
		if n := s.rows("payment_methods"); n != 1 {
			t.Errorf("%d methods", n)
		}
	})
}
