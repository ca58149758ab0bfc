package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
)

const statementPath = "/v1/operator/statements"

// statementTime is how long a request may take; okviz payments import takes all
// the time that it needs.
const statementTime = 50 * time.Second

type statementOutput struct {
	Status     int
	RetryAfter string `header:"Retry-After"`
	Body       List[backoffice.StatementLine]
}

func (s *operators) importStatement(ctx context.Context, in *struct {
	CommandInput
	RawBody []byte `contentType:"text/csv"`
}) (*statementOutput, error) {
	r, err := s.request(ctx, in.CommandInput, callerOf(ctx).name(), "POST "+statementPath, "", billing.Command{})
	if err != nil {
		return nil, s.answer(err)
	}
	if r, err = s.Commands.Record(ctx, r); err != nil { // each line is a request of its own
		return nil, s.answer(err)
	}
	out := &statementOutput{Status: http.StatusOK}
	switch {
	case r.Status >= 400:
		return nil, replayed(r)
	case r.Status != 0:
		return out, json.Unmarshal([]byte(r.Response), &out.Body)
	}
	within, cancel := context.WithTimeout(ctx, statementTime)
	defer cancel()
	out.Body.Data, err = s.Office.ImportStatement(within, in.RawBody)
	var unreadable *billing.Error
	switch {
	case errors.As(err, &unreadable):
		p := s.answer(err)
		s.Commands.Keep(ctx, r, p.Status, p)
		return nil, p
	case err != nil:
		return nil, s.answer(err)
	}
	for _, l := range out.Body.Data {
		if l.Result == backoffice.LinePending {
			out.Status, out.RetryAfter = http.StatusAccepted, "2"
			return out, nil
		}
	}
	s.Commands.Keep(ctx, r, out.Status, out.Body)
	return out, nil
}
