package backoffice

import (
	"context"
	"log/slog"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
)

// RetentionStore removes what need not be kept.
type RetentionStore interface {
	Lease(ctx context.Context, name, holder string, life time.Duration) (held bool, err error)
	Remove(ctx context.Context, kind billing.Retained, before time.Time, limit int) (removed int, err error)
}

// How much is removed at once, how long others have the database to themselves
// in between, and how often it is looked whether there is anything.
const (
	removedAtOnce = 200
	removalPause  = 200 * time.Millisecond
	removalEvery  = 10 * time.Minute
)

// Retain has one process at a time remove what is older than its retention, and
// attempts that no longer count, in small batches, until the context ends. Where
// that one goes away, another takes over.
func Retain(ctx context.Context, store RetentionStore, days billing.Retention, log *slog.Logger) {
	me := commands.NewID("wrk")
	for ; ctx.Err() == nil; pause(ctx, removalEvery) {
		if held, err := store.Lease(ctx, "retention", me, 2*removalEvery); err != nil || !held {
			if err != nil && ctx.Err() == nil {
				log.Warn("old rows were not removed", "error", err)
			}
			continue
		}
		now := time.Now().UTC()
		removeAll(ctx, store, billing.RetainAttempts, now, log)
		for kind, n := range days {
			if n > 0 {
				removeAll(ctx, store, kind, now.AddDate(0, 0, -n), log)
			}
		}
	}
}

// removeAll removes what there is of a kind, batch by batch.
func removeAll(ctx context.Context, store RetentionStore, kind billing.Retained, before time.Time, log *slog.Logger) {
	for total := 0; ; {
		removed, err := store.Remove(ctx, kind, before, removedAtOnce)
		if err != nil && ctx.Err() == nil {
			log.Warn("old rows were not removed", "kind", kind, "error", err)
		}
		if total += removed; err != nil || removed == 0 {
			if total > 0 {
				log.Info("old rows were removed", "kind", kind, "rows", total)
			}
			return
		}
		if !pause(ctx, removalPause) {
			return
		}
	}
}

// pause waits, and tells whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
