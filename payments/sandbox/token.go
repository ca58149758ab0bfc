package sandbox

import "github.com/okviz/licensing/billing"

// A card is what stands behind a token.
type card struct {
	brand, last4 string

	decline string // the code of every charge's decline
	advice  billing.Advice

	action       bool // the bank asks for the customer
	laterDecline bool // decline holds from the second charge on

	faults int  // calls per charge that get no answer
	moves  bool // the first of them moved the money all the same
}

// cardExp is far enough ahead for any test clock.
const cardExp = "2099-12"

// cards by token (contract.md, Sandbox gateway). An expired card may be tried
// again: banks tell gateways of the card that follows it.
var cards = map[string]card{
	"tok_visa":               {brand: "visa", last4: "4242"},
	"tok_declined":           {brand: "visa", last4: "0002", decline: "generic_decline", advice: billing.AdviceRetryLater},
	"tok_insufficient_funds": {brand: "visa", last4: "9995", decline: "insufficient_funds", advice: billing.AdviceRetryLater},
	"tok_stolen":             {brand: "visa", last4: "9979", decline: "stolen_card", advice: billing.AdviceNever},
	"tok_expired_card":       {brand: "visa", last4: "0069", decline: "expired_card", advice: billing.AdviceRetryLater},
	"tok_3ds":                {brand: "visa", last4: "3155", action: true},
	"tok_timeout_charged":    {brand: "mastercard", last4: "4444", faults: 1, moves: true},
	"tok_timeout_lost":       {brand: "mastercard", last4: "3222", faults: 1},
	"tok_flaky":              {brand: "amex", last4: "0005", faults: 2},
	"tok_later_declined":     {brand: "visa", last4: "0341", laterDecline: true, decline: "generic_decline", advice: billing.AdviceRetryLater},
}
