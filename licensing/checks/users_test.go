package checks_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/checks"
)

var monday = time.Date(2026, 2, 2, 10, 0, 0, 0, time.UTC)

// counter keeps what is written down, while it is there.
type counter struct {
	checks.Store
	away    bool
	written []licensing.Seen
	told    billing.SubscriptionID
}

func (c *counter) CountUsers(_ context.Context, _ licensing.LicenseID, seen licensing.Seen) (billing.SubscriptionID, error) {
	if c.away {
		return "", errors.New("the database is away")
	}
	c.written = append(c.written, seen)
	return c.told, nil
}

// totals are the users and questions of all that was written down.
func (c *counter) totals() string {
	var users, questions, without int64
	for _, s := range c.written {
		users, questions, without = users+int64(len(s.Users)), questions+s.Questions, without+s.WithoutID
	}
	return fmt.Sprintf("%d users, %d questions, %d without an id", users, questions, without)
}

func from(address string) func() string { return func() string { return address } }

func licence(t licensing.Type) checks.License {
	return checks.License{Issued: licensing.Issued{License: licensing.License{ID: "lic_1", Type: t, Covers: 20}}}
}

func TestWhoWasSeenIsWrittenDownOnceWhateverTheDatabaseDoes(t *testing.T) {
	store, now, outgrown := &counter{away: true}, monday, 0
	c := checks.New(store, licensing.KeyRing{}, func(context.Context, billing.SubscriptionID) { outgrown++ }, slog.New(slog.DiscardHandler), func() time.Time { return now })
	see := func(users ...string) {
		for _, user := range users {
			c.Observe(licence(licensing.Users), user, from("192.0.2.0"))
		}
	}
	see("ada", "bea", "ada", "")
	c.Count(t.Context())
	if len(store.written) != 0 || outgrown != 0 {
		t.Fatal("it was written down while the database was away")
	}
	see("ada", "cyd")
	store.away, store.told = false, "sub_1"
	c.Count(t.Context())
	if got, want := store.totals(), "3 users, 6 questions, 1 without an id"; got != want || len(store.written) != 1 || outgrown != 1 {
		t.Errorf("%s in %d rows, told of %d times; want %s in one, once", got, len(store.written), outgrown, want)
	}
	// Nobody is new: a mere number of questions waits for an hour.
	store.told = ""
	see("ada", "bea")
	c.Count(t.Context())
	if len(store.written) != 1 {
		t.Error("questions of those who are known did not wait")
	}
	now = now.Add(time.Hour)
	c.Count(t.Context())
	if got, want := store.totals(), "3 users, 8 questions, 1 without an id"; got != want {
		t.Errorf("an hour later %s, want %s", got, want)
	}
	now = now.AddDate(0, 0, 7) // in another week they count again
	see("ada")
	c.Count(t.Context())
	if got, want := store.totals(), "4 users, 9 questions, 1 without an id"; got != want {
		t.Errorf("a week later %s, want %s", got, want)
	}
	see("ada")
	ended, end := context.WithCancel(t.Context())
	end()
	c.Run(ended)
	if got, want := store.totals(), "4 users, 10 questions, 1 without an id"; got != want {
		t.Errorf("at the end %s, want %s: nothing waits any more", got, want)
	}
}

func TestAnAddressAddsAThousandUsersADay(t *testing.T) {
	store, now := &counter{}, monday
	c := checks.New(store, licensing.KeyRing{}, nil, slog.New(slog.DiscardHandler), func() time.Time { return now })
	for i := range 1500 {
		c.Observe(licence(licensing.Users), fmt.Sprint("made up ", i), from("192.0.2.0"))
		c.Observe(licence(licensing.Site), fmt.Sprint("made up ", i), from("198.51.100.0")) // counts nobody
	}
	c.Observe(licence(licensing.Users), "ada", from("203.0.113.0"))
	c.Count(t.Context())
	if got, want := store.totals(), "1001 users, 1501 questions, 0 without an id"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	now = now.AddDate(0, 0, 1)
	c.Observe(licence(licensing.Users), "made up tomorrow", from("192.0.2.0"))
	c.Count(t.Context())
	if got, want := store.totals(), "1002 users, 1502 questions, 0 without an id"; got != want {
		t.Errorf("a day later %s, want %s", got, want)
	}
}
