package billing

import "testing"

// A changed secret ends nothing that is on its way to a customer or in a mailbox.
func TestWhatAFormerSecretSignedIsGood(t *testing.T) {
	const former, current, foreign = "former-0123456789abcdef0123456789", "current-0123456789abcdef012345678", "foreign-0123456789abcdef012345678"
	was, now, other := Secret{former}, Secret{current, former}, Secret{foreign}
	back := was.ReturnSignature("purchase", "sub_1")
	is(t, "a way back", now.IsReturn("purchase", "sub_1", back), true)
	is(t, "for another purpose", now.IsReturn("change", "sub_1", back), false)
	is(t, "for another order", now.IsReturn("purchase", "sub_2", back), false)
	is(t, "cut short", now.IsReturn("purchase", "sub_1", back[:20]), false)
	is(t, "of another secret", other.IsReturn("purchase", "sub_1", back), false)
	_, _, good := now.QuoteOf(was.QuoteToken("quo_1"))
	is(t, "a quote's token", good, true)
	_, _, good = other.QuoteOf(was.QuoteToken("quo_1"))
	is(t, "a quote's token of another secret", good, false)
	is(t, "what is signed anew", now.ReturnSignature("purchase", "sub_1") != back, true)
	request, good := now.ConfirmationOf(was.ConfirmationToken("req_1"))
	is(t, "a confirmation", good && request == "req_1", true)
	_, good = other.ConfirmationOf(was.ConfirmationToken("req_1"))
	is(t, "a confirmation of another secret", good, false)
	_, good = now.ConfirmationOf("oct_" + now.QuoteToken("req_1")[4:])
	is(t, "a quote's signature", good, false)
	_, _, good = now.QuoteOf("qot_" + now.ConfirmationToken("quo_1")[4:])
	is(t, "a confirmation's signature", good, false)
}
