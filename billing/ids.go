package billing

// The ids that are passed side by side are types of their own, so that the
// compiler finds one that was given for another. The licence's is
// licensing.LicenseID. Where one comes in from outside it is a plain string,
// and is converted there.
type (
	SubscriptionID string // sub_…
	InvoiceID      string // inv_…
	AccountID      string // cus_…, the engine's
	RequestID      string // req_…, and the id of the workflow's update
	RefundID       string // re_…
	ChargeID       string // the gateway's reference of a charge
)
