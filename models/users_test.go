package models

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

func persons(from, to int) []licensing.User {
	var list []licensing.User
	for i := from; i < to; i++ {
		list = append(list, licensing.UserOf(fmt.Sprint("user-", i)))
	}
	return list
}

func TestPeopleOfSeveralProcessesAreCountedTogetherAndToldOfOnce(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		id, license := o.sub.ID, o.detail.License
		s.buy(o)
		l, err := s.License(t.Context(), license)
		must(t, err)
		end := l.PeriodEnd

		var wg sync.WaitGroup
		told := make(chan billing.SubscriptionID, 8)
		for p := range 8 { // each has seen ten, five of which another one saw as well: 45 in all
			wg.Go(func() {
				sub, err := s.CountUsers(t.Context(), license, end, persons(p*5, p*5+10))
				if err != nil {
					t.Error(err)
				}
				told <- sub
			})
		}
		wg.Wait()
		close(told)
		mails := 0
		for sub := range told {
			if sub == id {
				mails++
			} else if sub != "" {
				t.Errorf("told of %s", sub)
			}
		}
		row, err := one[licenseUsersRow](s.db.Where("license = ?", license))
		must(t, err)
		if mails != 1 || row.Users != 45 {
			t.Errorf("told %d times; %d people, want 45", mails, row.Users)
		}
		notices := func() (n int64) {
			must(t, s.db.Model(&outboxRow{}).Where("subscription = ? AND kind = ?", id, billing.NoticeOverLimit).Count(&n).Error)
			return n
		}
		if n := notices(); n != 1 {
			t.Errorf("%d mails are written", n)
		}
		l, err = s.License(t.Context(), license)
		must(t, err)
		if !l.OverLimit || l.Blocked {
			t.Errorf("45 of 20: over its limit %t, blocked %t", l.OverLimit, l.Blocked)
		}

		// Late ones of a period that is over count nowhere; the next one begins at none.
		s.due(id)
		l, err = s.License(t.Context(), license)
		must(t, err)
		if l.OverLimit || l.PeriodEnd.Equal(end) {
			t.Errorf("in the next period, until %v, it is over its limit: %t", l.PeriodEnd, l.OverLimit)
		}
		for _, c := range []struct {
			period time.Time
			users  []licensing.User
			want   int64
		}{{l.PeriodEnd, persons(0, 20), 0}, {end, persons(100, 200), 0}, {l.PeriodEnd, persons(10, 21), 1}} {
			sub, err := s.CountUsers(t.Context(), license, c.period, c.users)
			must(t, err)
			if got := notices() - 1; got != c.want || (sub != "") != (c.want == 1) {
				t.Errorf("%d people of the period until %v: %d new mails, told of %q", len(c.users), c.period, got, sub)
			}
		}
	})
}

func TestALicenceIsBoundToOneTenant(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		s.buy(o)
		id := o.detail.License
		l, err := s.License(t.Context(), id)
		must(t, err)
		found, err := s.LicenseByKey(t.Context(), l.ActivationKey)
		if err != nil || found.ID != id {
			t.Errorf("its key finds %q, %v", found.ID, err)
		}
		var wg sync.WaitGroup
		errs := make(chan error, 10)
		for i := range 10 {
			wg.Go(func() { errs <- s.Activate(t.Context(), id, l.ActivationKey, fmt.Sprint("tenant-", i)) })
		}
		wg.Wait()
		close(errs)
		bound := 0
		for err := range errs {
			if err == nil {
				bound++
			} else if refusal := (*billing.Error)(nil); !errors.As(err, &refusal) || refusal.Code != billing.CodeAlreadyActivated {
				t.Error(err)
			}
		}
		if bound != 1 {
			t.Errorf("%d tenants were bound", bound)
		}
		// What follows from the subscription leaves it alone, and the history has
		// a place for each.
		must(t, s.SetActivationKey(t.Context(), id, "another", "operator"))
		s.command(o.sub.ID, billing.Command{Action: billing.ActionCancel}, opening.AddDate(0, 0, 1))
		must(t, s.SetTenant(t.Context(), id, "moved", "operator"))
		must(t, s.SetBlocking(t.Context(), id, true, "operator"))
		must(t, s.SetBlocking(t.Context(), id, true, "operator"))
		s.command(o.sub.ID, billing.Command{Action: billing.ActionResume}, opening.AddDate(0, 0, 2))
		if l, err = s.License(t.Context(), id); err != nil || l.Tenant != "moved" || l.ActivationKey != "another" {
			t.Errorf("tenant %q, key %q, %v", l.Tenant, l.ActivationKey, err)
		}
		if err := s.Activate(t.Context(), id, "the old one", "moved"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("with a key that was replaced: %v", err)
		}
		events, err := s.Events(t.Context(), o.sub.ID)
		must(t, err)
		var kinds []string
		for _, e := range events {
			kinds = append(kinds, string(e.Kind))
		}
		if got, want := fmt.Sprint(kinds), "[purchase activated activation_key cancel_scheduled tenant_moved blocking_on resumed]"; got != want {
			t.Errorf("the history is\n%s, want\n%s", got, want)
		}
	})
}
