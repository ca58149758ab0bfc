package sandbox

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments"
)

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var pagesCSS string

var pages = template.Must(template.New("").Parse(pagesHTML))

// pagePolicy allows the page's own style and its form, nothing else.
var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pagesCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

// Pages serves the gateway's hosted pages, below prefix: plain HTML, as they
// would be another company's. now is real time.
func (g *Gateway) Pages(prefix string, now func() time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"/cards/{form}", g.showCardForm)
	mux.HandleFunc("POST "+prefix+"/cards/{form}", func(w http.ResponseWriter, r *http.Request) { g.fillCardForm(w, r, now()) })
	mux.HandleFunc("GET "+prefix+"/{charge}", g.showAction)
	mux.HandleFunc("POST "+prefix+"/{charge}", g.answerAction)
	return mux
}

// page is what a template is filled with.
type page struct {
	Title   string
	Style   template.CSS
	Problem string
	Form    Form
	Amount  string
	Cards   []testCard
}

// testCard is a number that the form takes.
type testCard struct{ Number, Does string }

func render(w http.ResponseWriter, status int, name string, p page) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	p.Style = template.CSS(pagesCSS)      //nolint:gosec // our own
	_ = pages.ExecuteTemplate(w, name, p) // the one who asked has gone
}

func (g *Gateway) showCardForm(w http.ResponseWriter, r *http.Request) {
	g.cardForm(w, r, http.StatusOK, "")
}

func (g *Gateway) cardForm(w http.ResponseWriter, r *http.Request, status int, problem string) {
	f, err := g.ledger.Form(r.Context(), r.PathValue("form"))
	if err != nil {
		noPage(w, err)
		return
	}
	if f.Token != "" { // it has been given
		http.Redirect(w, r, f.Done, http.StatusSeeOther)
		return
	}
	render(w, status, "card", page{Title: "Your card", Problem: problem, Form: f, Cards: testCards})
}

func (g *Gateway) fillCardForm(w http.ResponseWriter, r *http.Request, at time.Time) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	done, err := g.FillForm(r.Context(), r.PathValue("form"), r.PostFormValue("number"), at)
	refused, isRefused := errors.AsType[*payments.Error](err)
	switch {
	case isRefused && refused.Code == payments.CodeUnknownToken:
		g.cardForm(w, r, http.StatusUnprocessableEntity, "This is none of the sandbox's cards.")
	case err != nil:
		noPage(w, err)
	default:
		http.Redirect(w, r, done, http.StatusSeeOther)
	}
}

// showAction is the page on which a bank would ask its customer.
func (g *Gateway) showAction(w http.ResponseWriter, r *http.Request) {
	p, err := g.ledger.Payment(r.Context(), billing.ChargeID(r.PathValue("charge")))
	switch {
	case err != nil:
		noPage(w, err)
	case p.resolve().Status == billing.PaymentRequiresAction:
		render(w, http.StatusOK, "action", page{Title: "Confirm your payment", Amount: p.Amount.String()})
	case p.Return != "": // it has been answered, or given up
		http.Redirect(w, r, p.Return, http.StatusSeeOther)
	default:
		noPage(w, ErrNotFound)
	}
}

func (g *Gateway) answerAction(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	charge, answer := billing.ChargeID(r.PathValue("charge")), g.Fail
	if r.PostFormValue("answer") == "approve" {
		answer = g.Approve
	}
	err := answer(r.Context(), charge)
	if refused, ok := errors.AsType[*payments.Error](err); ok && refused.Code == payments.CodeNoAction {
		err = nil // an answer that comes too late
	}
	if err != nil {
		noPage(w, err)
		return
	}
	p, err := g.ledger.Payment(r.Context(), charge)
	if err != nil || p.Return == "" {
		noPage(w, ErrNotFound)
		return
	}
	http.Redirect(w, r, p.Return, http.StatusSeeOther)
}

// noPage answers where there is nothing to show.
func noPage(w http.ResponseWriter, err error) {
	status, title := http.StatusServiceUnavailable, "Try again in a moment"
	if refused, ok := errors.AsType[*payments.Error](err); ok && refused.Code == payments.CodeNotFound || errors.Is(err, ErrNotFound) {
		status, title = http.StatusNotFound, "There is nothing here"
	}
	render(w, status, "none", page{Title: title})
}

// FillForm is what the customer does on the page of a form: the card with this
// number is stored, the engine is told, and done is where the customer goes next.
// CodeUnknownToken if there is no such card.
func (g *Gateway) FillForm(ctx context.Context, form, number string, at time.Time) (done string, err error) {
	token := tokenOf(number)
	if token == "" {
		return "", refuse(payments.CodeUnknownToken, "")
	}
	untold := false
	err = g.ledger.UpdateForm(ctx, form, func(f *Form) error {
		f.fill(token, at)
		done, untold = f.Done, f.Untold()
		return nil
	})
	if err != nil {
		return "", asRefusal("filling "+form, err)
	}
	if untold {
		g.signal()
	}
	return done, nil
}

// tokenOf is the token of a card's number, however it is grouped.
func tokenOf(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, number)
	for token, c := range cards {
		if strings.ReplaceAll(c.number, " ", "") == digits {
			return token
		}
	}
	return ""
}
