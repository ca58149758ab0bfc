package billing

import "time"

// DeclineRefused is the decline code of a payment that the gateway did not
// even try, because it refused our call (a withdrawn key, an amount that it
// does not accept). That is our mistake and not the card's, so the operator
// is told instead of the customer.
const DeclineRefused = "gateway_refused"

// ChargeRefused is the result of such a payment. Nothing moved. It is
// retried like a declined one, and by every command that charges.
func ChargeRefused(code string) ChargeResult {
	return ChargeResult{Status: PaymentDeclined, DeclineCode: DeclineRefused, Advice: AdviceOperator, Refusal: code}
}

// refusedNotice tells the operator what the gateway said.
func refusedNotice(code, invoice string, due Money) Notice {
	return Notice{Kind: NoticeChargeRefused, To: RoleOperator, InvoiceID: invoice, Amount: due, Code: code}
}

// Unstored is the posting of a command whose card the gateway refused to
// store, by a mistake of ours: the command is refused, and the operator is
// told.
func (b Book) Unstored(c Command, code string, at time.Time) *Posting {
	refusal := refuse(CodeGatewayRefused, "", "the payment provider could not be used; the vendor has been informed")
	p := b.Refused(c, refusal, at)
	if p.Subscription.Revision == p.From {
		outcome := p.Outcome
		p = b.post(b.Subscription, at, EventGatewayRefused, EventDetails{Code: code})
		p.Outcome = outcome
	}
	p.Notices = append(p.Notices, refusedNotice(code, "", Money{}))
	return p
}
