package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

// consoleRoutes are what support looks things up with.
func (s *operators) consoleRoutes(h huma.API) {
	const notes = "/v1/operator/subscriptions/{id}/notes"
	all := operator(billing.OperatorRoles...)
	huma.Register(h, route(http.MethodGet, "/v1/operator/search", "search", "Find customers, subscriptions, licences, invoices and quotes by what is known of them", "Operator", all), s.search)
	huma.Register(h, route(http.MethodPost, "/v1/operator/subscriptions/{id}/extend", "extend", "Give days: the trial, the period or the free licence ends later", "Operator", operator(billing.OperatorSupport, billing.OperatorFinance)), s.extend)
	huma.Register(h, route(http.MethodGet, notes, "list-notes", "What operators have written down about a subscription, the newest first", "Operator", all), s.listNotes)
	huma.Register(h, route(http.MethodPost, notes, "add-note", "Write something down about a subscription, for operators", "Operator", operator(billing.OperatorSupport, billing.OperatorFinance), status(http.StatusCreated)), s.addNote)
	huma.Register(h, route(http.MethodGet, "/v1/operator/mails", "list-mails", "Mails, the newest first: whose, about what, and when", "Operator", all), s.listMails)
	huma.Register(h, route(http.MethodPost, "/v1/operator/mails/{id}/resend", "resend-mail", "Have a mail sent once more", "Operator", operator(billing.OperatorSupport), status(http.StatusAccepted)), s.resendMail)
}

// SearchResult is what a search has found: customers first, then subscriptions,
// licences, invoices and quotes.
type SearchResult struct {
	Data []billing.Found `json:"data"`
	More bool            `json:"more" doc:"There is more than this: ask more precisely."`
}

func (s *operators) search(ctx context.Context, in *struct {
	Q     string `query:"q" required:"true" minLength:"2" maxLength:"100" doc:"The beginnings of words of a name, company, e-mail address, domain, or invoice or quote number; an amount; the beginning of an id; a subscription's number; or the last four digits of a card. What has several words is found by all of them."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}) (*struct{ Body SearchResult }, error) {
	found, more, err := s.Store.Search(ctx, strings.TrimSpace(in.Q), in.Limit)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body SearchResult }{SearchResult{found, more}}, nil
}

func (s *operators) listNotes(ctx context.Context, in *SubscriptionInput) (*struct{ Body List[billing.Note] }, error) {
	if _, err := s.mine(ctx, billing.SubscriptionID(in.ID)); err != nil {
		return nil, s.answer(err)
	}
	notes, err := s.Store.Notes(ctx, billing.SubscriptionID(in.ID))
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body List[billing.Note] }{List[billing.Note]{Data: notes}}, nil
}

func (s *operators) addNote(ctx context.Context, in *struct {
	SubscriptionInput
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"4000"`
	}
}) (*struct{ Body billing.Note }, error) {
	text := strings.TrimSpace(in.Body.Text)
	if text == "" || !printable(text, '\n', '\t') {
		return nil, invalid("text", "is empty or has control characters")
	}
	note, err := s.Store.AddNote(ctx, billing.SubscriptionID(in.ID), text)
	if err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body billing.Note }{note}, nil
}

func (s *operators) listMails(ctx context.Context, in *struct {
	PageInput
	AccountInput
	Subject string `query:"subject" maxLength:"64" doc:"Only mails about this subscription or quote."`
	GivenUp bool   `query:"given_up" doc:"Only mails that could not be sent, and were not sent again."`
}) (*struct{ Body List[billing.Mail] }, error) {
	if !in.isCursor("ntc") {
		return nil, invalid("cursor", "is not a cursor of this list")
	}
	rows, err := s.Store.Mails(ctx, billing.MailSelection{Subject: in.Subject, Email: in.Email, GivenUp: in.GivenUp, Before: in.Cursor}, in.Limit+1)
	if err != nil {
		return nil, s.answer(err)
	}
	list := listed(rows, in.Limit, func(m billing.Mail) string { return m.ID }, func(m billing.Mail) billing.Mail { return m })
	return &struct{ Body List[billing.Mail] }{list}, nil
}

func (s *operators) resendMail(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body billing.Mail }, error) {
	again, err := s.Store.ResendMail(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	s.Commands.Deliver(ctx, again.Subject)
	return &struct{ Body billing.Mail }{again}, nil
}
