package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

// Clock is a test clock. It stands still between advances.
type Clock struct {
	ID  string    `json:"id"`
	Now time.Time `json:"now"`
}

func (s *server) clockRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPost, "/v1/operator/test-clocks", "create-clock", "Create a test clock", "Test clocks", status(http.StatusCreated), operator), s.createClock)
	huma.Register(h, route(http.MethodPost, "/v1/operator/test-clocks/{id}/advance", "advance-clock", "Advance a test clock, and do everything that is due by then", "Test clocks", operator), s.advanceClock)
}

// clockFor checks that the caller may use the test clock of an order.
func (s *server) clockFor(ctx context.Context, who caller, id string) (string, error) {
	if !s.TestClocks || !who.operator {
		return "", problem(http.StatusForbidden, "forbidden", "test clocks are for operators of a development system")
	}
	_, err := s.Store.Clock(ctx, id)
	return id, orUnknown(err, "unknown_clock", "test_clock", "there is no such clock")
}

func (s *server) createClock(ctx context.Context, in *struct {
	Body struct {
		Now time.Time `json:"now"`
	}
}) (*struct{ Body Clock }, error) {
	now := billing.Instant(in.Body.Now)
	if now.Year() < 2000 || now.Year() > 2200 {
		return nil, invalid("now", "is not between the years 2000 and 2200")
	}
	id, err := s.Store.CreateClock(ctx, now)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Clock }{Clock{id, now}}, nil
}

func (s *server) advanceClock(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		To   time.Time `json:"to"`
		Late bool      `json:"late,omitempty" doc:"Jump at once, as after an outage, instead of step by step."`
	}
}) (*struct{ Body Clock }, error) {
	to := billing.Instant(in.Body.To)
	now, err := s.Store.HoldClock(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	defer func() {
		if err := s.Store.ReleaseClock(context.WithoutCancel(ctx), in.ID); err != nil {
			s.Log.Warn("a test clock was not released", "clock", in.ID, "error", err)
		}
	}()
	if to.Before(now) || to.Year() > 2200 {
		return nil, invalid("to", "is before the clock's now, or after the year 2200")
	}
	if err := s.advance(ctx, in.ID, to, in.Body.Late); err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Clock }{Clock{in.ID, to}}, nil
}

// advance takes the smallest due instant, sets the clock to it and has that
// step done, again and again, up to and including to. Late, the clock jumps at
// once, and what is due is done at that instant.
func (s *server) advance(ctx context.Context, clock string, to time.Time, late bool) error {
	for !late {
		id, at, err := s.Store.NextOnClock(ctx, clock, to)
		if err != nil {
			return err
		}
		if id == "" {
			break
		}
		if err := s.tick(ctx, clock, at, id); err != nil {
			return err
		}
	}
	ids, err := s.Store.OnClock(ctx, clock)
	if err != nil {
		return err
	}
	return s.tick(ctx, clock, to, ids...)
}

// tick sets a clock and tells subscriptions of it.
func (s *server) tick(ctx context.Context, clock string, at time.Time, ids ...string) error {
	if err := s.Store.SetClock(ctx, clock, at.UTC()); err != nil {
		return err
	}
	for _, id := range ids {
		o, err := s.Store.Overview(ctx, id)
		if err != nil {
			return err
		}
		if err := s.update(ctx, o.Subscription, workflows.UpdateAdvance, newID("adv"), workflows.Advance{To: at.UTC()}); err != nil {
			return err
		}
	}
	return nil
}
