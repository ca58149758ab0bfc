package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// Clock is a test clock. It stands still between advances.
type Clock struct {
	ID  string    `json:"id"`
	Now time.Time `json:"now"`
}

func (s *operators) clockRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPost, "/v1/operator/test-clocks", "create-clock", "Create a test clock", "Test clocks", status(http.StatusCreated), operator(billing.OperatorAdmin)), s.createClock)
	huma.Register(h, route(http.MethodPost, "/v1/operator/test-clocks/{id}/advance", "advance-clock", "Advance a test clock, and do everything that is due by then", "Test clocks", operator(billing.OperatorAdmin)), s.advanceClock)
}

// clockOf is the test clock that an order names, if it names one and the caller may
// use it, and the instant by that clock; empty: real time.
func (s *server) clockOf(ctx context.Context, named *string) (clock string, now time.Time, err error) {
	if named != nil && *named != "" {
		if !s.TestClocks || !callerOf(ctx).operator {
			return "", now, problem(http.StatusForbidden, "forbidden", "test clocks are for operators of a development system")
		}
		clock = *named
	}
	now, err = s.now(ctx, clock)
	return clock, now, orUnknown(err, "unknown_clock", "test_clock", "there is no such clock")
}

func (s *operators) createClock(ctx context.Context, in *struct {
	Body struct {
		Now time.Time `json:"now"`
	}
}) (*struct{ Body Clock }, error) {
	now := billing.Instant(in.Body.Now)
	id, err := s.Office.CreateClock(ctx, now)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Clock }{Clock{id, now}}, nil
}

func (s *operators) advanceClock(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		To   time.Time `json:"to"`
		Late bool      `json:"late,omitempty" doc:"Jump at once, as after an outage, instead of step by step."`
	}
}) (*struct{ Body Clock }, error) {
	to := billing.Instant(in.Body.To)
	if err := s.Office.AdvanceClock(ctx, in.ID, to, in.Body.Late); err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body Clock }{Clock{in.ID, to}}, nil
}
