package models

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// The life of a subscription, and what its licence's row says after each step
// (docs/rules.md, Licences: valid_until).
func TestALicenceFollowsItsSubscription(t *testing.T) {
	day := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 10, 0, 0, 0, time.UTC) }
	const grace = 72 * time.Hour
	type want struct {
		state      licensing.State
		trial      bool
		until, end time.Time
		plan       string
		covers     int64
	}
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		o.detail.Pay = billing.PayTrial
		id, license := o.sub.ID, o.detail.License
		if _, err := s.License(t.Context(), license); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("before the order: %v", err)
		}
		var changed time.Time
		key, moneyBack := "", time.Time{} // until when the customer may have it back: 14 days after a first charge
		check := func(what string, sub billing.Subscription, w want) {
			t.Helper()
			l, err := s.License(t.Context(), license)
			must(t, err)
			if key == "" {
				key = l.ActivationKey
			}
			if l.ChangedAt.Equal(changed) {
				t.Errorf("%s: it is as it was changed at %v", what, changed)
			}
			changed, l.ChangedAt = l.ChangedAt, time.Time{}
			expected := licensing.Issued{
				License: licensing.License{
					ID: license, Product: "calendar-pro", Activation: licensing.ActivationNone,
					PlanID: w.plan, Type: licensing.Users, Tier: sub.Plan.Tier, Cycle: "monthly", Covers: w.covers, Quantity: 1,
					Licensee: "BI team <ada@contoso.example>", Sites: []string{},
					State: w.state, Trial: w.trial, ValidUntil: w.until, PeriodEnd: w.end, Revision: sub.Revision,
				},
				Subscription: string(id), Number: 1, ActivationKey: key, MoneyBackUntil: moneyBack,
			}
			if diff := cmp.Diff(expected, l); diff != "" {
				t.Errorf("%s:\n%s", what, diff)
			}
		}
		// A card is on file from the start, so that the trial is bought at its end.
		check("a trial", s.buy(o), want{licensing.StateTrial, true, day(2, 28), day(2, 28), upTo20, 20})
		if len(key) < 26 {
			t.Errorf("activation key of %d characters", len(key))
		}
		check("cancelled in the trial", s.command(id, billing.Command{Action: billing.ActionCancel}, day(2, 1)),
			want{licensing.StateCanceled, true, day(2, 28), day(2, 28), upTo20, 20})
		s.command(id, billing.Command{Action: billing.ActionResume}, day(2, 2))
		s.due(id) // reminded, twice
		s.due(id)
		moneyBack = day(3, 14)
		check("bought", s.due(id), want{licensing.StateActive, false, day(3, 28).Add(grace), day(3, 28), upTo20, 20})
		check("changed", s.command(id, billing.Command{Action: billing.ActionChange, Plan: upTo50}, day(3, 5)),
			want{licensing.StateActive, false, day(4, 5).Add(grace), day(4, 5), upTo50, 50})
		check("paid ahead", s.command(id, billing.Command{Action: billing.ActionRenew}, day(3, 6)),
			want{licensing.StateActive, false, day(5, 5).Add(grace), day(4, 5), upTo50, 50})
		check("entered the next period", s.due(id), want{licensing.StateActive, false, day(5, 5).Add(grace), day(5, 5), upTo50, 50})

		b := s.snapshot(id)
		at := b.Subscription.Next.At
		inv, reserve := b.Reserve(*b.Due(b.Subscription.Next, at).Bill, b.Subscription.Next.Cause())
		must(t, s.Post(t.Context(), reserve))
		check("past due", s.post(*b.Declined(inv, billing.ChargeResult{DeclineCode: "generic_decline"}, at), ""),
			want{licensing.StatePastDue, false, day(5, 12), day(5, 5), upTo50, 50})
		check("paid after all", s.due(id), want{licensing.StateActive, false, day(6, 5).Add(grace), day(6, 5), upTo50, 50})
		check("cancelled", s.command(id, billing.Command{Action: billing.ActionCancel}, day(5, 20)),
			want{licensing.StateCanceled, false, day(6, 5), day(6, 5), upTo50, 50})
		moneyBack = time.Time{}
		check("ended", s.due(id), want{licensing.StateEnded, false, day(6, 5), day(6, 5), upTo50, 50})
		moneyBack = day(7, 15)
		check("revived", s.command(id, billing.Command{Action: billing.ActionRenew}, day(7, 1)),
			want{licensing.StateActive, false, day(8, 1).Add(grace), day(8, 1), upTo50, 50})
	})
}

func TestALicenceOfATestClockTellsTheClocksTime(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		clock, err := s.CreateClock(t.Context(), opening)
		must(t, err)
		o := newOrder("ada@contoso.example")
		o.sub.TestClock, o.sub.Product = clock, "smart-filter-pro"
		o.sub.Plan.ID = "smart-filter-pro_users_1-20_monthly"
		o.detail.Sites = []string{"*.contoso.example", "bücher.example"}
		s.buy(o)
		must(t, s.SetClock(t.Context(), clock, opening.AddDate(0, 0, 3)))
		l, err := s.License(t.Context(), o.detail.License)
		must(t, err)
		if l.TestClock != clock || !l.At(time.Now()).Equal(opening.AddDate(0, 0, 3)) {
			t.Errorf("clock %q, now %v", l.TestClock, l.Now)
		}
		if l.Activation != licensing.ActivationLicensee {
			t.Errorf("activation %q", l.Activation)
		}
		if diff := cmp.Diff(o.detail.Sites, l.Sites); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLicencesAreListedForBothContacts(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		var ids []string
		for range 3 {
			o := newOrder("ada@contoso.example")
			o.detail.Licensee.Email = "bea@fabrikam.example"
			s.buy(o)
			ids = append([]string{string(o.detail.License)}, ids...)
		}
		own := newOrder("eve@contoso.example")
		s.buy(own)
		for email, want := range map[string][]string{
			"ada@contoso.example":   ids,
			"Bea@Fabrikam.example ": ids,
			"eve@contoso.example":   {string(own.detail.License)},
			"nobody@x.example":      {},
			"":                      append([]string{string(own.detail.License)}, ids...),
		} {
			got := []string{}
			before := ""
			for { // page by page
				page, err := s.Licenses(t.Context(), email, before, 2)
				must(t, err)
				for _, l := range page {
					got = append(got, string(l.ID))
				}
				if len(page) < 2 {
					break
				}
				before = string(page[1].ID)
			}
			sameIDs(t, email, want, got)
		}
	})
}
