package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/api/enums/v1"
)

func TestCancelledResumedAndCancelledAgainItWorksToTheLastSecondAndIsNeverChargedAgain(t *testing.T) {
	who, clock := newCustomer(), shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, who.order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.advance(t, clock, "2026-02-10T00:00:00Z")
	var v checkout
	shared.command(t, id, "cancel", object{"reason": secret("Zu teuer, sagt Frau Pfefferminz")}).want(t, http.StatusOK).into(t, &v)
	if s := v.Subscription; s.Status != "active" || !s.CancelAtPeriodEnd || s.NextPaymentAt != nil || s.CanceledAt != nil {
		t.Errorf("%+v", s)
	}
	if got := shared.check(t, c.License.ID); got.Code != "CANCELED" || !got.Valid || deref(got.ValidUntil) != "2026-02-28T10:00:00Z" {
		t.Errorf("%+v", got)
	}
	if details := shared.details(t, id); !strings.Contains(details, "| cancelled | works until 2026-02-28 10:00:00 UTC |") {
		t.Error(details)
	}
	shared.command(t, id, "cancel", nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	shared.command(t, id, "resume", nil).want(t, http.StatusOK).into(t, &v)
	if s := v.Subscription; s.CancelAtPeriodEnd || deref(s.NextPaymentAt) != "2026-02-28T10:00:00Z" {
		t.Errorf("%+v", s)
	}
	if got := shared.check(t, c.License.ID); got.Code != "ACTIVE" {
		t.Errorf("%+v", got)
	}
	shared.command(t, id, "resume", nil).wantProblem(t, http.StatusConflict, "not_possible_now")

	// What was resumed is renewed; then it is cancelled for good.
	shared.advance(t, clock, "2026-02-28T10:00:00Z")
	want := []string{charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990)}
	shared.wantCharges(t, id, want...)
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-03-31T09:59:59Z")
	if got := shared.check(t, c.License.ID); !got.Valid || got.Code != "CANCELED" || deref(got.ValidUntil) != "2026-03-31T10:00:00Z" {
		t.Errorf("in the last second: %+v", got)
	}
	shared.advance(t, clock, "2026-03-31T10:00:00Z")
	if got := shared.check(t, c.License.ID); got.Valid || got.Code != "EXPIRED" || got.Token != nil || got.ValidUntil != nil {
		t.Errorf("from its end: %+v", got)
	}
	ended := shared.subscription(t, id)
	if ended.Status != "canceled" || deref(ended.CancelReason) != "requested" || deref(ended.CanceledAt) != "2026-03-31T10:00:00Z" {
		t.Errorf("%+v", ended)
	}
	if diff := cmp.Diff([]string{"renew", "payment-method"}, ended.Actions); diff != "" {
		t.Errorf("what is possible then:\n%s", diff)
	}
	for _, action := range []string{"cancel", "resume"} {
		shared.command(t, id, action, nil).wantProblem(t, http.StatusConflict, "not_possible_now")
	}
	shared.command(t, id, "change", object{"plan": users("21-50")}).wantProblem(t, http.StatusConflict, "not_possible_now")
	shared.advance(t, clock, "2046-03-31T10:00:00Z")
	shared.wantCharges(t, id, want...)
	eventually(t, listed, "the workflow has ended", func() bool { return !shared.running(t, id) })
	if got := shared.subjects(t, who.email); !strings.HasPrefix(got[len(got)-1], "Your subscription") && !strings.Contains(got[len(got)-1], "ended") {
		t.Errorf("mails %q", got)
	}
	shared.audit(t, id)
}

// running tells whether a subscription has a workflow that runs.
func (s *shop) running(t testing.TB, id string) bool {
	t.Helper()
	d, err := s.temporal.DescribeWorkflow(t.Context(), id, "")
	must(t, err)
	return d.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING
}

func TestWhatHasEndedIsRevivedWithTheSameLicence(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	c := shared.buy(t, newCustomer().order(object{"test_clock": clock}))
	id := c.Subscription.ID
	shared.command(t, id, "cancel", nil).want(t, http.StatusOK)
	shared.advance(t, clock, "2026-06-15T12:00:00Z")
	if got := shared.check(t, c.License.ID); got.Code != "EXPIRED" {
		t.Errorf("%+v", got)
	}
	eventually(t, listed, "the workflow has ended", func() bool { return !shared.running(t, id) })
	shared.command(t, id, "renew", nil).want(t, http.StatusOK)
	sub := shared.subscription(t, id)
	if sub.Status != "active" || deref(sub.LicenseID) != c.License.ID || *sub.CurrentPeriod != (period{"2026-06-15T12:00:00Z", "2026-07-15T12:00:00Z"}) {
		t.Errorf("%+v", sub)
	}
	if got := shared.check(t, c.License.ID); got.Code != "ACTIVE" {
		t.Errorf("%+v", got)
	}
	shared.advance(t, clock, "2026-07-15T12:00:00Z")
	shared.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-06-15T12:00:00Z", 990), charged("2026-07-15T12:00:00Z", 990))
	shared.audit(t, id)
}
