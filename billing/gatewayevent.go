package billing

import "time"

// GatewayEventKind is what a gateway's webhook is about.
type GatewayEventKind string

const (
	GatewayEventCharge        GatewayEventKind = "charge"         // something happened to a charge: the gateway is asked what
	GatewayEventRefund        GatewayEventKind = "refund"         // something happened to a refund
	GatewayEventCard          GatewayEventKind = "card_collected" // a customer has given a card on the gateway's page
	GatewayEventCardUpdated   GatewayEventKind = "card_updated"   // a stored card may have a new number or end
	GatewayEventDisputeOpened GatewayEventKind = "dispute_opened"
	GatewayEventDisputeWon    GatewayEventKind = "dispute_won"
	GatewayEventDisputeLost   GatewayEventKind = "dispute_lost"
	GatewayEventOther         GatewayEventKind = "other" // nothing that is acted on
)

// Disputed is where a dispute stands after such an event; empty for all others.
func (k GatewayEventKind) Disputed() DisputeStatus {
	switch k {
	case GatewayEventDisputeOpened:
		return DisputeOpened
	case GatewayEventDisputeWon:
		return DisputeWon
	case GatewayEventDisputeLost:
		return DisputeLost
	default:
		return ""
	}
}

// GatewayEvent is what one webhook of a gateway says. Webhooks come late, twice and
// in any order, so events of charges and refunds are not believed: they only
// say what the gateway is to be asked about. It holds no personal data.
type GatewayEvent struct {
	ID        string // the gateway's, the same each time it is sent
	Kind      GatewayEventKind
	Reference string // the gateway's, of the charge; with GatewayEventCard, of the collection; with GatewayEventCardUpdated, of the card
	Dispute   string // the gateway's, of the dispute
	Amount    Money  // that is disputed
	Live      bool   // of real money
	Created   time.Time
}
