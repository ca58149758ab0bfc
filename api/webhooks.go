package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/okviz/licensing/billing"
)

const (
	webhookPath  = "/v1/webhooks/{gateway}"
	webhookRoute = "/v1/webhooks/:gateway" // the same, as Gin spells it
	maxWebhook   = 256 << 10
	// newsAtOnce are acted on at once; what comes on top of them is left to the
	// sweeper.
	newsAtOnce = 16
	newsEvery  = time.Second // it is swept
)

// webhook receives an event from the gateway. The event is stored first,
// then answered, then acted on. It is a bare handler: the signature is the
// only credential, and sessions and keys do not count.
func (s *server) webhook(g *gin.Context) {
	if g.Param("gateway") != s.Gateway.Name() {
		writeProblem(g, problem(http.StatusNotFound, "not_found", "this gateway is not in use"))
		return
	}
	body, err := io.ReadAll(g.Request.Body) // the middleware has held it to its limit
	if err != nil {
		writeProblem(g, problem(http.StatusBadRequest, "malformed", "the body could not be read"))
		return
	}
	news, err := s.Gateway.ParseWebhook(g.Request.Header.Get, body, s.Now())
	if err != nil {
		p := unheard(err)
		s.Log.Warn("a webhook was refused", "gateway", s.Gateway.Name(), "code", p.Code)
		writeProblem(g, p)
		return
	}
	fresh, err := s.Store.KeepNews(g.Request.Context(), s.Gateway.Name(), news)
	if err != nil {
		writeProblem(g, s.answer(err))
		return
	}
	if fresh {
		select {
		case s.acting <- struct{}{}:
			ctx := context.WithoutCancel(g.Request.Context())
			go func() {
				defer func() { <-s.acting }()
				s.actOn(ctx, news)
			}()
		default:
		}
	}
	g.JSON(http.StatusOK, gin.H{"received": true})
}

// unheard says why a webhook is refused, without repeating anything from it.
func unheard(err error) *Problem {
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		switch coded.ErrorCode() {
		case "invalid_signature":
			return problem(http.StatusBadRequest, "invalid_signature", "this webhook is not signed by the gateway, or was signed too long ago")
		case "wrong_mode":
			return problem(http.StatusBadRequest, "wrong_mode", "this webhook belongs to the gateway's other mode (live or test)")
		}
	}
	return problem(http.StatusBadRequest, "malformed", "this webhook cannot be read")
}

// sweepNews acts on events that have not been acted on: after a crash, or
// because the workflow could not be reached or a payment was under way.
func (s *server) sweepNews(ctx context.Context) {
	waiting, err := s.Store.ClaimNews(ctx, s.Gateway.Name(), 50)
	if err != nil && ctx.Err() == nil {
		s.Log.Warn("news of the gateway was not read", "error", err)
	}
	for _, n := range waiting {
		s.actOn(ctx, n)
	}
}

// errUnderWay postpones an event: a step is working on that payment and may
// record it at any moment.
var errUnderWay = errors.New("the payment is under way")

// actOn acts on news, or puts it off.
func (s *server) actOn(ctx context.Context, n billing.News) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ignored, err := s.follow(ctx, n)
	kept, gateway := context.WithoutCancel(ctx), s.Gateway.Name()
	switch {
	case err == nil:
		err = s.Store.NewsDone(kept, gateway, n.ID, ignored)
	case errors.Is(err, errUnderWay):
		err = s.Store.PutNewsOff(kept, gateway, n.ID)
	default:
		err = errors.Join(err, s.Store.PutNewsOff(kept, gateway, n.ID))
	}
	if err != nil {
		s.Log.Warn("news of the gateway waits to be acted on", "event", n.ID, "kind", string(n.Kind), "error", err)
	}
}

// follow acts on an event; ignored tells that it is about nothing of ours.
func (s *server) follow(ctx context.Context, n billing.News) (ignored bool, err error) {
	switch n.Kind {
	case billing.NewsCharge:
		inv, err := s.Store.InvoiceOfCharge(ctx, s.Gateway.Name(), n.Reference)
		if err == nil {
			err = s.lookAt(ctx, inv)
		}
		return absent(err)
	case billing.NewsDisputeOpened, billing.NewsDisputeWon, billing.NewsDisputeLost:
		inv, err := s.Store.InvoiceOfCharge(ctx, s.Gateway.Name(), n.Reference)
		if err == nil {
			err = s.disputed(ctx, n, inv)
		}
		return absent(err)
	case billing.NewsRefund:
		inv, err := s.Store.InvoiceOfCharge(ctx, s.Gateway.Name(), n.Reference)
		if err == nil {
			err = s.lookAtRefunds(ctx, inv)
		}
		return absent(err)
	case billing.NewsCard:
		form, err := s.Store.CardFormOf(ctx, s.Gateway.Name(), n.Reference)
		if err == nil {
			_, err = s.cardGiven(ctx, form)
		}
		return absent(err)
	}
	return true, nil
}

func absent(err error) (bool, error) {
	if errors.Is(err, billing.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// lookAt makes an invoice's workflow look at its waiting payment. Events
// about a paid or void invoice change nothing.
func (s *server) lookAt(ctx context.Context, inv billing.Invoice) error {
	if inv.InFlight != "" {
		return errUnderWay
	}
	o, err := s.Store.Overview(ctx, inv.Subscription)
	if err != nil || o.Waiting.Invoice != inv.ID {
		return err
	}
	_, err = s.tell(ctx, o.Subscription, billing.Command{Verb: billing.VerbSettle})
	return err
}

// disputed makes the workflow record a dispute of an invoice's payment. What
// it refuses for now is delivered again later.
func (s *server) disputed(ctx context.Context, n billing.News, inv billing.Invoice) error {
	if inv.Status != billing.InvoicePaid {
		return errUnderWay
	}
	o, err := s.Store.Overview(ctx, inv.Subscription)
	if err != nil {
		return err
	}
	outcome, err := s.tell(ctx, o.Subscription, billing.Command{
		Verb: billing.VerbDispute, Dispute: billing.Dispute{ID: n.Dispute, Invoice: inv.ID, Amount: n.Amount, Status: n.Kind.Disputed()},
	})
	if err != nil {
		return err
	}
	if outcome.Code != "" && outcome.Code != billing.CodeNoChange {
		return fmt.Errorf("the dispute was refused: %s", outcome.Code)
	}
	s.checks.forget(o.License)
	return nil
}

// lookAtRefunds asks the gateway what became of an invoice's refunds, and has the
// workflow record those that have failed after they were confirmed. One that is
// pending is asked about every few minutes in any case.
func (s *server) lookAtRefunds(ctx context.Context, inv billing.Invoice) error {
	refunds, err := s.Store.Refunds(ctx, inv.Subscription, inv.ID)
	if err != nil {
		return err
	}
	for _, r := range refunds {
		if r.Status == billing.RefundFailed {
			continue
		}
		now, err := s.Gateway.ResolveRefund(ctx, billing.RefundRequest{CreditNote: r.ID, Invoice: r.Invoice, Charge: r.Charge, Amount: r.Amount})
		var coded interface{ ErrorCode() string }
		switch {
		case errors.As(err, &coded) && coded.ErrorCode() == "not_found": // it is yet to be made
		case err != nil:
			return err
		case now != billing.RefundFailed:
		case r.Status == billing.RefundPending: // that it was confirmed may be about to be recorded
			return errUnderWay
		default:
			if err := s.refundFailed(ctx, inv.Subscription, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *server) refundFailed(ctx context.Context, subscription, refund string) error {
	o, err := s.Store.Overview(ctx, subscription)
	if err != nil {
		return err
	}
	outcome, err := s.tell(ctx, o.Subscription, billing.Command{Verb: billing.VerbRefundFailed, RefundID: refund})
	if err == nil && outcome.Code != "" && outcome.Code != billing.CodeNoChange {
		err = fmt.Errorf("that %s has failed was refused: %s", refund, outcome.Code)
	}
	return err
}

// describeWebhook adds the route to the description: Huma knows only those that
// it serves.
func describeWebhook(doc *huma.OpenAPI) {
	schemas := doc.Components.Schemas
	doc.AddOperation(&huma.Operation{
		OperationID: "webhook", Method: http.MethodPost, Path: webhookPath, Tags: []string{"Gateway"},
		Summary:     "Receive an event of the payment gateway",
		Description: "For the payment gateway only: its signature is verified. At most 256 KiB. 200 means that the event is stored.",
		Parameters: []*huma.Param{{
			Name: "gateway", In: "path", Required: true, Description: "The configured one: sandbox or stripe.", Schema: &huma.Schema{Type: huma.TypeString},
		}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}},
		Responses: map[string]*huma.Response{
			"200": {Description: "It is stored.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject}}}},
			"default": {Description: "Error", Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
			}},
		},
	})
}
