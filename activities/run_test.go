package activities_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/temporal"

	"github.com/okviz/licensing/activities"
	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
)

// shop is a shop whose real time can be set.
type shop struct {
	*testing.T
	*activitiestest.Shop
	now time.Time
}

func newShop(t *testing.T) *shop {
	s := &shop{T: t, now: instant("2026-01-01 00:00:00")}
	s.Shop = activitiestest.New(t, func() time.Time { return s.now })
	return s
}

func instant(s string) time.Time {
	t, err := time.Parse(time.DateTime, s)
	if err != nil {
		panic(err)
	}
	return t
}

// command is the Task of a command on the present state.
func (s *shop) command(sub billing.SubscriptionID, c billing.Command) activities.Task {
	state := s.State(s, sub)
	return activities.Task{Subscription: sub, Revision: state.Revision, At: state.At(s.now), Command: &c}
}

// due moves real time to the next step and is its Task.
func (s *shop) due(sub billing.SubscriptionID) activities.Task {
	state := s.State(s, sub)
	s.now = state.Next.At
	return activities.Task{Subscription: sub, Revision: state.Revision, At: s.now, Step: &state.Next}
}

func (s *shop) must(r activities.Result, err error) activities.Result {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
	if r.Outcome.Code != "" {
		s.Fatalf("refused: %s (%s)", r.Outcome.Code, r.Outcome.Detail)
	}
	return r
}

// buy is an order that has been carried out.
func (s *shop) buy(o activitiestest.Order) billing.SubscriptionID {
	s.Helper()
	sub, c := s.Place(s, o)
	s.must(s.Do(s.Context(), s.command(sub, c)))
	return sub
}

func (s *shop) wantCharged(sub billing.SubscriptionID, want ...activitiestest.Charge) {
	s.Helper()
	if want == nil {
		want = []activitiestest.Charge{}
	}
	if diff := cmp.Diff(want, s.Charged(s, sub)); diff != "" {
		s.Errorf("charges (-want +got):\n%s", diff)
	}
	s.Audit(s, sub)
}

func charge(at string, amount int64) activitiestest.Charge {
	return activitiestest.Charge{At: at, Amount: amount}
}

// scenario prepares a Task and says what must have been charged when it has
// been done.
type scenario struct {
	name    string
	prepare func(s *shop) (sub billing.SubscriptionID, t activities.Task)
	charged []activitiestest.Charge
	status  billing.Status
	faults  int // that happen at least; 0: as many as in a step that charges, or moves no money
}

var scenarios = []scenario{
	{"purchase", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub, c := s.Place(s, activitiestest.Order{Token: "tok_visa"})
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990)}, billing.Active, 0},
	{"declined purchase", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub, c := s.Place(s, activitiestest.Order{Token: "tok_declined"})
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", -990)}, billing.Incomplete, 0},
	{"trial with a card", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub, c := s.Place(s, activitiestest.Order{Token: "tok_visa", Trial: true})
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{}, billing.Trialing, 0},
	{"conversion of a trial", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_visa", Trial: true})
		for s.State(s, sub).Next.Kind == billing.StepRemind {
			s.must(s.Do(s.Context(), s.due(sub)))
		}
		return sub, s.due(sub)
	}, []activitiestest.Charge{charge("2026-02-01 00:00:00", 990)}, billing.Active, 0},
	{"renewal", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_visa"})
		return sub, s.due(sub)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990)}, billing.Active, 0},
	{"declined renewal", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_later_declined"})
		return sub, s.due(sub)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", -990)}, billing.PastDue, 0},
	{"retry with a new card", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_later_declined"})
		if _, err := s.Do(s.Context(), s.due(sub)); err != nil {
			s.Fatal(err)
		}
		s.now = instant("2026-02-01 12:00:00")
		c := s.Ask(s, sub, billing.Command{Action: billing.ActionPaymentMethod}, "tok_visa")
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", -990), charge("2026-02-01 12:00:00", 990)}, billing.Active, 0},
	{"change", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_visa"})
		s.now = instant("2026-01-16 12:00:00")
		c := s.Ask(s, sub, billing.Command{Action: billing.ActionChange, Plan: activitiestest.Bigger}, "")
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495)}, billing.Active, 0},
	{"change by a signal", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_visa"})
		s.now = instant("2026-01-16 12:00:00")
		return sub, s.command(sub, billing.Command{Action: billing.ActionChange, Plan: activitiestest.Bigger})
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990), charge("2026-01-16 12:00:00", 1495)}, billing.Active, 0},
	{"cancellation", func(s *shop) (billing.SubscriptionID, activities.Task) {
		sub := s.buy(activitiestest.Order{Token: "tok_visa"})
		c := s.Ask(s, sub, billing.Command{Action: billing.ActionCancel}, "")
		return sub, s.command(sub, c)
	}, []activitiestest.Charge{charge("2026-01-01 00:00:00", 990)}, billing.Active, 0},
}

// Any line may be the last before a crash: the same Task again finds what was
// done, and goes on from there. With -short, only on both sides of what moves and records money.
func TestCrashAtAnyPointEndsInOneChargeAndOneInvoice(t *testing.T) {
	calls := []string{"Snapshot", "EnsureCustomer", "AttachMethod", "SaveMethod", "reserve", "Prepare", "SetCharge", "Charge", "Resolve", "Abandon", "record"}
	if testing.Short() {
		calls = []string{"reserve", "Charge", "record"}
	}
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			happened := 0
			for _, call := range calls {
				for _, after := range []bool{false, true} {
					p := activitiestest.Point{Call: call, After: after}
					name := "before " + call
					if after {
						name = "after " + call
					}
					t.Run(name, func(t *testing.T) {
						s := newShop(t)
						f := s.Break()
						sub, task := sc.prepare(s)
						f.Fail(p, 1)
						r, err := s.do(task)
						if f.Left(p) > 0 {
							if err != nil {
								t.Fatal(err)
							}
						} else {
							happened++
							if !errors.Is(err, activitiestest.ErrFault) {
								t.Fatalf("the fault came back as %v", err)
							}
							s.now = s.now.Add(time.Minute) // the next try comes later
							if r, err = s.do(task); err != nil {
								t.Fatal(err)
							}
						}
						s.wantCharged(sub, sc.charged...)
						if r.Subscription.Status != sc.status {
							t.Errorf("it is %s, want %s", r.Subscription.Status, sc.status)
						}
						if diff := cmp.Diff(s.State(t, sub), r.Subscription); diff != "" {
							t.Errorf("the result is not the row (-row +result):\n%s", diff)
						}
						// And once more: the stored result.
						again, err := s.do(task)
						if err != nil {
							t.Fatal(err)
						}
						if task.Command != nil && task.Command.Request != "" {
							if diff := cmp.Diff(r.Outcome, again.Outcome); diff != "" {
								t.Errorf("another answer (-first +again):\n%s", diff)
							}
						}
						if diff := cmp.Diff(r.Subscription, again.Subscription); diff != "" {
							t.Errorf("it was done twice (-first +again):\n%s", diff)
						}
						s.wantCharged(sub, sc.charged...)
					})
				}
			}
			least := 4 // a step that moves no money: Snapshot and record
			if len(sc.charged) > 0 && sc.name != "cancellation" {
				least = 14
			}
			if sc.faults > 0 {
				least = sc.faults
			}
			if testing.Short() {
				least = 2 // on both sides of record
			}
			if happened < least {
				t.Errorf("only %d of the faults happened, want at least %d", happened, least)
			}
		})
	}
}

// do does a Task as the workflow does: again on the new state where it says so.
func (s *shop) do(t activities.Task) (activities.Result, error) {
	for {
		r, err := s.Do(s.Context(), t)
		if err != nil || !r.Again || t.Step != nil {
			return r, err
		}
		t.Revision = r.Subscription.Revision // as the workflow goes on
	}
}

func TestUnknownOutcomeEndsInOneCharge(t *testing.T) {
	for _, token := range []string{"tok_timeout_charged", "tok_timeout_lost", "tok_flaky"} {
		t.Run(token, func(t *testing.T) {
			s := newShop(t)
			sub, c := s.Place(t, activitiestest.Order{Token: token})
			tries := map[string]int{"tok_timeout_charged": 1, "tok_timeout_lost": 2, "tok_flaky": 3}[token]
			finish := func(task activities.Task) {
				t.Helper()
				for range tries { // what the gateway knows is asked for at once
					r, err := s.Do(t.Context(), task)
					if err == nil {
						s.must(r, err)
						return
					}
				}
				t.Fatalf("%d tries were not enough", tries)
			}
			finish(s.command(sub, c))
			s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
			finish(s.due(sub))
			s.wantCharged(sub, charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
		})
	}
}

// The sandbox would answer the same key again with what it knows. A real
// gateway forgets its keys, so that a try after a crash asks first.
func TestPaymentThatMayHaveHappenedIsLookedUpBeforeItIsAskedForAgain(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub, c := s.Place(t, activitiestest.Order{Token: "tok_visa"})
	task := s.command(sub, c)
	f.Fail(activitiestest.Point{Call: "Charge", After: true}, 1)
	if _, err := s.Do(t.Context(), task); !errors.Is(err, activitiestest.ErrFault) {
		t.Fatalf("the fault came back as %v", err)
	}
	s.must(s.Do(t.Context(), task))
	if charges, looks := f.Calls("Charge"), f.Calls("Resolve"); charges != 0 || looks != 1 {
		t.Errorf("after the crash it was looked up %d times and charged %d times more", looks, charges)
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
}

func TestAnsweredRequestIsAnsweredAgainWhateverHappenedSince(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub, c := s.Place(t, activitiestest.Order{Token: "tok_visa"})
	task := s.command(sub, c)
	first := s.must(s.Do(t.Context(), task))
	s.must(s.Do(t.Context(), s.due(sub)))
	charges := f.Calls("Charge")
	again := s.must(s.Do(t.Context(), task))
	if diff := cmp.Diff(first.Outcome, again.Outcome); diff != "" {
		t.Errorf("another answer (-first +again):\n%s", diff)
	}
	if diff := cmp.Diff(s.State(t, sub), again.Subscription); diff != "" {
		t.Errorf("not the present state (-row +result):\n%s", diff)
	}
	if n := f.Calls("Charge"); n != charges {
		t.Error("the gateway was asked again")
	}
}

func TestRowThatHasMovedOnIsStale(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	task := s.due(sub)
	if _, err := s.DB.Fence(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	_, err := s.Do(t.Context(), task)
	var known *temporal.ApplicationError
	if !errors.As(err, &known) || known.Type() != activities.ErrorStale || !known.NonRetryable() {
		t.Errorf("a task of an older run got %v, want stale, not to be retried", err)
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
}

// A clock that is moved tells only what waits for something. The run of what has
// just ended may still be sending its mails.
func TestWhatIsAskedOfAnEndedSubscriptionIsOfItsClocksInstant(t *testing.T) {
	s := newShop(t)
	clock, err := s.DB.CreateClock(s.Context(), s.now)
	if err != nil {
		t.Fatal(err)
	}
	sub := s.buy(activitiestest.Order{Token: "tok_visa", Clock: clock})
	end := s.Ask(s, sub, billing.Command{Action: billing.ActionCancelNow, Refund: billing.RefundNone}, "")
	s.must(s.Do(s.Context(), s.command(sub, end)))
	task := s.command(sub, s.Ask(s, sub, billing.Command{Action: billing.ActionRenew}, "")) // by the instant of the end
	if err := s.DB.SetClock(s.Context(), clock, instant("2026-03-05 00:00:00")); err != nil {
		t.Fatal(err)
	}
	state := s.must(s.Do(s.Context(), task)).Subscription
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990), charge("2026-03-05 00:00:00", 990))
	if at := instant("2026-03-05 00:00:00"); !state.Now.Equal(at) || !state.Period.Start.Equal(at) {
		t.Errorf("%+v", state)
	}
}

// Its row was erased with its account, or a restored database has it not.
func TestACommandWhoseRequestIsGoneMovesNoMoney(t *testing.T) {
	s := newShop(t)
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	task := s.command(sub, s.Ask(s, sub, billing.Command{Action: billing.ActionRenew}, ""))
	task.Command.Request = "req_gone"
	if got, err := s.Do(s.Context(), task); err != nil || got.Outcome.Code != billing.CodeRequestExpired {
		t.Errorf("%+v, %v", got.Outcome, err)
	}
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990))
}

func TestPurchaseAfterItsTimeMovesNoMoney(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration
		want  billing.Code
	}{{"at the last instant", 0, ""}, {"a second later", time.Second, billing.CodeRequestExpired}} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			f := s.Break()
			sub, cmd := s.Place(t, activitiestest.Order{Token: "tok_visa", NotAfter: s.now.Add(time.Minute)})
			task := s.command(sub, cmd)
			s.now = s.now.Add(time.Minute + c.after)
			r, err := s.Do(t.Context(), task)
			if err != nil || r.Outcome.Code != c.want {
				t.Fatalf("got %q, %v, want %q", r.Outcome.Code, err, c.want)
			}
			if c.want == "" {
				return
			}
			if f.Calls("AttachMethod") != 0 || r.Subscription.Status != billing.IncompleteExpired {
				t.Errorf("a card was stored, or the order goes on: %s", r.Subscription.Status)
			}
			s.wantCharged(sub)
		})
	}
}

func TestUnknownTokenIsRefusedByNameAndRepeatedNowhere(t *testing.T) {
	const token = "tok_4242424242424242"
	s := newShop(t)
	sub, c := s.Place(t, activitiestest.Order{Token: token})
	task := s.command(sub, c)
	r, err := s.Do(t.Context(), task)
	if err != nil || r.Outcome.Code != billing.CodeUnknownToken || r.Outcome.Field != "token" {
		t.Fatalf("got %+v, %v, want unknown_token", r.Outcome, err)
	}
	if strings.Contains(r.Outcome.Detail, token) {
		t.Error("the token stands in the answer")
	}
	s.wantCharged(sub)
}

func TestTokenStandsInNoError(t *testing.T) {
	const token = "tok_visa"
	for _, call := range []string{"EnsureCustomer", "AttachMethod", "SaveMethod", "reserve", "Prepare", "SetCharge", "Charge", "record"} {
		s := newShop(t)
		f := s.Break()
		sub, c := s.Place(t, activitiestest.Order{Token: token})
		f.Fail(activitiestest.Point{Call: call}, 1)
		_, err := s.Do(t.Context(), s.command(sub, c))
		if err == nil {
			t.Fatalf("%s did not fail", call)
		}
		noneOf(t, err.Error(), token, activitiestest.BillingName, activitiestest.BillingEmail, activitiestest.LicenseeEmail)
	}
}

func noneOf(t *testing.T, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%q stands in %q", s, text)
		}
	}
}

func TestTokenIsForgottenOnceTheCardIsStored(t *testing.T) {
	s := newShop(t)
	sub, c := s.Place(t, activitiestest.Order{Token: "tok_visa"})
	s.must(s.Do(t.Context(), s.command(sub, c)))
	token, method, err := s.DB.RequestCard(t.Context(), c.Request)
	if err != nil || token != "" || method == "" {
		t.Errorf("token %q, method %q, %v", token, method, err)
	}
}

func TestLoadFinishesWhatAnOlderRunLeftInFlight(t *testing.T) {
	for _, c := range []struct {
		name   string
		token  string
		crash  activitiestest.Point
		status billing.Status
		code   billing.Code
		want   []activitiestest.Charge
	}{
		{"charged", "tok_visa", activitiestest.Point{Call: "Charge", After: true}, billing.Active, "",
			[]activitiestest.Charge{charge("2026-01-01 00:00:00", 990)}},
		{"declined", "tok_declined", activitiestest.Point{Call: "Charge", After: true}, billing.Incomplete, billing.CodeCardDeclined,
			[]activitiestest.Charge{charge("2026-01-01 00:00:00", -990)}},
		{"frozen only", "tok_visa", activitiestest.Point{Call: "reserve", After: true}, billing.Active, "",
			[]activitiestest.Charge{charge("2026-01-01 00:00:05", 990)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			f := s.Break()
			sub, cmd := s.Place(t, activitiestest.Order{Token: c.token})
			task := s.command(sub, cmd)
			f.Fail(c.crash, 1)
			if _, err := s.Do(t.Context(), task); err == nil {
				t.Fatal("no crash")
			}
			s.now = s.now.Add(5 * time.Second)
			state, err := s.Load(t.Context(), sub)
			if err != nil {
				t.Fatal(err)
			}
			if state.Status != c.status {
				t.Errorf("it is %s, want %s", state.Status, c.status)
			}
			if diff := cmp.Diff(s.State(t, sub), state.Subscription); diff != "" {
				t.Errorf("not the row (-row +loaded):\n%s", diff)
			}
			s.wantCharged(sub, c.want...)
			if asked := f.Calls("Resolve"); asked != 1 {
				t.Errorf("the gateway was asked %d times what became of it, want once", asked)
			}
			if charges := f.Calls("Charge"); c.crash.Call == "Charge" && charges != 0 {
				t.Error("a charge that was made was sent again")
			}
			// The request that it was made for has its answer; the new run is told.
			task.Revision = state.Revision
			r, err := s.Do(t.Context(), task)
			if err != nil || r.Outcome.Code != c.code || r.Outcome.Invoice == "" {
				t.Errorf("the request's answer is %+v, %v, want the code %q", r.Outcome, err, c.code)
			}
			s.wantCharged(sub, c.want...)
		})
	}
	t.Run("a renewal, which nobody asked for", func(t *testing.T) {
		s := newShop(t)
		f := s.Break()
		sub := s.buy(activitiestest.Order{Token: "tok_visa"})
		task := s.due(sub)
		f.Fail(activitiestest.Point{Call: "record"}, 1)
		if _, err := s.Do(t.Context(), task); err == nil {
			t.Fatal("no crash")
		}
		state, err := s.Load(t.Context(), sub)
		if err != nil || !state.Period.Start.Equal(instant("2026-02-01 00:00:00")) {
			t.Errorf("loaded %+v, %v", state.Period, err)
		}
		// The older run's next try is refused.
		if _, err := s.Do(t.Context(), task); err == nil {
			t.Error("an older run went on")
		}
		s.wantCharged(sub, charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
	})
}

// A payment in flight is finished before anything else is decided.
func TestNothingIsDecidedBesideAPaymentInFlight(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	renewal := s.due(sub)
	f.Fail(activitiestest.Point{Call: "Charge", After: true}, 1)
	if _, err := s.Do(t.Context(), renewal); err == nil {
		t.Fatal("no crash")
	}
	c := s.Ask(t, sub, billing.Command{Action: billing.ActionChange, Plan: activitiestest.Bigger}, "")
	_, err := s.Do(t.Context(), s.command(sub, c))
	var known *temporal.ApplicationError
	if !errors.As(err, &known) || known.Type() != activities.ErrorStale {
		t.Errorf("the change got %v, want stale", err)
	}
	if r, err := s.DB.Request(t.Context(), c.Request); err != nil || r.Outcome != nil {
		t.Errorf("it was answered with the renewal: %+v, %v", r.Outcome, err)
	}
	s.must(s.Do(t.Context(), renewal))
	s.wantCharged(sub, charge("2026-01-01 00:00:00", 990), charge("2026-02-01 00:00:00", 990))
}

func TestLoadRaisesTheRevisionEvenWhereItsAnswerIsLost(t *testing.T) {
	s := newShop(t)
	f := s.Break()
	sub := s.buy(activitiestest.Order{Token: "tok_visa"})
	before := s.State(t, sub).Revision
	f.Fail(activitiestest.Point{Call: "Fence", After: true}, 1)
	if _, err := s.Load(t.Context(), sub); err == nil {
		t.Fatal("no crash")
	}
	state, err := s.Load(t.Context(), sub)
	if err != nil || state.Revision <= before {
		t.Errorf("revision %d, %v, want more than %d", state.Revision, err, before)
	}
	s.must(s.Do(t.Context(), s.due(sub)))
}

// Such as an order that came to nothing and was removed before its workflow
// could load it: a run that waited for its rows would wait for ever.
func TestARunOfWhatIsNotOnFileEnds(t *testing.T) {
	s := newShop(t)
	_, err := s.Activities.Load(t.Context(), "sub_removed")
	if e := (*temporal.ApplicationError)(nil); !errors.As(err, &e) || !e.NonRetryable() {
		t.Errorf("it is tried again: %v", err)
	}
}
