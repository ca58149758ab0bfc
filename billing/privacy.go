package billing

// PersonalData is everything that is held about an e-mail address, but for
// credentials and hashes.
type PersonalData struct {
	Email   string                      `json:"email"`
	Account AccountID                   `json:"account_id" doc:"Empty where the address has no account."`
	Tables  map[string][]map[string]any `json:"tables" doc:"Rows by the table that holds them. docs/security.md says what the tables are for."`
}

// Erasure is what was done to erase an e-mail address.
type Erasure struct {
	Account   AccountID `json:"account_id" doc:"Empty where the address has no account."`
	Documents int64     `json:"documents_kept" doc:"Issued invoices and credit notes, which keep their buyer for as long as the law wants it."`
}

// Unsettled says why who pays for a subscription cannot be erased yet; nil: it
// has ended, and no money is open. Charging: a charge is under way this moment.
func (s Subscription) Unsettled(charging bool) error {
	switch {
	case !s.Status.Ended():
		return refuse(CodeSubscriptionsRun, "", "a subscription of this account has not ended: cancel it, and wait for its end")
	case charging || s.PaymentPending() || s.Refunding > 0 || s.Disputed():
		return refuse(CodeMoneyOpen, "", "a payment, a refund or a dispute of this account is not decided yet: try again when it is")
	}
	return nil
}

// InUse says why the licensee of somebody else's subscription cannot be erased
// yet; nil: the licence has ended, or nothing is licensed yet. Anybody can name
// somebody in an order.
func (s Subscription) InUse() error {
	if s.Status.Ended() || s.Status == Incomplete {
		return nil
	}
	return refuse(CodeSubscriptionsRun, "", "a licence that another account pays for is in this name and has not ended: it can be erased after that")
}

// EraseBilling erases who pays, now and before.
func (o *Order) EraseBilling(address string, printed bool) {
	o.Billing, o.CC = o.Billing.Erased(address, printed), nil
	for i, d := range o.Replaced {
		o.Replaced[i] = d.Erased(address, printed)
	}
}

// Erased are the details without the person. Printed: but for what documents
// print of them.
func (d BillingDetails) Erased(address string, printed bool) BillingDetails {
	if !printed {
		d = BillingDetails{Country: d.Country}
	}
	d.Email = address
	return d
}
