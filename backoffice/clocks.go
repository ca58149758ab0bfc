package backoffice

import (
	"context"
	"time"

	"github.com/okviz/licensing/billing"
)

// CreateClock makes a test clock, which stands at now.
func (o *Office) CreateClock(ctx context.Context, now time.Time) (id string, err error) {
	if now.Year() < 2000 || now.Year() > 2200 {
		return "", &billing.Error{Code: billing.CodeInvalid, Field: "now", Detail: "is not between the years 2000 and 2200"}
	}
	return o.store.CreateClock(ctx, now)
}

// AdvanceClock moves a test clock, and does everything that is due by then.
// Late, the clock jumps at once, as after an outage. Errors: billing.ErrBusy
// while somebody else advances it.
func (o *Office) AdvanceClock(ctx context.Context, id string, to time.Time, late bool) error {
	now, err := o.store.HoldClock(ctx, id)
	if err != nil {
		return err
	}
	defer func() {
		if err := o.store.ReleaseClock(context.WithoutCancel(ctx), id); err != nil {
			o.log.Warn("a test clock was not released", "clock", id, "error", err)
		}
	}()
	if to.Before(now) || to.Year() > 2200 {
		return &billing.Error{Code: billing.CodeInvalid, Field: "to", Detail: "is before the clock's now, or after the year 2200"}
	}
	return o.advance(ctx, id, now, to, late)
}

// advance takes the smallest due instant, sets the clock to it and has that
// step done, again and again, up to and including to. Late, the clock jumps at
// once, and what is due is done at that instant. What was due before now is done
// now: a clock never goes back.
func (o *Office) advance(ctx context.Context, clock string, now, to time.Time, late bool) error {
	told := map[billing.SubscriptionID]time.Time{}
	for !late {
		id, at, err := o.store.NextOnClock(ctx, clock, to)
		if err != nil {
			return err
		}
		if id == "" {
			break
		}
		if last, again := told[id]; again && last.Equal(at) {
			return &billing.Error{Code: billing.CodeNotPossibleNow, Field: "to", Detail: "the workflow of " + string(id) +
				" does not do what is due by the database: terminate it, and run okviz recover"}
		}
		told[id] = at
		if at.Before(now) {
			at = now
		}
		if err := o.tick(ctx, clock, at, id); err != nil {
			return err
		}
	}
	ids, err := o.store.OnClock(ctx, clock)
	if err != nil {
		return err
	}
	return o.tick(ctx, clock, to, ids...)
}

// tick sets a clock and tells subscriptions of it.
func (o *Office) tick(ctx context.Context, clock string, at time.Time, ids ...billing.SubscriptionID) error {
	if err := o.store.SetClock(ctx, clock, at.UTC()); err != nil {
		return err
	}
	for _, id := range ids {
		sub, err := o.store.Overview(ctx, id)
		if err != nil {
			return err
		}
		if err := o.commands.Advance(ctx, sub.Subscription, at.UTC()); err != nil {
			return err
		}
	}
	return nil
}
