package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

const (
	checksKept = 100_000         // licences, and ids that are none
	checksLife = 1 * time.Second // how old an answer may be while the database is there
	// checksPatience is how long a database may take that is not quite away.
	checksPatience = 2 * time.Second
)

// checks keeps what licence checks have read, so that a busy report asks the
// database once a second, and a database that is away stops nobody: what was
// read is served until its own valid_until.
type checks struct {
	store interface {
		License(ctx context.Context, id string) (licensing.Issued, error)
	}
	now func() time.Time

	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	license licensing.Issued // zero: there is none with this id
	read    time.Time
}

func newChecks(store Store, now func() time.Time) *checks {
	return &checks{store: store, now: now, kept: map[string]kept{}}
}

// license reads a licence; the zero one with billing.ErrNotFound where there
// is none. Other errors say that the database is away and nothing is kept.
func (c *checks) license(ctx context.Context, id string) (licensing.Issued, error) {
	now := c.now()
	c.mu.Lock()
	k, known := c.kept[id]
	c.mu.Unlock()
	// A test clock may have been moved since.
	if known && now.Sub(k.read) < checksLife && k.license.TestClock == "" {
		return k.found()
	}
	ctx, cancel := context.WithTimeout(ctx, checksPatience)
	defer cancel()
	l, err := c.store.License(ctx, id)
	switch {
	case err == nil || errors.Is(err, billing.ErrNotFound):
		k.license = l
	case !known:
		return l, err
	}
	k.read = now // also where the database is away: it need not be asked each time
	c.mu.Lock()
	if len(c.kept) >= checksKept {
		for old := range c.kept { // any will do: it is read again when it is asked for
			delete(c.kept, old)
			break
		}
	}
	c.kept[id] = k
	c.mu.Unlock()
	return k.found()
}

func (k kept) found() (licensing.Issued, error) {
	if k.license.ID == "" {
		return k.license, billing.ErrNotFound
	}
	return k.license, nil
}
