package billing

// Retained is a kind of rows that are kept for a time only.
type Retained string

// The kinds. docs/operators.md says what belongs to each.
const (
	RetainRequests      Retained = "requests"
	RetainMails         Retained = "mails"
	RetainLogins        Retained = "logins"
	RetainGatewayEvents Retained = "gateway_events"
	RetainOrders        Retained = "orders"
	RetainInvoices      Retained = "invoices"   // the buyers of erased accounts, as their documents print them
	RetainEvents        Retained = "events"     // of the feed
	RetainDeliveries    Retained = "deliveries" // of webhooks, that are done with
	RetainAttempts      Retained = "attempts"   // which say themselves when they are over: see Allowance
)

// Retention is for how many days each kind is kept, once it is over. 0: for
// ever.
type Retention map[Retained]int
