package commands_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/commands"
	"github.com/okviz/licensing/commands/commandstest"
	"github.com/okviz/licensing/licensing"
)

// desk sends commands to a workflow that the test plays.
type desk struct {
	*commands.Runner
	rows     *commandstest.Requests
	temporal *commandstest.Temporal
}

func newDesk(workflow func(d *desk, c billing.Command) error) *desk {
	d := &desk{rows: &commandstest.Requests{}}
	d.temporal = &commandstest.Temporal{Workflow: func(_ billing.SubscriptionID, _ string, c billing.Command) (billing.Outcome, error) {
		return billing.Outcome{}, workflow(d, c)
	}}
	d.Runner = commands.New(d.rows, d.temporal, func(licensing.LicenseID) {}, slog.New(slog.DiscardHandler), time.Now)
	return d
}

// cancel is a caller's request under a key; each one that is made has another id.
func cancel(body string) billing.Request {
	r := commands.NewRequest("account:cus_1", "POST /v1/subscriptions/sub_1/cancel", "key-0123456789abcdef", "sub_1", billing.ActorCustomer, billing.Command{Action: billing.ActionCancel})
	r.BodyHash = body
	return r
}

func TestACommandThatIsRepeatedIsSentOnce(t *testing.T) {
	d := newDesk(func(d *desk, c billing.Command) error {
		d.rows.Answer(c.Request, billing.Outcome{Invoice: "inv_1"})
		return nil
	})
	var first billing.Request
	for i := range 3 {
		r, err := d.Do(t.Context(), cancel("body"))
		if i == 0 {
			first = r
		}
		if err != nil || r.Outcome == nil || r.Outcome.Invoice != "inv_1" || r.ID != first.ID {
			t.Errorf("time %d: %+v, %v", i+1, r, err)
		}
	}
	if _, err := d.Do(t.Context(), cancel("another body")); !errors.Is(err, commands.ErrOtherBody) {
		t.Errorf("with another body: %v", err)
	}
	if sent := d.temporal.Sent(); len(sent) != 1 || sent[0] != string(first.ID) {
		t.Errorf("%v were sent, want %s alone", sent, first.ID)
	}
}

func TestACommandThatDidNotArriveIsSentAgainUnderItsOwnID(t *testing.T) {
	away := true
	d := newDesk(func(d *desk, c billing.Command) error {
		if away {
			return serviceerror.NewUnavailable("nobody there")
		}
		d.rows.Answer(c.Request, billing.Outcome{})
		return nil
	})
	if r, err := d.Do(t.Context(), cancel("body")); !commands.IsAway(err) || r.Outcome != nil {
		t.Errorf("while Temporal is away: %+v, %v", r, err)
	}
	away = false
	if r, err := d.Do(t.Context(), cancel("body")); err != nil || r.Outcome == nil {
		t.Errorf("then: %+v, %v", r, err)
	}
	sent := d.temporal.Sent()
	if slices.Sort(sent); len(sent) != 2 || sent[0] != sent[1] {
		t.Errorf("%v were sent, want one id twice", sent)
	}
}

// The workflow may have done it all before the connection broke.
func TestTheRowCountsWhateverTheUpdateSaid(t *testing.T) {
	d := newDesk(func(d *desk, c billing.Command) error {
		d.rows.Answer(c.Request, billing.Outcome{Invoice: "inv_1"})
		return serviceerror.NewUnavailable("the connection broke")
	})
	if r, err := d.Do(t.Context(), cancel("body")); err != nil || r.Outcome == nil || r.Outcome.Invoice != "inv_1" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestOnlyTheRunOfAnOrderThatWasJustWrittenBeginsWithoutLoadingIt(t *testing.T) {
	away := errors.New("the answer is lost")
	d := newDesk(func(*desk, billing.Command) error { return away })
	key := cancel("body")
	for range 2 { // the second finds the first one's row: some run may have acted on it
		if _, err := d.Buy(t.Context(), key, func() (commands.Purchase, error) {
			return commands.Purchase{Subscription: billing.Subscription{ID: "sub_1", Number: 7}}, nil
		}); err == nil {
			t.Fatal("the answer is not lost")
		}
	}
	starts := d.temporal.Starts()
	if len(starts) != 2 || starts[0].State == nil || starts[0].State.Number != 7 || starts[0].ID != "sub_1" || starts[1].State != nil {
		t.Errorf("runs begin with %+v", starts)
	}
}
