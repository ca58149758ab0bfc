package billing

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Event is one line of a subscription's audit history, without personal data:
// what happened, in English for operators, and the same as a kind with its
// details, from which a page makes a sentence in its reader's language.
type Event struct {
	At      time.Time     `json:"at"`
	Kind    EventKind     `json:"kind"`
	Actor   string        `json:"actor"` // a kind of actor, or an operator's name; the store knows it
	Text    string        `json:"text" doc:"In English, for people; the wording may change."`
	Details *EventDetails `json:"details,omitempty" doc:"What the text names. Which of them there are follows from the kind."`
}

// EventDetails are what the sentence of an event names. Which of them there are
// follows from its kind.
type EventDetails struct {
	Amount  Money      `json:"amount,omitzero"`
	Balance Money      `json:"balance,omitzero" doc:"What went to the account's balance in place of the card."`
	By      Collection `json:"by,omitempty" doc:"How the amount was paid."`
	Until   time.Time  `json:"until,omitzero" doc:"The end of a period, or a deadline."`
	On      time.Time  `json:"on,omitzero" doc:"The day that is spoken of: a transfer's value date, or from when a price counts."`
	Plan    PlanRef    `json:"plan,omitzero"`
	OldPlan PlanRef    `json:"old_plan,omitzero"`
	// Price and OldPrice are of one, before discounts and tax.
	Price    Money  `json:"price,omitzero"`
	OldPrice Money  `json:"old_price,omitzero"`
	Code     string `json:"code,omitempty" doc:"Why: a decline code, the code of a refusal, a cancel_reason."`
}

// EventKind says what happened.
type EventKind string

const (
	EventTrialStarted    EventKind = "trial_started"
	EventAwaitsCard      EventKind = "awaits_card"
	EventOrderRefused    EventKind = "order_refused"
	EventOrderExpired    EventKind = "order_expired"
	EventOrderWithdrawn  EventKind = "order_withdrawn"
	EventInvoiced        EventKind = "invoiced"
	EventTransfer        EventKind = "transfer"
	EventTransferShort   EventKind = "transfer_short"
	EventTransferUnused  EventKind = "transfer_unused"
	EventReminded        EventKind = "reminded"
	EventCardReminded    EventKind = "card_reminded"
	EventFileRenewed     EventKind = "file_renewed"
	EventRenewed         EventKind = "renewed"
	EventConverted       EventKind = "converted"
	EventPaymentMethod   EventKind = "payment_method"
	EventDeclined        EventKind = "payment_declined"
	EventPaymentWaits    EventKind = "payment_waits"
	EventProcessing      EventKind = "payment_processing"
	EventGatewayRejected EventKind = "gateway_rejected"
	EventCancelScheduled EventKind = "cancel_scheduled"
	EventResumed         EventKind = "resumed"
	EventCanceled        EventKind = "canceled"
	EventRefunded        EventKind = "refunded"
	EventRefundConfirmed EventKind = "refund_confirmed"
	EventRefundFailed    EventKind = "refund_failed"
	EventDisputed        EventKind = "disputed"
	EventDisputeWon      EventKind = "dispute_won"
	EventDisputeLost     EventKind = "dispute_lost"
	EventStillDisputed   EventKind = "still_disputed"
	EventSuspended       EventKind = "suspended"
	EventRevoked         EventKind = "revoked"
	EventReinstated      EventKind = "reinstated"
	EventPriceChange     EventKind = "price_change"
	EventExtended        EventKind = "extended"
	EventGiven           EventKind = "given"
	EventMovedIn         EventKind = "moved_in"
	EventChangeScheduled EventKind = "change_scheduled"
	EventChangeWithdrawn EventKind = "change_withdrawn"
	EventChangeMade      EventKind = "scheduled_change_made"
	EventAmended         EventKind = "amended"
	EventHandedOver      EventKind = "handed_over"
	EventTransferred     EventKind = "transferred"
	EventNothingDue      EventKind = "nothing_due"

	// What was paid has its invoice's purpose for a kind.
	EventPurchase   = EventKind(ForPurchase)
	EventConversion = EventKind(ForConversion)
	EventRenewal    = EventKind(ForRenewal)
	EventPrepaid    = EventKind(ForPrepaid)
	EventChange     = EventKind(ForChange)
	EventRevival    = EventKind(ForRevival)

	// What happens to a licence apart from its subscription.
	EventActivated      EventKind = "activated"
	EventTenantMoved    EventKind = "tenant_moved"
	EventTenantReleased EventKind = "tenant_released"
	EventActivationKey  EventKind = "activation_key"
	EventOverLimit      EventKind = "over_limit"
	EventBlockingOn     EventKind = "blocking_on"
	EventBlockingOff    EventKind = "blocking_off"
)

// sentences are the English words of every kind.
var sentences = map[EventKind]func(EventDetails) string{
	EventTrialStarted:   func(d EventDetails) string { return "Trial until " + date(d.Until) + "." },
	EventAwaitsCard:     plainly("Ordered; the card is given on the gateway's page."),
	EventOrderRefused:   func(d EventDetails) string { return "The order was refused: " + d.Code + "." },
	EventOrderExpired:   plainly("The order was never paid and has lapsed."),
	EventOrderWithdrawn: plainly("The order was withdrawn."),
	EventInvoiced: func(d EventDetails) string {
		return "Invoiced " + d.Amount.String() + ", to be paid by " + date(d.Until) + "."
	},
	EventTransfer:      func(d EventDetails) string { return d.transfer() + "." },
	EventTransferShort: func(d EventDetails) string { return d.transfer() + " and does not suffice; it is on the balance." },
	EventTransferUnused: func(d EventDetails) string {
		return d.transfer() + " that is " + d.Code + "; it is on the balance."
	},
	EventReminded: func(d EventDetails) string { return "Reminded of what is due on " + date(d.Until) + "." },
	EventFileRenewed: func(d EventDetails) string {
		return "A fresh file was mailed, which lasts until " + date(d.Until) + "."
	},
	EventCardReminded:  func(d EventDetails) string { return "Reminded of the card, which expires on " + date(d.Until) + "." },
	EventRenewed:       func(d EventDetails) string { return "Entered the period paid ahead, until " + date(d.Until) + "." },
	EventConverted:     plainly("The trial became the subscription that was paid ahead."),
	EventPaymentMethod: plainly("A payment method was stored."),
	EventDeclined: func(d EventDetails) string {
		if d.Code == DeclineAbandoned {
			return fmt.Sprintf("A payment of %s that waited for the customer was given up.", d.Amount)
		}
		return fmt.Sprintf("A payment of %s was declined: %s.", d.Amount, d.Code)
	},
	EventPaymentWaits: func(d EventDetails) string {
		return fmt.Sprintf("The bank asks the customer to confirm a payment of %s, until %s.", d.Amount, d.Until.Format(time.RFC3339))
	},
	EventProcessing: func(d EventDetails) string { return fmt.Sprintf("The gateway works on a payment of %s.", d.Amount) },
	EventGatewayRejected: func(d EventDetails) string {
		if d.Amount == (Money{}) {
			return "The gateway would not store a card: " + d.Code + "."
		}
		return fmt.Sprintf("The gateway refused a payment of %s: %s.", d.Amount, d.Code)
	},
	EventCancelScheduled: func(d EventDetails) string {
		return "Cancelled; it works until " + d.Until.Format(time.RFC3339) + "."
	},
	EventResumed: plainly("The cancellation was taken back."),
	EventCanceled: func(d EventDetails) string {
		if d.Amount == (Money{}) && d.Balance == (Money{}) {
			return "Ended: " + d.Code + "."
		}
		return "Ended: " + d.Code + ". Given back: " + d.back() + "."
	},
	EventRefunded:        func(d EventDetails) string { return "Given back: " + d.back() + "." },
	EventRefundConfirmed: func(d EventDetails) string { return fmt.Sprintf("The refund of %s was confirmed.", d.Amount) },
	EventRefundFailed: func(d EventDetails) string {
		return fmt.Sprintf("The card did not take %s back: the account's balance has it.", d.Amount)
	},
	EventDisputed: func(d EventDetails) string {
		return fmt.Sprintf("A payment of %s is disputed: the licence is suspended, and nothing is charged.", d.Amount)
	},
	EventDisputeWon:    func(d EventDetails) string { return fmt.Sprintf("The dispute over %s was won.", d.Amount) },
	EventDisputeLost:   func(d EventDetails) string { return fmt.Sprintf("The dispute over %s was lost.", d.Amount) },
	EventStillDisputed: plainly("A dispute is still open."),
	EventSuspended:     plainly("The licence was suspended."),
	EventRevoked:       plainly("The licence was revoked."),
	EventReinstated:    plainly("The licence was reinstated."),
	EventPriceChange: func(d EventDetails) string {
		return "The price changes from " + d.OldPrice.String() + " to " + d.Price.String() + " on " + date(d.On) + "."
	},
	EventExtended: func(d EventDetails) string { return "Extended until " + date(d.Until) + "; nothing is due for it." },
	EventGiven:    func(d EventDetails) string { return "A free licence until " + date(d.Until) + "." },
	EventMovedIn:  func(d EventDetails) string { return "Moved in from another system; paid until " + date(d.Until) + "." },
	EventChangeScheduled: func(d EventDetails) string {
		return "Changes from " + d.OldPlan.ID + " to " + d.Plan.ID + " on " + date(d.On) + "."
	},
	EventChangeWithdrawn: func(d EventDetails) string { return "The change to " + d.Plan.ID + " was withdrawn." },
	EventChangeMade: func(d EventDetails) string {
		return "Changed from " + d.OldPlan.ID + " to " + d.Plan.ID + ", as it was scheduled."
	},
	EventAmended:     plainly("The billing details were changed."),
	EventHandedOver:  plainly("The licence was handed over to another licensee."),
	EventTransferred: plainly("Another account pays from now on."),
	EventNothingDue:  plainly("Nothing was due."),

	EventPurchase: func(d EventDetails) string { return "Bought until " + date(d.Until) + d.paid() },
	EventConversion: func(d EventDetails) string {
		return "The trial became a subscription until " + date(d.Until) + d.paid()
	},
	EventRenewal: func(d EventDetails) string { return "Renewed until " + date(d.Until) + d.paid() },
	EventPrepaid: func(d EventDetails) string { return "Paid ahead until " + date(d.Until) + d.paid() },
	EventRevival: func(d EventDetails) string { return "Bought again until " + date(d.Until) + d.paid() },
	EventChange: func(d EventDetails) string {
		changed := "Changed from " + d.OldPlan.ID + " to " + d.Plan.ID
		if d.By == "" { // nothing was billed
			return changed + " in the trial."
		}
		return changed + d.paid()
	},

	EventActivated:      plainly("The licence was bound to a tenant."),
	EventTenantMoved:    plainly("The licence was bound to another tenant."),
	EventTenantReleased: plainly("The licence was released from its tenant."),
	EventActivationKey:  plainly("The activation key was replaced."),
	EventOverLimit:      plainly("More people used the visual than the plan covers, in two windows of 28 days in a row."),
	EventBlockingOn:     plainly("The licence is blocked where far more people use it than the plan covers."),
	EventBlockingOff:    plainly("The licence is no longer blocked however many people use it."),
}

// EventKinds are all kinds of events, in the order of their names.
func EventKinds() []EventKind { return slices.Sorted(maps.Keys(sentences)) }

// NewEvent is what happened at an instant; whose doing it was is added by the
// store.
func NewEvent(at time.Time, kind EventKind, d EventDetails) Event {
	return Event{At: at, Kind: kind, Text: sentences[kind](d), Details: &d}
}

func plainly(text string) func(EventDetails) string { return func(EventDetails) string { return text } }

func (d EventDetails) paid() string {
	switch {
	case d.Amount.Amount == 0:
		return "; nothing was due."
	case d.By == ByInvoice:
		return "; " + d.Amount.String() + " received."
	}
	return "; " + d.Amount.String() + " charged."
}

func (d EventDetails) transfer() string {
	text := "A transfer of " + d.Amount.String() + " came for an invoice"
	if !d.On.IsZero() {
		text += " (value date " + date(d.On) + ")"
	}
	return text
}

// back says where money went that was given back.
func (d EventDetails) back() string {
	switch {
	case d.Balance == (Money{}):
		return d.Amount.String() + " to the card"
	case d.Amount == (Money{}):
		return d.Balance.String() + " to the account's balance"
	}
	return d.Amount.String() + " to the card, " + d.Balance.String() + " to the account's balance"
}
