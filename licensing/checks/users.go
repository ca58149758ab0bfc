package checks

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

const (
	// usersEvery is how often those who were counted are written down, and
	// questionsEvery how often the number of questions is where nobody is new: of so many
	// licences at a time, so that the database has no more to do where more are asked for.
	usersEvery      = 5 * time.Second
	questionsEvery  = time.Hour
	questionsAtOnce = 100
	// usersPerAddress is how many an address may add in a day, so that nobody
	// makes a licence look outgrown with made-up ids.
	usersPerAddress = 1000
	usersKnown      = 500_000 // in each of two halves
	usersWaiting    = 100_000 // to be written down
	addressesKept   = 100_000
)

// users counts who asks about licences for a number of users, aside from the
// checks: each one is noted in memory, and written down every few seconds. The
// ids are anonymous, and only hashes of them are kept.
type users struct {
	store Store
	log   *slog.Logger

	mu         sync.Mutex
	known, old map[counted]struct{} // need not be written down again
	waiting    map[usageWeek]*seen
	waits      int            // of users, in all weeks
	day        time.Time      // that added speaks of
	added      map[string]int // by address

	trials, tried map[licensing.LicenseID]struct{} // that somebody has asked about: to be written down, and written down
}

// usageWeek is a week in the use of a licence.
type usageWeek struct {
	license licensing.LicenseID
	week    licensing.Week
}

// seen waits to be written down.
type seen struct {
	licensing.Seen
	since time.Time // real time
}

// news tells whether it has to be written down soon.
func (s *seen) news() bool { return len(s.Users) > 0 || s.WithoutID > 0 }

type counted struct {
	usageWeek
	licensing.User
}

func newUsers(store Store, log *slog.Logger) *users {
	return &users{store: store, log: log, known: map[counted]struct{}{}, waiting: map[usageWeek]*seen{}, added: map[string]int{}, trials: map[licensing.LicenseID]struct{}{}, tried: map[licensing.LicenseID]struct{}{}}
}

// try notes that a trial is used: once, and not for each question.
func (p *users) try(l licensing.Issued) {
	if !l.Trial {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.tried[l.ID]; !known && len(p.trials) < usersWaiting {
		p.trials[l.ID] = struct{}{}
	}
}

// writeTrials writes down which trials are used. What cannot be written down
// waits for the next time.
func (p *users) writeTrials(ctx context.Context) {
	p.mu.Lock()
	due := slices.Collect(maps.Keys(p.trials))
	p.mu.Unlock()
	for _, license := range due {
		if err := p.store.UseTrial(ctx, license, ""); err != nil {
			p.log.Warn("that a trial is used was not written down yet", "license", license, "error", err)
			continue
		}
		p.mu.Lock()
		delete(p.trials, license)
		bound(p.tried, usersWaiting)
		p.tried[license] = struct{}{}
		p.mu.Unlock()
	}
}

// observe notes who has asked about a licence; an empty user is one without an
// id.
func (p *users) observe(l licensing.Issued, user string, from func() string, now time.Time) {
	if l.Type != licensing.Users {
		return
	}
	at := l.At(now)
	week := usageWeek{l.ID, licensing.WeekOf(at)}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.waiting[week]
	if s == nil {
		if len(p.waiting) >= usersWaiting {
			return
		}
		s = &seen{since: now}
		p.waiting[week] = s
	}
	s.At = at
	s.Questions++
	if user == "" {
		s.WithoutID++
		return
	}
	who := counted{week, licensing.UserOf(user)}
	if p.knows(who) {
		return
	}
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(p.day) {
		p.day, p.added = day, map[string]int{}
	}
	address := from()
	n, asked := p.added[address]
	if n >= usersPerAddress || !asked && len(p.added) >= addressesKept || p.waits >= usersWaiting {
		return
	}
	p.added[address]++
	p.known[who] = struct{}{}
	s.Users = append(s.Users, who.User)
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
// with the subscriptions that a mail waits for. What cannot be written down
// waits for the next time; so does, for an hour, a mere number of questions, but at
// the last time.
func (p *users) write(ctx context.Context, now time.Time, last bool) (outgrown map[licensing.LicenseID]billing.SubscriptionID) {
	p.mu.Lock()
	due := map[usageWeek]*seen{}
	questions := 0
	for week, s := range p.waiting {
		if !s.news() && now.Sub(s.since) >= questionsEvery {
			questions++
		}
		if last || s.news() || now.Sub(s.since) >= questionsEvery && questions <= questionsAtOnce {
			due[week] = s
			delete(p.waiting, week)
			p.waits -= len(s.Users)
		}
	}
	p.mu.Unlock()
	outgrown = map[licensing.LicenseID]billing.SubscriptionID{}
	for week, s := range due {
		subscription, err := p.store.CountUsers(ctx, week.license, s.Seen)
		switch {
		case err != nil:
			p.log.Warn("who uses a licence was not written down yet", "license", week.license, "error", err)
			p.again(week, s)
		case subscription != "":
			outgrown[week.license] = subscription
		}
	}
	return outgrown
}

// again has what could not be written down wait once more.
func (p *users) again(week usageWeek, s *seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if more := p.waiting[week]; more != nil {
		s.At = more.At
		s.Users = append(s.Users, more.Users...)
		s.Questions += more.Questions
		s.WithoutID += more.WithoutID
		p.waits -= len(more.Users)
	}
	p.waiting[week] = s
	p.waits += len(s.Users)
}

// Observe notes who has asked about a licence, and for somebody new from which address;
// an empty user is one without an id. What cannot be kept is left out: fewer are counted
// then, never more.
func (c *Checks) Observe(l License, user string, from func() string) {
	c.users.try(l.Issued)
	c.users.observe(l.Issued, user, from, c.now())
}

// Count writes down who has asked about licences since the last time.
func (c *Checks) Count(ctx context.Context) { c.count(ctx, false) }

func (c *Checks) count(ctx context.Context, last bool) {
	c.users.writeTrials(ctx)
	for license, subscription := range c.users.write(ctx, c.now(), last) {
		c.Forget(license)
		c.outgrown(ctx, subscription)
	}
}

// Run follows what changes, and writes down who asks about licences, until the context
// ends and those who wait then are written down too.
func (c *Checks) Run(ctx context.Context) {
	var following sync.WaitGroup
	following.Go(func() {
		every(ctx, changesEvery, func() {
			if err := c.Follow(ctx); err != nil && ctx.Err() == nil {
				c.users.log.Warn("what has changed of licences was not read", "error", err)
			}
		})
	})
	every(ctx, usersEvery, func() { c.Count(ctx) })
	following.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), usersEvery)
	defer cancel()
	c.count(last, true)
}

// every does something again and again until the context ends.
func every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			do()
		}
	}
}
