package billing

import "time"

// DeclineRejected is the decline code of a payment that the gateway did not
// try, because it rejected our call (a withdrawn key, an amount that it does
// not accept). That is our mistake and not the card's, so the operator is told
// instead of the customer.
const DeclineRejected = "gateway_rejected"

// ChargeRejected is the result of such a payment. Nothing moved. It is retried
// like a declined one, and by every command that charges.
func ChargeRejected(code string) ChargeResult {
	return ChargeResult{Status: PaymentDeclined, DeclineCode: DeclineRejected, Advice: AdviceOperator, Rejection: code}
}

// rejectionNotice tells the operator what the gateway said.
func rejectionNotice(code string, invoice InvoiceID, due Money) Notice {
	return Notice{Kind: NoticeChargeRejected, To: RoleOperator, InvoiceID: invoice, Amount: due, Code: code}
}

// Unstored is the changeset of a command whose card the gateway did not store,
// because it rejected our call: the command is refused, and the operator is
// told.
func (b Snapshot) Unstored(c Command, code string, at time.Time) *Changeset {
	refusal := refuse(CodeGatewayRejected, "", "the payment provider could not be used; the vendor has been informed")
	p := b.Refused(c, refusal, at)
	if p.Subscription.Revision == p.From {
		outcome := p.Outcome
		p = b.post(b.Subscription, at, EventGatewayRejected, EventDetails{Code: code})
		p.Outcome = outcome
	}
	p.Notices = append(p.Notices, rejectionNotice(code, "", Money{}))
	return p
}
