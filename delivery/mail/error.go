package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Error is an email that was not delivered. Its words hold the email's id
// and the server's codes, but never what the server wrote: servers like to
// repeat the recipient's address.
type Error struct {
	Email  string // the email's id
	Doing  string // what was being done
	Code   int    // the SMTP answer, 0 without one
	Status string // the enhanced one (RFC 3463), "5.1.1", where it was given

	// Permanent: the recipient, or this email to this recipient, was refused
	// for good, so that trying again is of no use. A server that is away, or
	// that refuses us, is not permanent.
	Permanent bool

	cause error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mail: %s: %s", e.Email, e.Doing)
	if e.Code != 0 {
		b.WriteString(strings.TrimRight(fmt.Sprintf(": %d %s", e.Code, e.Status), " "))
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// IsPermanent tells whether trying again is of no use.
func (e *Error) IsPermanent() bool { return e.Permanent }

// Part names where the trouble is, for operators.
func (e *Error) Part() string { return "mail" }

// Unwrap gives the end of the context or the fault of the network.
func (e *Error) Unwrap() error { return e.cause }

// failure classifies what go-mail reports. Its errors are never wrapped: they
// hold addresses.
func failure(ctx context.Context, id string, err error) *Error {
	e := &Error{Email: id, Doing: "connecting"}
	var sent *gomail.SendError
	if errors.As(err, &sent) {
		e.Doing, e.Code, e.Status = sent.Reason.String(), sent.ErrorCode(), sent.EnhancedStatusCode()
		e.Permanent = refusesEmail(sent.Reason, e.Code)
	}
	if e.Permanent {
		return e
	}
	if ctx.Err() != nil {
		e.cause = ctx.Err()
		return e
	}
	var answer *textproto.Error
	var garbled textproto.ProtocolError
	switch {
	case sent != nil:
	case errors.As(err, &answer):
		e.Code = answer.Code
	case errors.As(err, &garbled):
		e.cause = errors.New("the answer is not SMTP")
	default: // the network, TLS, or no common way to sign in
		e.cause = err
	}
	return e
}

// refusesEmail tells whether an answer speaks of the recipient or of this
// email, and is final. 503 and 53x speak of our own standing at the server
// (sequence, sign-in, encryption), which a new configuration can cure.
func refusesEmail(reason gomail.SendErrReason, code int) bool {
	switch reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return code/100 == 5 && code != 503 && code/10 != 53
	default:
		return false
	}
}
