package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/workflows"
)

const recordings = "../../workflows/testdata"

var record = flag.Bool("record", false, "write the histories of TestRecordedLives to workflows/testdata")

// These lives are what workflows/testdata holds: with -record they are written
// there, where the replay test of package workflows reads them. Without it,
// they are lived all the same, and replayed from memory.
func TestRecordedLives(t *testing.T) {
	t.Parallel()
	s := start(t, 40)
	lives := map[string]func(t *testing.T) string{
		"trial": func(t *testing.T) string { // on real timers
			id := s.buy(t, newCustomer().order(object{"pay": "trial", "payment": nil})).Subscription.ID
			s.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, 200)
			s.command(t, id, "cancel", nil).want(t, 200)
			return id
		},
		"trial-converted": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"pay": "trial", "test_clock": clock})).Subscription.ID
			s.advance(t, clock, "2026-03-01T10:00:00Z")
			s.wantCharges(t, id, charged("2026-02-28T10:00:00Z", 990))
			return id
		},
		"renewals": func(t *testing.T) string { // on real timers, with continue-as-new
			id := s.buyMetronome(t, newCustomer())
			eventually(t, time.Minute, "there are three runs", func() bool { return len(s.runs(t, id)) > 2 })
			s.command(t, id, "cancel", nil).want(t, 200)
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"upgrade": func(t *testing.T) string {
			id := s.buy(t, newCustomer().order(nil)).Subscription.ID
			s.command(t, id, "change", object{"plan": users("21-50")}).want(t, 200)
			s.command(t, id, "payment-method", object{"token": secret("tok_declined")}).want(t, 200)
			s.command(t, id, "change", object{"plan": users("51-100")}).wantProblem(t, 402, "card_declined")
			return id
		},
		"scheduled": func(t *testing.T) string { // changes at the end of the period: withdrawn, and made
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
			s.command(t, id, "change", object{"plan": users("51-100"), "when": "period_end"}).want(t, 200)
			s.send(t, http.MethodDelete, "/v1/subscriptions/"+id+"/scheduled-change", nil, s.asOperator()).want(t, 200)
			s.command(t, id, "change", object{"plan": users("21-50"), "when": "period_end"}).want(t, 200)
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 1980))
			return id
		},
		"amended": func(t *testing.T) string { // the billing details, the licensee and who pays
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			c := s.buy(t, newCustomer().order(object{"test_clock": clock}))
			id, other := c.Subscription.ID, newCustomer()
			put := func(path string, body object) {
				text, err := json.Marshal(body)
				must(t, err)
				s.send(t, http.MethodPut, path, text, s.asOperator()).want(t, 200)
			}
			put("/v1/subscriptions/"+id+"/billing-details", object{"name": other.name, "company": other.company, "country": "IT"})
			put("/v1/licenses/"+c.License.ID+"/licensee", object{"name": other.licensee, "email": other.licenseeEmail})
			s.post(t, "/v1/operator/subscriptions/"+id+"/transfer", newKey(), object{"email": other.email}).want(t, 200)
			s.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, 200)
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 1208))
			return id
		},
		"confirmed": func(t *testing.T) string { // an order, changes and renewals that the bank asks about
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.confirmed(t, newCustomer(), clock)
			s.change(t, id, "21-50")
			w := s.change(t, id, "51-100")
			s.answerBank(t, *w.Payment.ActionURL, "fail")
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			w = s.waiting(t, id)
			s.answerBank(t, *w.Subscription.PendingPayment.ActionURL, "approve")
			s.advance(t, clock, "2026-04-07T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"disputed": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			c := s.buy(t, newCustomer().order(object{"test_clock": clock}))
			id := c.Subscription.ID
			s.dispute(t, id, c.Invoice.ID, "opened", "disputed")
			s.advance(t, clock, "2026-03-15T00:00:00Z")
			s.dispute(t, id, c.Invoice.ID, "won", "dispute_won")
			eventually(t, listed, "it has been renewed", func() bool {
				return s.subscription(t, id).Status == "active" && s.subscription(t, id).CurrentPeriod.End == "2026-03-31T10:00:00Z"
			})
			again := s.lastInvoice(t, id, 2)
			s.dispute(t, id, again.ID, "opened", "disputed")
			s.dispute(t, id, again.ID, "lost", "dispute_lost")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"cancel": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
			s.command(t, id, "cancel", nil).want(t, 200)
			s.command(t, id, "resume", nil).want(t, 200)
			s.command(t, id, "cancel", nil).want(t, 200)
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"money-back": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			c := s.buy(t, newCustomer().order(object{"test_clock": clock}))
			id := c.Subscription.ID
			s.refund(t, c.Invoice.ID, object{"amount": usd(100)}).want(t, 200)
			s.command(t, id, "money-back", nil).want(t, 200)
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			s.refund(t, c.Invoice.ID, object{}).wantProblem(t, 409, "nothing_to_refund")
			eventually(t, listed, "it has ended again", func() bool { return !s.running(t, id) })
			return id
		},
		"refund-failed": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			c := s.buy(t, newCustomer().order(object{"test_clock": clock}))
			id := c.Subscription.ID
			s.refund(t, c.Invoice.ID, object{"amount": usd(100)}).want(t, 200)
			s.sendBack(t, id, c.Invoice.ID)
			s.command(t, id, "money-back", nil).want(t, 200)
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			s.sendBack(t, id, c.Invoice.ID)
			eventually(t, listed, "it has ended again", func() bool { return !s.running(t, id) })
			return id
		},
		"signals": func(t *testing.T) string {
			id := s.buy(t, newCustomer().order(nil)).Subscription.ID
			s.signal(t, id, "upgrade", object{"plan": "calendar-pro_users_21-50_monthly", "quantity": 1})
			s.signal(t, id, "cancel", object{})
			eventually(t, listed, "it is cancelled", func() bool { return s.subscription(t, id).CancelAtPeriodEnd })
			s.signal(t, id, "resume", object{})
			s.signal(t, id, "upgrade", object{}) // without its shape
			eventually(t, listed, "it is resumed", func() bool { return !s.subscription(t, id).CancelAtPeriodEnd })
			return id
		},
		"transfer": func(t *testing.T) string { // in two parts, renewed, and not renewed again
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			c := s.buy(t, newCustomer().byInvoice(clock))
			id := c.Subscription.ID
			s.transfer(t, c.Invoice.ID, "first part", 200000).want(t, 200)
			s.transfer(t, c.Invoice.ID, "second part", 295000).want(t, 200)
			s.advance(t, clock, "2027-01-10T00:00:00Z")
			s.command(t, id, "cancel", nil).want(t, 200)
			s.command(t, id, "resume", nil).want(t, 200)
			s.transfer(t, s.lastInvoice(t, id, 3).ID, "TRF Herbstzeitlose", 495000).want(t, 200)
			s.advance(t, clock, "2028-01-31T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			s.transfer(t, s.lastInvoice(t, id, 4).ID, "too late", 495000).want(t, 200)
			eventually(t, listed, "it has ended again", func() bool { return !s.running(t, id) })
			return id
		},
		"dunning": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock, "payment": card("tok_later_declined")})).Subscription.ID
			s.advance(t, clock, "2026-03-02T10:00:00Z")
			s.command(t, id, "payment-method", object{"token": secret("tok_visa")}).want(t, 200)
			return id
		},
		"renewed-now": func(t *testing.T) string { // twice: ahead of its time, and after its end
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
			s.command(t, id, "renew", nil).want(t, 200)
			s.advance(t, clock, "2026-03-01T10:00:00Z")
			s.command(t, id, "cancel", nil).want(t, 200)
			s.advance(t, clock, "2026-03-31T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			s.command(t, id, "renew", nil).want(t, 200)
			s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-01-31T10:00:00Z", 990), charged("2026-03-31T10:00:00Z", 990))
			return id
		},
		"revived": func(t *testing.T) string { // by a payment that the bank asks about: it has ended while it waits
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.confirmed(t, newCustomer(), clock)
			s.command(t, id, "cancel", nil).want(t, 200)
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			s.command(t, id, "renew", nil).want(t, 200)
			s.settled(t, id)
			s.answerBank(t, *s.waiting(t, id).Subscription.PendingPayment.ActionURL, "approve")
			s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990))
			return id
		},
		"held": func(t *testing.T) string {
			c := s.buy(t, newCustomer().order(nil))
			for _, action := range []string{"suspend", "reinstate", "revoke"} {
				s.post(t, "/v1/operator/licenses/"+c.License.ID+"/"+action, newKey(), object{}).want(t, 200)
			}
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, c.Subscription.ID) })
			return c.Subscription.ID
		},
		"cancelled-now": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
			s.advance(t, clock, "2026-02-10T10:00:00Z")
			s.cancelNow(t, id, "prorated").want(t, 200)
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"dearer": func(t *testing.T) string { // a plan that no other life has
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			plan := object{"type": "users", "tier": "251-1000", "cycle": "monthly"}
			id := s.buy(t, newCustomer().order(object{"test_clock": clock, "plan": plan})).Subscription.ID
			const document = `products: [{id: calendar-pro, name: Calendar Pro, trial: true, plans: [
				{type: users, tier: "251-1000", covers: 1000, cycle: monthly, prices: [{amount: 99900, currency: USD}]}]}]`
			s.send(t, http.MethodPost, "/v1/operator/catalog", []byte(document), s.asOperator()).want(t, 200)
			s.send(t, http.MethodPost, "/v1/operator/catalog/migrate", nil, s.asOperator()).want(t, 200)
			s.advance(t, clock, "2026-02-28T10:00:00Z")
			if c := s.charges(t, id); len(c) != 2 || c[1] != charged("2026-02-28T10:00:00Z", 99900) {
				t.Errorf("charged %q", c)
			}
			return id
		},
		"given": func(t *testing.T) string { // days to a trial, and a free licence that is extended and ends
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			trial := s.buy(t, newCustomer().order(object{"pay": "trial", "payment": nil, "test_clock": clock})).Subscription.ID
			days := object{"days": 14, "reason": "holidays"}
			s.post(t, "/v1/operator/subscriptions/"+trial+"/extend", newKey(), days).want(t, 200)
			var comp checkout
			s.post(t, "/v1/operator/comps", newKey(), object{
				"product": "calendar-pro", "plan": users("1-20"), "licensee": object{"name": "Press desk", "email": newCustomer().email},
				"until": "2026-03-31T10:00:00Z", "reason": "a review", "test_clock": clock,
			}).want(t, 201).into(t, &comp)
			id := comp.Subscription.ID
			s.post(t, "/v1/operator/subscriptions/"+id+"/extend", newKey(), days).want(t, 200)
			s.advance(t, clock, "2026-03-14T10:00:00Z") // the trial's end
			s.advance(t, clock, "2026-04-14T10:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"lapsed": func(t *testing.T) string { // an order that nobody paid
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			o := newCustomer().order(object{"payment": card("tok_declined"), "test_clock": clock})
			p := s.post(t, "/v1/checkout", newKey(), o).wantProblem(t, 402, "card_declined")
			secret(p.CheckoutToken)
			s.advance(t, clock, "2026-02-01T09:00:00Z")
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, p.SubscriptionID) })
			return p.SubscriptionID
		},
		"fresh-file": func(t *testing.T) string {
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			plan := object{"type": "users", "tier": "1-20", "cycle": "three_years"}
			id := s.buy(t, newCustomer().order(object{"test_clock": clock, "plan": plan})).Subscription.ID
			s.advance(t, clock, "2027-03-31T10:00:00Z")
			return id
		},
		"stale": func(t *testing.T) string { // somebody else has written to the rows
			clock := s.clock(t, "2026-01-31T10:00:00Z")
			id := s.buy(t, newCustomer().order(object{"test_clock": clock})).Subscription.ID
			for _, then := range []func(){
				func() { s.command(t, id, "cancel", nil).want(t, 200) },
				func() { s.command(t, id, "resume", nil).want(t, 200) },
				func() { s.advance(t, clock, "2026-02-28T10:00:00Z") },
			} {
				_, err := s.system.Engine.Store.Fence(t.Context(), billing.SubscriptionID(id))
				must(t, err)
				then()
			}
			s.wantCharges(t, id, charged("2026-01-31T10:00:00Z", 990), charged("2026-02-28T10:00:00Z", 990))
			return id
		},
		"overdue": func(t *testing.T) string { // a renewal while no workflow runs; the command comes first
			id := s.buyMetronome(t, newCustomer())
			s.settled(t, id)
			must(t, s.temporal.TerminateWorkflow(t.Context(), id, "", "as an operator may"))
			eventually(t, time.Minute, "a renewal is due", func() bool {
				n, err := s.system.Engine.Store.Late(t.Context(), time.Now())
				must(t, err)
				return n > 0
			})
			s.command(t, id, "cancel", nil).want(t, 200)
			eventually(t, listed, "it has ended", func() bool { return !s.running(t, id) })
			return id
		},
		"mails": func(t *testing.T) string { // that no subscription sends
			who := newCustomer()
			s.buy(t, who.order(nil))
			s.signIn(t, who.email)
			var sent []*workflow.WorkflowExecutionInfo
			eventually(t, listed, "they are sent", func() bool {
				sent = s.executions(t, "WorkflowType = 'Deliver' AND ExecutionStatus = 'Completed'")
				return len(sent) > 0
			})
			return sent[0].Execution.WorkflowId
		},
	}
	if *record {
		old, err := filepath.Glob(filepath.Join(recordings, "*.json"))
		must(t, err)
		for _, file := range old {
			must(t, os.Remove(file))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lives)) {
		t.Run(name, func(t *testing.T) {
			id := lives[name](t)
			// The mails are out, and no workflow task is under way.
			for i, h := range s.settled(t, id) {
				if *record {
					write(t, fmt.Sprintf("%s-%d.json", name, i+1), h)
				}
				replayer := worker.NewWorkflowReplayer()
				workflows.Register(replayer)
				if err := replayer.ReplayWorkflowHistory(nil, h); err != nil { // it also changes h
					t.Errorf("run %d: %v", i+1, err)
				}
			}
			if strings.HasPrefix(id, "sub_") {
				s.audit(t, id)
			}
		})
	}
}

// settled are the histories of a subscription's runs when nothing of them is
// under way.
func (s *shop) settled(t *testing.T, id string) (runs []*history.History) {
	t.Helper()
	eventually(t, listed, "nothing is under way", func() bool {
		runs = s.runs(t, id)
		for _, h := range runs {
			open := 0
			for _, e := range h.Events {
				switch {
				case e.GetWorkflowTaskScheduledEventAttributes() != nil, e.GetActivityTaskScheduledEventAttributes() != nil:
					open++
				case e.GetWorkflowExecutionTerminatedEventAttributes() != nil:
					open = 0
				case e.GetWorkflowTaskCompletedEventAttributes() != nil, e.GetActivityTaskCompletedEventAttributes() != nil, e.GetActivityTaskFailedEventAttributes() != nil,
					e.GetWorkflowTaskTimedOutEventAttributes() != nil, e.GetWorkflowTaskFailedEventAttributes() != nil:
					open--
				}
			}
			if open != 0 || count(h, enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED) == 0 {
				return false
			}
		}
		return true
	})
	return runs
}

// write keeps a history without what tells of the machine that it ran on.
func write(t *testing.T, name string, h *history.History) {
	t.Helper()
	anonymous(h.ProtoReflect())
	var text bytes.Buffer // an event on each line
	text.WriteString(`{"events":[`)
	for i, e := range h.Events {
		line, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(e)
		must(t, err)
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteByte('\n')
		must(t, json.Compact(&text, line))
	}
	text.WriteString("\n]}\n")
	must(t, os.MkdirAll(recordings, 0o755))
	must(t, os.WriteFile(filepath.Join(recordings, name), text.Bytes(), 0o644))
	fmt.Printf("recorded %s: %d events, %d kB\n", name, len(h.Events), text.Len()>>10)
}

// anonymous replaces names of machines, processes and builds.
func anonymous(m protoreflect.Message) {
	if q, ok := m.Interface().(*taskqueue.TaskQueue); ok && q.Kind == enums.TASK_QUEUE_KIND_STICKY {
		q.Name = "recorded"
	}
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.Name() == "identity":
			m.Set(field, protoreflect.ValueOfString("recorded"))
		case field.Name() == "worker_version", field.Name() == "binary_checksum", field.Name() == "build_id", field.Name() == "sdk_name", field.Name() == "sdk_version":
			m.Clear(field)
		case field.Kind() != protoreflect.MessageKind || field.IsMap():
		case field.Message().FullName() == (&common.Payload{}).ProtoReflect().Descriptor().FullName():
		case field.IsList():
			for i := range v.List().Len() {
				anonymous(v.List().Get(i).Message())
			}
		default:
			anonymous(v.Message())
		}
		return true
	})
}
