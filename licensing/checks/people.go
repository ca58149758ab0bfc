package checks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

const (
	// usersEvery is how often those who were counted are written down.
	usersEvery = 5 * time.Second
	// usersPerAddress is how many an address may add in a day, so that nobody
	// makes a licence look outgrown with made-up ids.
	usersPerAddress = 1000
	usersKnown      = 500_000 // in each of two halves
	peopleWaiting   = 100_000 // to be written down
	addressesKept   = 100_000
)

// people counts who asks about licences for a number of users, aside from the
// checks: each one is noted in memory, and written down every few seconds. The
// ids are anonymous, and only hashes of them are kept.
type users struct {
	store Store
	log   *slog.Logger

	mu         sync.Mutex
	known, old map[counted]struct{} // need not be written down again
	waiting    map[usageWindow][]licensing.User
	waits      int            // in all crowds
	day        time.Time      // that added speaks of
	added      map[string]int // by address
}

// crowd is who uses a licence in a period.
type usageWindow struct {
	license   licensing.LicenseID
	periodEnd time.Time
}

type counted struct {
	usageWindow
	licensing.User
}

func newUsers(store Store, log *slog.Logger) *users {
	return &users{store: store, log: log, known: map[counted]struct{}{}, waiting: map[usageWindow][]licensing.User{}, added: map[string]int{}}
}

// saw notes who has asked about a licence.
func (p *users) observe(l licensing.Issued, user, address string, now time.Time) {
	if l.Type != licensing.Users || l.Covers == 0 || user == "" {
		return
	}
	who := counted{usageWindow{l.ID, l.PeriodEnd.UTC()}, licensing.UserOf(user)}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.knows(who) {
		return
	}
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(p.day) {
		p.day, p.added = day, map[string]int{}
	}
	n, asked := p.added[address]
	if n >= usersPerAddress || !asked && len(p.added) >= addressesKept || p.waits >= peopleWaiting {
		return
	}
	p.added[address]++
	p.known[who] = struct{}{}
	p.waiting[who.usageWindow] = append(p.waiting[who.usageWindow], who.User)
	p.waits++
}

// knows tells whether somebody has been counted; the caller holds mu. The half
// that was not used lately is forgotten when the other one is full: who comes
// back from there is written down again, which changes no number.
func (p *users) knows(who counted) bool {
	if _, known := p.known[who]; known {
		return true
	}
	if len(p.known) >= usersKnown {
		p.old, p.known = p.known, map[counted]struct{}{}
	}
	_, known := p.old[who]
	if known {
		p.known[who] = struct{}{}
	}
	return known
}

// write writes down who waits, and tells which licences have been outgrown now,
// with the subscriptions that a mail waits for. Who cannot be written down
// waits for the next time.
func (p *users) write(ctx context.Context) (outgrown map[licensing.LicenseID]billing.SubscriptionID) {
	p.mu.Lock()
	waiting := p.waiting
	p.waiting, p.waits = map[usageWindow][]licensing.User{}, 0
	p.mu.Unlock()
	outgrown = map[licensing.LicenseID]billing.SubscriptionID{}
	for c, list := range waiting {
		subscription, err := p.store.CountUsers(ctx, c.license, c.periodEnd, list)
		switch {
		case err != nil:
			p.log.Warn("who uses a licence was not written down yet", "license", c.license, "error", err)
			p.mu.Lock()
			p.waiting[c] = append(p.waiting[c], list...)
			p.waits += len(list)
			p.mu.Unlock()
		case subscription != "":
			outgrown[c.license] = subscription
		}
	}
	return outgrown
}

// Saw notes who has asked about a licence, from an address. What cannot be kept
// is left out: fewer are counted then, never more.
func (c *Checks) Saw(l License, user, address string) {
	c.users.observe(l.Issued, user, address, c.now())
}

// Count writes down who has asked about licences since the last time.
func (c *Checks) Count(ctx context.Context) {
	for license, subscription := range c.users.write(ctx) {
		c.Forget(license)
		c.outgrown(ctx, subscription)
	}
}

// Run writes down who asks about licences, until the context ends and those
// who wait then are written down too.
func (c *Checks) Run(ctx context.Context) {
	tick := time.NewTicker(usersEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			c.Count(ctx)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), usersEvery)
	defer cancel()
	c.Count(last)
}
