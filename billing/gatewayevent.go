package billing

import "time"

// NewsKind is what a gateway's webhook is about.
type NewsKind string

const (
	NewsCharge        NewsKind = "charge"         // something happened to a charge: the gateway is asked what
	NewsRefund        NewsKind = "refund"         // something happened to a refund
	NewsCard          NewsKind = "card_collected" // a customer has given a card on the gateway's page
	NewsDisputeOpened NewsKind = "dispute_opened"
	NewsDisputeWon    NewsKind = "dispute_won"
	NewsDisputeLost   NewsKind = "dispute_lost"
	NewsOther         NewsKind = "other" // nothing that is acted on
)

// Disputed is where a dispute stands after such an event; empty for all others.
func (k NewsKind) Disputed() DisputeStatus {
	switch k {
	case NewsDisputeOpened:
		return DisputeOpened
	case NewsDisputeWon:
		return DisputeWon
	case NewsDisputeLost:
		return DisputeLost
	}
	return ""
}

// News is what one webhook of a gateway says. Webhooks come late, twice and
// in any order, so events of charges and refunds are not believed: they only
// say what the gateway is to be asked about. It holds no personal data.
type News struct {
	ID        string // the gateway's, the same each time it is sent
	Kind      NewsKind
	Reference string // the gateway's, of the charge; with NewsCard, of the collection
	Dispute   string // the gateway's, of the dispute
	Amount    Money  // that is disputed
	Live      bool   // of real money
	Created   time.Time
}
