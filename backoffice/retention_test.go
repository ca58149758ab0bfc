package backoffice_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

// cellar lends its key to one at a time, and counts who has removed something.
type cellar struct {
	mu     sync.Mutex
	holder string
	until  time.Time
	rounds map[string]int
}

func (c *cellar) Lease(_ context.Context, _, holder string, life time.Duration) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holder != holder && time.Now().Before(c.until) {
		return false, nil
	}
	c.holder, c.until = holder, time.Now().Add(life)
	return true, nil
}

func (c *cellar) Remove(_ context.Context, kind billing.Retained, _ time.Time, _ int) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if kind == billing.RetainAttempts {
		c.rounds[c.holder]++
	}
	return 0, nil
}

func TestOneWorkerRemovesWhatIsOldAndAnotherTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, log := &cellar{rounds: map[string]int{}}, slog.New(slog.DiscardHandler)
		first, stop := context.WithCancel(t.Context())
		work := func(ctx context.Context) { backoffice.Retain(ctx, c, nil, log) }
		go work(first)
		synctest.Wait()
		leader := c.holder
		second, end := context.WithCancel(t.Context())
		go work(second)
		time.Sleep(time.Hour + time.Minute) // of virtual time
		if len(c.rounds) != 1 || c.rounds[leader] != 7 {
			t.Errorf("in an hour: %v, want 7 rounds of one", c.rounds)
		}
		stop()
		time.Sleep(time.Hour)
		end()
		if heir := c.holder; heir == leader || c.rounds[heir] == 0 || c.rounds[leader] != 7 {
			t.Errorf("after that one has gone: %v", c.rounds)
		}
	})
}
