// Package checks answers the licence checks of visuals from memory: it keeps the
// licences that are asked for, the leases that were signed for them and the keys
// that each version of a visual knows, and counts who asks.
package checks

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// How old the data may be that a check is answered from: since it was read, or since the
// database last told that it had not changed. A revocation, a suspension or a cancellation
// made by any process takes effect after at most checksStale plus one read of the database:
// within 30 s.
const (
	checksFresh = 10 * time.Second // then it is read again aside, and still given
	checksStale = 20 * time.Second // then it is read again first, while the database is there
	// checksPatience is how long a database may take that is not quite away.
	checksPatience = 2 * time.Second
	// A database that has not answered so many times in a row is away, and for
	// checksAway after it was asked nobody waits for it. Fewer are an accident,
	// for which nobody is given an answer that may be too old.
	checksFailures = 3
	checksAway     = 5 * time.Second

	checksKept  = 50_000 // licences, and as many ids that are none
	checksReads = 16     // at a time, however many licences are asked for at once

	// A licence is read again after checksLife though nothing has told of a change: its row
	// may be gone.
	checksLife = 24 * time.Hour

	leaseAge = time.Hour // then a lease is signed anew
)

// isLicenseID tells whether an id looks like a licence's. A question about another need not
// wait for the database.
func isLicenseID(id licensing.LicenseID) bool {
	code, isOne := strings.CutPrefix(string(id), "lic_")
	return isOne && len(code) == 26 && strings.Trim(code, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == ""
}

// Store is what checks need of the database. Errors: billing.ErrNotFound.
type Store interface {
	License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error)
	// Changes are the licences that were changed within so long, each with its ChangedAt, and
	// how each product is activated.
	Changes(ctx context.Context, within time.Duration) (map[licensing.LicenseID]time.Time, map[string]licensing.Activation, error)
	AllVersions(ctx context.Context, product string) ([]billing.Version, error)
	// UseTrial notes that a licence's trial is used: by anybody, if no organisation is named.
	UseTrial(ctx context.Context, license licensing.LicenseID, organisation string) error
	CountUsers(ctx context.Context, license licensing.LicenseID, seen licensing.Seen) (told billing.SubscriptionID, err error)
}

// Checks caches what licence checks are answered from: the licences that are
// asked for, each with the leases that everybody who asks gets, and ids that
// do not exist. A cached answer needs no database: what is kept is good until the
// database tells of a change (Follow). While the database is away, cached
// licences are served until their own valid_until.
type Checks struct {
	store    Store
	keys     licensing.KeyRing
	outgrown func(ctx context.Context, subscription billing.SubscriptionID)
	now      func() time.Time

	builds *builds
	users  *users

	reads chan struct{} // a place for each reading under way

	mu      sync.Mutex
	kept    map[licensing.LicenseID]License
	none    map[licensing.LicenseID]time.Time // ids that are none, and when that was so
	reading map[licensing.LicenseID]*reading
	changes           // what the database has told
	failed  int       // readings in a row
	away    time.Time // until then nobody waits for the database
}

// New makes checks that know nothing yet. outgrown is told of each subscription
// whose licence more people use than it covers, once in a window. Run must run,
// too.
func New(store Store, keys licensing.KeyRing, outgrown func(ctx context.Context, subscription billing.SubscriptionID), log *slog.Logger, now func() time.Time) *Checks {
	return &Checks{
		store: store, keys: keys, outgrown: outgrown, now: now, builds: newBuilds(store, now), users: newUsers(store, log),
		reads: make(chan struct{}, checksReads), kept: map[licensing.LicenseID]License{}, none: map[licensing.LicenseID]time.Time{}, reading: map[licensing.LicenseID]*reading{},
	}
}

// Answer answers a question about a licence.
func (c *Checks) Answer(l License, q licensing.Question) (licensing.Answer, error) {
	now := l.At(c.now())
	code, token := licensing.Check(l.License, q, now), ""
	if code.Valid() {
		var err error
		if token, err = c.lease(l, code, q, now); err != nil {
			return licensing.Answer{}, err
		}
	}
	return licensing.Respond(l.License, code, now, token), nil
}

// lease is what a visual may keep of an answer, signed with a key that its
// version knows. One that knows none of those that sign is answered without, and
// so is one that was never published where others of its product were: the
// visual is outdated.
// A question with a nonce is answered with a token of its own.
func (c *Checks) lease(l License, code licensing.Code, q licensing.Question, now time.Time) (string, error) {
	kids, known := c.builds.kids(l.Product, q.Version)
	// The visual of a hybrid product is AppSource's, whatever is published here.
	if l.Activation != licensing.ActivationNone {
		known = true
	}
	key, err := c.keys.Signer(kids...)
	if err != nil || !known {
		return "", nil
	}
	if q.Nonce != "" {
		return c.keys.Sign(licensing.SignedAnswer(l.License, code, q.Nonce, now), key.ID())
	}
	return l.lease(key.ID(), now, func() (string, error) { return c.keys.Sign(licensing.Lease(l.License, now), key.ID()) })
}

// License is a licence as it was read; it never changes. The zero License stands
// for an id that does not exist.
type License struct {
	licensing.Issued
	read    time.Time
	changed bool // since it was read
	leases  *leases
}

// leases are the tokens of one licence as it is: each is signed once, and all
// who ask are given the same one until it is an hour old.
type leases struct {
	mu     sync.Mutex
	signed map[string]lease // by what chose the key
}

type lease struct {
	token string
	at    time.Time
}

// lease is the one that was signed with the same key, or a new one. A test
// clock's is of the clock's very instant.
func (l License) lease(key string, now time.Time, sign func() (string, error)) (string, error) {
	l.leases.mu.Lock()
	defer l.leases.mu.Unlock()
	was := l.leases.signed[key]
	age := now.Sub(was.at)
	if was.token != "" && (age == 0 || age > 0 && age < leaseAge && l.TestClock == "") {
		return was.token, nil
	}
	token, err := sign()
	if err == nil {
		l.leases.signed[key] = lease{token, now}
	}
	return token, err
}

// reading is under way: all who want to know wait for the same one.
type reading struct {
	done chan struct{}
	kept License // when done
	err  error   // likewise
}

// Cached is what is kept of a licence, if that will do. What begins to age is
// Read again meanwhile. A test clock may have been moved since it was read:
// its licences are always read again.
func (c *Checks) Cached(id licensing.LicenseID) (License, bool) {
	if !isLicenseID(id) {
		return License{}, true
	}
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, isNone := c.none[id]; isNone && now.Sub(at) < checksStale {
		return License{}, true
	}
	k, known := c.kept[id]
	age := now.Sub(later(k.read, c.told))
	switch {
	case !known || k.TestClock != "":
		return k, false
	case now.Before(c.away):
	case age >= checksStale || k.changed:
		return k, false
	case age >= checksFresh || now.Sub(k.read) >= checksLife || k.Type == licensing.Users && licensing.WeekOf(now) != licensing.WeekOf(k.read):
		c.begin(id, now)
	}
	return k, true
}

// Read reads a licence. Where the database does not answer, it is what is
// kept, however old, and an error only where nothing is.
func (c *Checks) Read(ctx context.Context, id licensing.LicenseID) (License, error) {
	c.mu.Lock()
	was, known := c.kept[id]
	if was.TestClock != "" { // one under way may have begun before the clock was moved
		delete(c.reading, id)
	}
	r := c.begin(id, c.now())
	c.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return was, ctx.Err()
	}
	if r.err != nil && known {
		return was, nil
	}
	return r.kept, r.err
}

// begin begins a reading, or finds the one under way. The caller holds mu. What
// is read is as of now, or newer.
func (c *Checks) begin(id licensing.LicenseID, now time.Time) *reading {
	r := c.reading[id]
	if r == nil {
		r = &reading{done: make(chan struct{})}
		c.reading[id] = r
		go c.fetch(id, r, now)
	}
	return r
}

func (c *Checks) fetch(id licensing.LicenseID, r *reading, now time.Time) {
	defer close(r.done)
	ctx, cancel := context.WithTimeout(context.Background(), checksPatience)
	defer cancel()
	var l licensing.Issued
	var err error
	select {
	case c.reads <- struct{}{}:
		l, err = c.store.License(ctx, id)
		<-c.reads
	case <-ctx.Done():
		err = ctx.Err()
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	isNone := errors.Is(err, billing.ErrNotFound)
	if err != nil && !isNone {
		r.err = err
		if c.failed++; c.failed >= checksFailures {
			c.away = now.Add(checksAway)
		}
	} else {
		c.failed, c.away = 0, time.Time{}
	}
	if err == nil {
		activation, told := c.activations[l.Product]
		r.kept = License{l, now, told && activation != l.Activation, &leases{signed: map[string]lease{}}}
		if was := c.kept[id]; was.ID != "" && reflect.DeepEqual(was.License, l.License) {
			r.kept.leases = was.leases
		}
	}
	if c.reading[id] != r { // forgotten meanwhile: it may be older than what made it be
		return
	}
	delete(c.reading, id)
	switch {
	case isNone:
		delete(c.kept, id)
		bound(c.none, checksKept)
		c.none[id] = now
	case err == nil:
		delete(c.none, id)
		bound(c.kept, checksKept)
		c.kept[id] = r.kept
	}
}

// Forget has a licence read again before the next answer, because it has just
// been changed here.
func (c *Checks) Forget(id licensing.LicenseID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.kept, id)
	delete(c.none, id)
	delete(c.reading, id)
}

// bound makes room for one more. Any will do: what is asked for again is read
// again.
func bound[K comparable, V any](m map[K]V, most int) {
	for id := range m {
		if len(m) < most {
			return
		}
		delete(m, id)
	}
}
