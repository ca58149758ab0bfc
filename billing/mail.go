package billing

import (
	"slices"
	"time"
)

// Note is what an operator has written down about a subscription. Customers do not
// see it.
type Note struct {
	ID           string         `json:"id" doc:"not_…"`
	Subscription SubscriptionID `json:"subscription_id"`
	At           time.Time      `json:"at"`
	Actor        string         `json:"actor" doc:"The operator who wrote it."`
	Text         string         `json:"text"`
}

// MailStatus is what has become of a mail.
type MailStatus string

const (
	MailWaiting MailStatus = "waiting"
	MailSent    MailStatus = "sent"
	MailGivenUp MailStatus = "given_up"
)

// Mail is a mail as operators see it. What it says is made when it is sent, and is
// not kept.
type Mail struct {
	ID       string     `json:"id" doc:"ntc_…"`
	Subject  string     `json:"subject" doc:"What it is about: sub_… or quo_…, or a sign-in link or key of the account."`
	Kind     NoticeKind `json:"kind" doc:"What it tells its reader, such as receipt or license."`
	To       Role       `json:"to" enum:"billing,licensee,operator"`
	At       time.Time  `json:"at" doc:"Of the event that it tells of."`
	Status   MailStatus `json:"status" enum:"waiting,sent,given_up"`
	DoneAt   *time.Time `json:"done_at" doc:"When it was sent, or given up."`
	ResentAs *string    `json:"resent_as" doc:"The mail by which an operator has had it sent again."`
}

// MailSelection narrows a list of mails down. Empty: all.
type MailSelection struct {
	Subject string // sub_… or quo_…
	Email   string // whose mails
	GivenUp bool   // and not sent again
	Before  string // ids below this one
}

// MayResend says why a mail cannot be sent once more; nil: it can.
func (m Mail) MayResend() *Error {
	switch {
	case slices.Contains([]NoticeKind{NoticeLogin, NoticeAPIKeyMade, NoticeNewBrowser, NoticeInvited, NoticeJoined, NoticeEmailFrom, NoticeEmailTo, NoticeEmailChanged}, m.Kind):
		return refuse(CodeNotPossibleNow, "", "this mail was about that moment only")
	case m.Status == MailWaiting:
		return refuse(CodeNotPossibleNow, "", "this mail has not been sent yet")
	case m.ResentAs != nil:
		return refuse(CodeNotPossibleNow, "", "this mail was sent again already: the later one can be")
	}
	return nil
}
