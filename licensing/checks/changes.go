package checks

import (
	"context"
	"maps"
	"time"

	"github.com/okviz/licensing/licensing"
)

const (
	// changesEvery is how often the database is asked what has changed: once for all
	// licences that are kept.
	changesEvery = 5 * time.Second
	// A change counts from when it is made and is seen when its transaction ends. None takes
	// longer than lateCommit: locks are waited for for 50 seconds.
	lateCommit = 2 * time.Minute
	// After changesGap without an answer, everything is read again instead.
	changesGap = 10 * time.Minute
)

// changes are what the database has told. The one who reads them holds mu.
type changes struct {
	told        time.Time // what is kept was good then, but for what is changed; zero: not yet
	activations map[string]licensing.Activation
}

// Follow asks the database once what has changed, and has it read again before the
// next answer. While this fails, what is kept gets old as if nobody had asked.
func (c *Checks) Follow(ctx context.Context) error {
	begun := c.now()
	c.mu.Lock()
	gap := begun.Sub(c.told)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, checksPatience)
	defer cancel()
	licenses, activations, err := c.store.Changes(ctx, min(gap, changesGap)+lateCommit)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, at := range licenses {
		if k, known := c.kept[id]; known && !k.ChangedAt.Equal(at) {
			k.changed = true
			c.kept[id] = k
		}
	}
	if gap > changesGap || !maps.Equal(activations, c.activations) {
		for id, k := range c.kept {
			if gap > changesGap || activations[k.Product] != k.Activation {
				k.changed = true
				c.kept[id] = k
			}
		}
	}
	c.told, c.activations = begun, activations
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
