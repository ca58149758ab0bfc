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

func people(from, to int) []licensing.User {
	var list []licensing.User
	for i := from; i < to; i++ {
		list = append(list, licensing.UserOf(fmt.Sprint("user-", i)))
	}
	return list
}

func TestPeopleOfSeveralProcessesAreCountedTogetherAndToldOfOnceAWindow(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		id, license := o.sub.ID, o.detail.License
		s.buy(o)
		count := func(at time.Time, seen []licensing.User) (told bool) {
			t.Helper()
			sub, err := s.CountUsers(t.Context(), license, licensing.Seen{At: at, Users: seen, Questions: int64(len(seen))})
			must(t, err)
			if sub != "" && sub != id {
				t.Errorf("told of %s", sub)
			}
			return sub != ""
		}
		usage := func(at time.Time) licensing.Usage {
			t.Helper()
			row, err := one[licenseRow](s.db.Where("id = ?", license))
			must(t, err)
			u, err := row.usageIn(s.db, licensing.WeekOf(at))
			must(t, err)
			return u
		}
		first := time.Now().UTC().Truncate(time.Second)
		var wg sync.WaitGroup
		for p := range 8 { // each has seen ten, five of which another one saw as well: 45 in all
			wg.Go(func() {
				if count(first, people(p*5, p*5+10)) {
					t.Error("one window is told of")
				}
			})
		}
		wg.Wait()
		if u := usage(first); u.Estimate != 45 || u.Questions != 80 {
			t.Errorf("%+v, want 45 people of 80 questions", u)
		}
		l, err := s.License(t.Context(), license)
		must(t, err)
		if l.OverLimit || !l.OverSince.Equal(first) || l.Usage.Estimate != 45 {
			t.Errorf("in its first window it is over its limit: %t, since %v", l.OverLimit, l.OverSince)
		}
		notices := func() (n int64) {
			must(t, s.db.Model(&outboxRow{}).Where("subscription = ? AND kind = ?", id, billing.NoticeOverLimit).Count(&n).Error)
			return n
		}
		second := first.AddDate(0, 0, 28)
		told := make(chan bool, 8)
		for p := range 8 {
			wg.Go(func() { told <- count(second, people(p*5, p*5+10)) })
		}
		wg.Wait()
		close(told)
		mails := 0
		for yes := range told {
			if yes {
				mails++
			}
		}
		if mails != 1 || notices() != 1 {
			t.Errorf("in the second window told %d times, %d mails", mails, notices())
		}
		for _, c := range []struct {
			days  int
			seen  []licensing.User
			mails int64
		}{
			{28 + 27, people(100, 121), 1}, // the same window
			{28 + 28, people(100, 121), 2}, // the next one
			{28 + 28 + 28, people(0, 20), 2},
			{28 + 28 + 56, people(0, 45), 2}, // one window above, after one that was not
		} {
			count(first.AddDate(0, 0, c.days), c.seen)
			if n := notices(); n != c.mails {
				t.Errorf("on day %d %d mails, want %d", c.days, n, c.mails)
			}
		}
		var weeks int64
		must(t, s.db.Model(&licenseUsageRow{}).Where("license = ?", license).Count(&weeks).Error)
		if weeks > licensing.UsageWeeks {
			t.Errorf("%d weeks are kept", weeks)
		}
	})
}

// The weeks are summed up where somebody is counted, and where a week has begun
// in which nobody was yet.
func TestUsageIsReadFromTheLicenceAlone(t *testing.T) {
	onEach(t, func(t *testing.T, store *Store) {
		s := openShop(t, store)
		o := newOrder("ada@contoso.example")
		s.buy(o)
		license, now := o.detail.License, time.Now().UTC().Truncate(time.Second)
		for _, c := range []struct {
			at   time.Time
			seen []licensing.User
		}{
			{now.AddDate(0, 0, -7), people(0, 3)},
			{now, people(2, 5)},
			{now.AddDate(0, 0, -7), people(5, 6)}, // by a process that is late
		} {
			_, err := s.CountUsers(t.Context(), license, licensing.Seen{At: c.at, Users: c.seen, Questions: int64(len(c.seen))})
			must(t, err)
		}
		want := licensing.Usage{Estimate: 6, Questions: 7}
		if l, err := s.License(t.Context(), license); err != nil || l.Usage != want {
			t.Errorf("%+v, %v; want %+v", l.Usage, err, want)
		}
		row, err := one[licenseRow](s.db.Where("id = ?", license))
		must(t, err)
		if u, err := row.usageIn(s.db, licensing.WeekOf(now.AddDate(0, 0, 28))); err != nil || u != (licensing.Usage{Before: 6}) {
			t.Errorf("four weeks later %+v, %v", u, err)
		}
		must(t, s.db.Where("license = ?", license).Delete(&licenseUsageRow{}).Error)
		if l, err := s.License(t.Context(), license); err != nil || l.Usage != want {
			t.Errorf("without the weeks %+v, %v", l.Usage, err)
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
		must(t, s.SetActivationKey(t.Context(), id, "another"))
		s.command(o.sub.ID, billing.Command{Action: billing.ActionCancel}, opening.AddDate(0, 0, 1))
		must(t, s.SetTenant(t.Context(), id, "moved"))
		must(t, s.SetBlocking(t.Context(), id, true))
		must(t, s.SetBlocking(t.Context(), id, true))
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
