package sandbox

import (
	"cmp"
	"slices"

	"github.com/okviz/licensing/billing"
)

// A card is what stands behind a token.
type card struct {
	brand  string
	number string // as the form takes it
	does   string // in words, for a person

	decline string // the code of every charge's decline
	advice  billing.Advice

	action       bool // the bank asks for the customer
	laterDecline bool // decline holds from the second charge on

	faults int  // calls per charge that get no answer
	moves  bool // the first of them moved the money all the same
}

// cardExp is far enough ahead for any test clock.
const cardExp = "2099-12"

// testCards are the cards as the form lists them.
var testCards = func() (list []testCard) {
	for _, c := range cards {
		list = append(list, testCard{c.number, c.does})
	}
	slices.SortFunc(list, func(a, b testCard) int { return cmp.Compare(a.Number, b.Number) })
	return list
}()

func (c card) last4() string { return c.number[len(c.number)-4:] }

// cards by token, listed in the package comment. An expired card may be tried
// again: banks tell gateways of the card that follows it.
var cards = map[string]card{
	"tok_visa":               {brand: "visa", number: "4242 4242 4242 4242", does: "succeeds"},
	"tok_declined":           {brand: "visa", number: "4000 0000 0000 0002", does: "is declined", decline: "generic_decline", advice: billing.AdviceRetryLater},
	"tok_insufficient_funds": {brand: "visa", number: "4000 0000 0000 9995", does: "has insufficient funds", decline: "insufficient_funds", advice: billing.AdviceRetryLater},
	"tok_stolen":             {brand: "visa", number: "4000 0000 0000 9979", does: "is stolen", decline: "stolen_card", advice: billing.AdviceNever},
	"tok_expired_card":       {brand: "visa", number: "4000 0000 0000 0069", does: "has expired", decline: "expired_card", advice: billing.AdviceRetryLater},
	"tok_3ds":                {brand: "visa", number: "4000 0027 6000 3155", does: "has the bank ask for you", action: true},
	"tok_timeout_charged":    {brand: "mastercard", number: "5555 5555 5555 4444", does: "gets no answer, and is charged", faults: 1, moves: true},
	"tok_timeout_lost":       {brand: "mastercard", number: "5200 0000 0000 3222", does: "gets no answer, and is charged the second time", faults: 1},
	"tok_flaky":              {brand: "amex", number: "3782 822463 10005", does: "succeeds after two faults", faults: 2},
	"tok_later_declined":     {brand: "visa", number: "4000 0000 0000 0341", does: "succeeds once, and is declined later", laterDecline: true, decline: "generic_decline", advice: billing.AdviceRetryLater},
}
