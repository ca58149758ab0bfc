package models

import (
	"fmt"
	"testing"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// trial places an order of a trial, and returns what starts it.
func (s shop) trial(email string, vouched bool) billing.Changeset {
	o := newOrder(email)
	o.detail.Pay, o.detail.Vouched = billing.PayTrial, vouched
	s.place(o)
	b := s.snapshot(o.sub.ID)
	b.Method = ""
	p := *b.Decide(o.request.Command, opening).Changeset
	p.Request = o.request.ID
	return p
}

func TestAnUnusedTrialIsTakenByOneOfTheOrganisation(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		unused := func(want bool) {
			t.Helper()
			got, err := s.UnusedTrial(t.Context(), "calendar-pro", "bigcorp.example")
			must(t, err)
			if got != want {
				t.Errorf("unused: %t, want %t", got, want)
			}
		}
		unused(false) // there is none
		must(t, s.Post(t.Context(), s.trial("attacker@bigcorp.example", false)))
		unused(true)
		if err := s.Post(t.Context(), s.trial("stranger@bigcorp.example", false)); err == nil {
			t.Error("a stranger takes a trial that is unused")
		}
		const n = 20
		var trials [n]billing.Changeset
		for i := range n {
			trials[i] = s.trial(fmt.Sprintf("ada%d@bigcorp.example", i), true)
		}
		started := 0
		for _, err := range together(n, func(i int) error { return s.Post(t.Context(), trials[i]) }) {
			if err == nil {
				started++
			}
		}
		if started != 1 || s.rows("trial_claims") != 1 {
			t.Errorf("%d of the organisation took the trial, claims %d", started, s.rows("trial_claims"))
		}
		unused(false)
	})
}

func TestATrialIsUsedByItsLicenceOrItsOrganisation(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		p := s.trial("ada@contoso.example", false)
		must(t, s.Post(t.Context(), p))
		use := func(license licensing.LicenseID, by string, unused bool) {
			t.Helper()
			must(t, s.UseTrial(t.Context(), license, by))
			if got, err := s.UnusedTrial(t.Context(), "calendar-pro", "contoso.example"); err != nil || got != unused {
				t.Errorf("after use of %s by %q: unused %t, %v", license, by, got, err)
			}
		}
		use("lic_none", "", true)
		use(p.Subscription.License, "reseller.example", true)
		use(p.Subscription.License, "contoso.example", false)
	})
}
