package billing

import "time"

// NewsKind is what a gateway's webhook tells of.
type NewsKind string

const (
	NewsCharge        NewsKind = "charge"         // something became of a charge: whatever it was, the gateway is asked
	NewsRefund        NewsKind = "refund"         // likewise, of a refund
	NewsCard          NewsKind = "card_collected" // a customer has given a card on the gateway's page
	NewsDisputeOpened NewsKind = "dispute_opened"
	NewsDisputeWon    NewsKind = "dispute_won"
	NewsDisputeLost   NewsKind = "dispute_lost"
	NewsOther         NewsKind = "other" // nothing that anybody here acts on
)

// Disputed is where a dispute stands by news of it; empty of all other news.
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

// News is what a gateway has told by one webhook. Webhooks come late, twice and
// in any order, so that news of charges and refunds carries no truth: it says
// only about what the gateway is to be asked. It holds no personal data.
type News struct {
	ID        string // the gateway's, the same however often it is told
	Kind      NewsKind
	Reference string // the gateway's, of the charge; with NewsCard, of the collection
	Dispute   string // the gateway's, of the dispute
	Amount    Money  // that is disputed
	Live      bool   // of real money
	Created   time.Time
}
