package api

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/payments/sandbox"
)

const cataloguePath = "/v1/operator/catalog"

// OperatorStore is what the operators' routes need of the database. Errors:
// billing.ErrNotFound.
type OperatorStore interface {
	ApplyCatalogue(ctx context.Context, c billing.Catalogue, dryRun bool) ([]string, error)
	Product(ctx context.Context, id string) (billing.Product, error)
	AllVersions(ctx context.Context, product string) ([]billing.Version, error)
	PutVersion(ctx context.Context, product string, v billing.Version, pkg []byte) error
	PutPicture(ctx context.Context, product, name, contentType string, data []byte) error
	DeletePicture(ctx context.Context, product, name string) error
	WithdrawVersion(ctx context.Context, product, version string) error
	Coupon(ctx context.Context, code string) (c billing.Coupon, redeemed int64, err error)
	Coupons(ctx context.Context, after string, limit int) (list []billing.Coupon, redeemed []int64, err error)
	PutCoupon(ctx context.Context, c billing.Coupon) error
	SetStanding(ctx context.Context, email string, percent int64) error
	License(ctx context.Context, id licensing.LicenseID) (licensing.Issued, error)
	Invoice(ctx context.Context, id billing.InvoiceID) (billing.Invoice, []billing.CreditNote, error)
	Snapshot(ctx context.Context, subscription billing.SubscriptionID) (billing.Snapshot, error)
	Receipts(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Receipt, error)
	Refunds(ctx context.Context, subscription billing.SubscriptionID, invoice billing.InvoiceID) ([]billing.Refund, error)
	AuditLog(ctx context.Context, which billing.AuditSelection, limit int) ([]billing.AuditRow, error)
	VerifyAudit(ctx context.Context) (billing.AuditCheck, error)
	ConsoleStore
	InvoiceByNumber(ctx context.Context, number string) (billing.Invoice, error)
	KeptLines(ctx context.Context, after string, limit int) ([]billing.KeptLine, error)
}

// ConsoleStore is what support looks things up in.
type ConsoleStore interface {
	Search(ctx context.Context, query string, limit int) (found []billing.Found, more bool, err error)
	AddNote(ctx context.Context, subscription billing.SubscriptionID, text string) (billing.Note, error)
	Notes(ctx context.Context, subscription billing.SubscriptionID) ([]billing.Note, error)
	Mails(ctx context.Context, which billing.MailSelection, limit int) ([]billing.Mail, error)
	ResendMail(ctx context.Context, id string) (billing.Mail, error)
	Tasks(ctx context.Context) ([]billing.Task, error)
	Products(ctx context.Context) ([]billing.Product, error)
	Lives(ctx context.Context, take func(billing.Life)) error
	Upcoming(ctx context.Context, from, to time.Time, take func([]billing.UpcomingRow)) error
}

// operators serves what operators alone may do.
type operators struct {
	*outcomes
	Store OperatorStore
}

func (s *operators) routes(h huma.API) {
	s.versionRoutes(h)
	s.pictureRoutes(h)
	s.discountRoutes(h)
	s.refundRoutes(h)
	s.auditRoutes(h)
	s.consoleRoutes(h)
	s.reportRoutes(h)
	s.todayRoute(h)
	if s.TestClocks {
		s.clockRoutes(h)
	}
	huma.Register(h, route(http.MethodPost, cataloguePath, "apply-catalog", "Apply a catalogue document", "Operator", operator(billing.OperatorAdmin)), s.applyCatalogue)
	huma.Register(h, route(http.MethodPost, "/v1/operator/invoices/{id}/mark-paid", "mark-paid", "Record a bank transfer for an invoice", "Operator", operator(billing.OperatorFinance)), s.markPaid)
	huma.Register(h, route(http.MethodPost, statementPath, "import-statement", "Record the transfers of a bank statement", "Operator", operator(billing.OperatorFinance)), s.importStatement)
	s.statementLineRoutes(h)
	huma.Register(h, route(http.MethodPost, cataloguePath+"/migrate", "migrate-catalog", "Move subscriptions to the newest price of their plan, from their next renewal on", "Operator", operator(billing.OperatorAdmin)), s.migratePrices)
	huma.Register(h, route(http.MethodGet, "/v1/operator/reconcile", "reconcile", "Find subscriptions whose rows and workflows disagree", "Operator", operator(billing.OperatorRoles...)), s.reconcile)
	huma.Register(h, route(http.MethodGet, "/v1/operator/reconcile/money", "reconcile-money", "Find differences between the gateway's charges and refunds and the books", "Operator", operator(billing.OperatorFinance)), s.reconcileMoney)
	if s.Sandbox != nil {
		huma.Register(h, route(http.MethodPost, "/v1/operator/sandbox/disputes", "dispute-charge", "Dispute an invoice's charge at the sandbox gateway, as a bank would", "Operator", operator(billing.OperatorAdmin), status(http.StatusAccepted)), s.disputeCharge)
		huma.Register(h, route(http.MethodPost, "/v1/operator/sandbox/refunds", "fail-refund", "Have the sandbox's bank send an invoice's newest refund back", "Operator", operator(billing.OperatorAdmin), status(http.StatusAccepted)), s.failRefund)
		huma.Register(h, route(http.MethodGet, "/v1/operator/sandbox/charges", "list-charges", "List what the sandbox gateway really charged", "Operator", operator(billing.OperatorRoles...)), s.listCharges)
	}
}

func (s *operators) reconcile(ctx context.Context, _ *struct{}) (*struct{ Body backoffice.Reconciliation }, error) {
	out, err := s.Office.Reconcile(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body backoffice.Reconciliation }{out}, nil
}

// migrationTime is how long a request may take to migrate prices; okviz
// catalog migrate takes all the time that it needs.
const migrationTime = 50 * time.Second

func (s *operators) migratePrices(ctx context.Context, in *struct {
	Product  string `query:"product" maxLength:"64"`
	Plan     string `query:"plan" maxLength:"200" doc:"A plan's id."`
	Currency string `query:"currency" maxLength:"3"`
	DryRun   bool   `query:"dry_run" default:"false"`
}) (*changesOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, migrationTime)
	defer cancel()
	out := &changesOutput{}
	var err error
	out.Body.Changes, err = s.Office.MigratePrices(ctx, backoffice.PriceSelection{Product: in.Product, Plan: in.Plan, Currency: in.Currency}, in.DryRun)
	if err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

// reconcilable is the longest time whose money a request may compare; okviz
// payments reconcile has no such limit.
const reconcilable = 92 * 24 * time.Hour

func (s *operators) reconcileMoney(ctx context.Context, in *struct {
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true" doc:"The end, exclusive; at most 92 days after from."`
}) (*struct{ Body List[billing.Difference] }, error) {
	if !in.From.Before(in.To) || in.To.Sub(in.From) > reconcilable {
		return nil, invalid("to", "is not within 92 days after from")
	}
	list, err := s.Office.ReconcileMoney(ctx, billing.Instant(in.From), billing.Instant(in.To))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[billing.Difference] }{List[billing.Difference]{Data: append([]billing.Difference{}, list...)}}, nil
}

type changesOutput struct {
	Body struct {
		Changes []string `json:"changes"`
	}
}

func (s *operators) applyCatalogue(ctx context.Context, in *struct {
	DryRun  bool   `query:"dry_run" default:"false"`
	RawBody []byte `contentType:"application/yaml"` // or JSON, which is YAML too
}) (*changesOutput, error) {
	c, err := billing.ParseCatalogue(in.RawBody)
	if err != nil {
		return nil, s.answer(placed(err))
	}
	out := &changesOutput{}
	if out.Body.Changes, err = s.Store.ApplyCatalogue(ctx, c, in.DryRun); err != nil {
		return nil, s.answer(err)
	}
	return out, nil
}

var place = regexp.MustCompile(`line \d+: `)

// placed names the line of what the YAML reader did not understand.
func placed(err error) error {
	var b *billing.Error
	if !errors.As(err, &b) || b.Field != "" {
		return err
	}
	if at := place.FindStringIndex(b.Detail); at != nil {
		return &billing.Error{Code: b.Code, Field: b.Detail[at[0] : at[1]-2], Detail: b.Detail[at[1]:]}
	}
	return &billing.Error{Code: b.Code, Field: "body", Detail: "is not one catalogue document"}
}

func (s *operators) listCharges(ctx context.Context, in *struct {
	Subscription string `query:"subscription" required:"true" maxLength:"64"`
}) (*struct{ Body List[sandbox.Charge] }, error) {
	charges, err := s.Sandbox.List(ctx, billing.SubscriptionID(in.Subscription))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[sandbox.Charge] }{List[sandbox.Charge]{Data: charges}}, nil
}

// DisputedCharge is where the dispute of an invoice's charge stands.
type DisputedCharge struct {
	Invoice string                `json:"invoice"`
	Status  billing.DisputeStatus `json:"status"`
}

// disputeCharge has the sandbox's bank dispute a charge, or settle the dispute.
// The engine hears of it by a webhook, as from a real gateway.
func (s *operators) disputeCharge(ctx context.Context, in *struct {
	Body struct {
		Invoice string                `json:"invoice" maxLength:"64"`
		Status  billing.DisputeStatus `json:"status" enum:"opened,won,lost"`
	}
}) (*struct{ Body DisputedCharge }, error) {
	inv, _, err := s.Store.Invoice(ctx, billing.InvoiceID(in.Body.Invoice))
	if err != nil {
		return nil, s.answer(err)
	}
	err = s.Sandbox.Dispute(ctx, inv.Charge, in.Body.Status, billing.Instant(s.Now()))
	if billing.GatewayCode(err) != "" {
		return nil, refusal(billing.CodeNotPossibleNow, "", "this charge cannot be disputed or settled this way")
	}
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body DisputedCharge }{DisputedCharge{string(inv.ID), in.Body.Status}}, nil
}

// FailedRefund is a refund that the card's bank has sent back.
type FailedRefund struct {
	Invoice string        `json:"invoice"`
	Refund  string        `json:"refund"`
	Amount  billing.Money `json:"amount"`
}

// failRefund has the sandbox's bank send back the newest refund of an invoice
// that it has not sent back yet. The engine hears of it by a webhook.
func (s *operators) failRefund(ctx context.Context, in *struct {
	Body struct {
		Invoice string               `json:"invoice" maxLength:"64"`
		Status  billing.RefundStatus `json:"status" enum:"failed"`
	}
}) (*struct{ Body FailedRefund }, error) {
	inv, _, err := s.Store.Invoice(ctx, billing.InvoiceID(in.Body.Invoice))
	if err != nil {
		return nil, s.answer(err)
	}
	refunds, err := s.Store.Refunds(ctx, inv.Subscription, inv.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	for _, r := range slices.Backward(refunds) {
		if r.Status == billing.RefundFailed {
			continue
		}
		err := s.Sandbox.FailRefund(ctx, r.Charge, r.ID, billing.Instant(s.Now()))
		if billing.GatewayCode(err) != "" {
			break // it has not been given yet
		}
		if err != nil {
			return nil, s.answer(err)
		}
		return &struct{ Body FailedRefund }{FailedRefund{string(inv.ID), string(r.ID), r.Amount}}, nil
	}
	return nil, refusal(billing.CodeNotPossibleNow, "", "nothing of this invoice was given back to a card")
}
