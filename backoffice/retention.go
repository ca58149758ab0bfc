package backoffice

import (
	"context"
	"log/slog"
	"time"

	"github.com/okviz/licensing/billing"
)

// RetentionStore removes what need not be kept.
type RetentionStore interface {
	Remove(ctx context.Context, kind billing.Retained, before time.Time, limit int) (removed int, err error)
}

// How much is removed at once, how long others have the database to themselves
// in between, and how often it is looked whether there is anything.
const (
	removedAtOnce = 200
	removalPause  = 200 * time.Millisecond
	removalEvery  = time.Hour
)

// Retain removes what is older than its retention, in small batches, until the
// context ends.
func Retain(ctx context.Context, store RetentionStore, days billing.Retention, log *slog.Logger) {
	for {
		wait := removalEvery
		for kind, n := range days {
			if n == 0 {
				continue
			}
			removed, err := store.Remove(ctx, kind, time.Now().UTC().AddDate(0, 0, -n), removedAtOnce)
			switch {
			case err != nil && ctx.Err() == nil:
				log.Warn("old rows were not removed", "kind", kind, "error", err)
			case removed > 0: // there may be more
				log.Info("old rows were removed", "kind", kind, "rows", removed)
				wait = removalPause
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
