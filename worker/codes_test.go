package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	sdkworker "go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

// marker stands for what must not reach a history.
const marker = "bianca@reseller.example"

// failing runs an activity behind the interceptor. history is the failure as
// Temporal would keep it.
func failing(t *testing.T, f func(context.Context) error) (history, logged string, err error) {
	t.Helper()
	var logs bytes.Buffer
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{
		&codes{log: slog.New(slog.NewTextHandler(&logs, nil))},
	}})
	env.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: "Renew"})
	_, err = env.ExecuteActivity("Renew")
	if err == nil {
		return "", logs.String(), nil
	}
	failure := temporal.GetDefaultFailureConverter().ErrorToFailure(err)
	text, e := protojson.Marshal(failure)
	if e != nil {
		t.Fatal(e)
	}
	return string(text), logs.String(), err
}

type coded struct{}

func (coded) Error() string     { return marker }
func (coded) ErrorCode() string { return "card_network_down" }

type from struct{ error }

func (from) Part() string    { return "gateway" }
func (f from) Unwrap() error { return f.error }

func TestHistoriesHoldTheNameAndTheCodeOfAnErrorAndNoMore(t *testing.T) {
	stale := temporal.NewNonRetryableApplicationError("subscription sub_1 has moved on", activities.ErrorStale, nil)
	for _, c := range []struct {
		name  string
		err   error
		code  string
		retry bool
	}{
		{"any error", errors.New(marker), "failed", true},
		{"wrapped", fmt.Errorf("charging inv_1: %w", errors.New(marker)), "failed", true},
		{"one with a code", fmt.Errorf("%s: %w", marker, coded{}), "card_network_down", true},
		{"a gateway's", fmt.Errorf("%s: %w", marker, &payments.Error{Code: payments.CodeMismatch, Detail: marker}), payments.CodeMismatch, true},
		{"one of a part", fmt.Errorf("posting: %w", from{errors.New(marker)}), "gateway", true},
		{"a part's, with a code", fmt.Errorf("charging: %w", from{coded{}}), "card_network_down", true},
		{"a newer release's", fmt.Errorf("%s: %w", marker, billing.ErrNewerRelease), "newer_release", true},
		{"a deadline", fmt.Errorf("%s: %w", marker, context.DeadlineExceeded), "timeout", true},
		{"a cancellation", fmt.Errorf("%s: %w", marker, context.Canceled), "canceled", true},
		{"several", errors.Join(errors.New(marker), coded{}), "card_network_down", true},
		{"stale", stale, activities.ErrorStale, false},
		{"stale, wrapped in words", fmt.Errorf("%s: %w", marker, stale), activities.ErrorStale, false},
		{"stale, with a cause and details", temporal.NewApplicationErrorWithOptions(marker, activities.ErrorStale,
			temporal.ApplicationErrorOptions{NonRetryable: true, Cause: errors.New(marker), Details: []any{marker}}), activities.ErrorStale, false},
		{"another of Temporal's own", temporal.NewApplicationErrorWithCause(marker, "whatever", errors.New(marker), marker), "failed", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			history, logged, err := failing(t, func(context.Context) error { return c.err })
			if strings.Contains(history, marker) {
				t.Errorf("the history says %s", history)
			}
			var app *temporal.ApplicationError
			if !errors.As(err, &app) || app.Type() != c.code || app.NonRetryable() == c.retry {
				t.Errorf("got %v, want the code %q, to be retried: %t", err, c.code, c.retry)
			}
			if c.retry && app.Message() != "Renew failed ("+c.code+") and is tried again; the worker's log says why" {
				t.Errorf("the message is %q", app.Message())
			}
			if strings.Contains(c.err.Error(), marker) && c.retry && !strings.Contains(logged, marker) {
				t.Errorf("the log does not say what happened: %s", logged)
			}
		})
	}
}

func TestPanicReachesTheLogAndNotTheHistory(t *testing.T) {
	history, logged, err := failing(t, func(context.Context) error { panic("adding " + marker) })
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != "panic" || !strings.HasPrefix(app.Message(), "Renew failed (panic)") || app.NonRetryable() {
		t.Errorf("got %v, want the code panic, to be retried", err)
	}
	if strings.Contains(history, marker) || strings.Contains(history, "goroutine") || strings.Contains(history, "codes_test.go") {
		t.Errorf("the history says %s", history)
	}
	if !strings.Contains(logged, marker) || !strings.Contains(logged, "codes_test.go") {
		t.Errorf("the log has no message or no stack: %s", logged)
	}
}

func TestWhatSucceedsIsLeftAlone(t *testing.T) {
	_, logged, err := failing(t, func(context.Context) error { return nil })
	if err != nil || logged != "" {
		t.Errorf("got %v and the log %q", err, logged)
	}
}

// A refusal by the gateway is an outcome like another one, and still something
// that a person has to mend.
func TestTheGatewaysRefusalIsLoggedWithItsCode(t *testing.T) {
	for name, o := range map[string]billing.Outcome{
		"a charge":          {Invoice: "inv_1", Payment: billing.PaymentOutcome{Status: billing.PaymentDeclined, DeclineCode: billing.DeclineRejected}},
		"a card to be kept": {Code: billing.CodeGatewayRejected},
		"":                  {Code: billing.CodeCardDeclined, Payment: billing.PaymentOutcome{Status: billing.PaymentDeclined, DeclineCode: "generic_decline"}},
	} {
		var logs bytes.Buffer
		var suite testsuite.WorkflowTestSuite
		env := suite.NewTestActivityEnvironment()
		env.SetWorkerOptions(sdkworker.Options{Interceptors: []interceptor.WorkerInterceptor{
			&codes{log: slog.New(slog.NewTextHandler(&logs, nil))},
		}})
		env.RegisterActivityWithOptions(func(context.Context) (activities.Result, error) {
			return activities.Result{Outcome: o}, nil
		}, activity.RegisterOptions{Name: "Renew"})
		if _, err := env.ExecuteActivity("Renew"); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(logs.String(), "level=ERROR") && strings.Contains(logs.String(), "code=gateway_rejected"); got != (name != "") {
			t.Errorf("%q is logged as %q", name, logs.String())
		}
	}
}
