package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// statementLine is what became of a line of a bank's statement.
type statementLine struct {
	Line           int     `json:"line"`
	Result         string  `json:"result"`
	Detail         string  `json:"detail"`
	Amount         money   `json:"amount"`
	Invoice        *string `json:"invoice"`
	SubscriptionID *string `json:"subscription_id"`
}

func (s *shop) upload(t testing.TB, key, file string) answer {
	t.Helper()
	h := s.asOperator()
	h["Idempotency-Key"], h["Content-Type"] = key, "text/csv"
	return s.send(t, http.MethodPost, "/v1/operator/statements", []byte(file), h)
}

// imported is what became of each line of a statement: "2 paid, 3 unmatched".
func (s *shop) imported(t testing.TB, file string) string {
	t.Helper()
	var v struct{ Data []statementLine }
	s.upload(t, newKey(), file).want(t, http.StatusOK).into(t, &v)
	said := []string{}
	for _, l := range v.Data {
		said = append(said, fmt.Sprint(l.Line, " ", l.Result))
	}
	return strings.Join(said, ", ")
}

func TestAStatementPaysTheInvoicesThatItsLinesNameOnce(t *testing.T) {
	clock := shared.clock(t, "2026-01-31T10:00:00Z")
	exact, part, late := newCustomer(), newCustomer(), newCustomer()
	one, two := shared.buy(t, exact.byInvoice(clock)), shared.buy(t, part.byInvoice(clock))
	gone := shared.buy(t, late.byInvoice(clock))
	shared.command(t, gone.Subscription.ID, "cancel", nil).want(t, http.StatusOK)
	bank := secret("BANK-" + rand.Text())
	head := "Date;Amount;Currency;Reference;Bank ID\n"
	file := head +
		fmt.Sprintf("03.02.2026;4.950,00;USD;%s, %s;%s1\n", secret("Sauerampfer Werke"), *one.Invoice.Number, bank) +
		fmt.Sprintf("03.02.2026;2.000,00;USD;%s;%s2\n", strings.ReplaceAll(strings.ToLower(*two.Invoice.Number), "-", " "), bank) +
		fmt.Sprintf("03.02.2026;4.950,00;USD;%s;%s3\n", *gone.Invoice.Number, bank) +
		"03.02.2026;-12,50;USD;fees;\n" +
		"04.02.2026;10,00;USD;birthday present;\n" +
		"04.02.2026;10,00;USD;INV-2019-000001;\n" +
		fmt.Sprintf("04.02.2026;10,00;EUR;%s;\n", *two.Invoice.Number) +
		fmt.Sprintf("04.02.2026;10,00;USD;%s %s;\n", *one.Invoice.Number, *two.Invoice.Number) +
		fmt.Sprintf("04.02.2026;20,00;USD;%s;\n", *two.Invoice.Number) +
		fmt.Sprintf("04.02.2026;20,00;USD;%s;\n", *two.Invoice.Number)
	key := newKey()
	first := shared.upload(t, key, file).want(t, http.StatusOK)
	var v struct{ Data []statementLine }
	first.into(t, &v)
	want := []string{"paid", "partial", "unused", "outgoing", "unmatched", "unmatched", "doubtful", "doubtful", "partial", "doubtful"}
	if len(v.Data) != len(want) {
		t.Fatalf("%s", first.body)
	}
	for i, l := range v.Data {
		if l.Line != i+2 || l.Result != want[i] || (l.Result == "unmatched" || l.Result == "doubtful") && l.Detail == "" {
			t.Errorf("%+v, want line %d, %s", l, i+2, want[i])
		}
	}
	if v.Data[0].Amount != usd(495000) || *v.Data[0].Invoice != *one.Invoice.Number || *v.Data[0].SubscriptionID != one.Subscription.ID {
		t.Errorf("%+v", v.Data[0])
	}
	wantBooks := func() {
		t.Helper()
		if sub := shared.subscription(t, one.Subscription.ID); sub.Status != "active" || sub.CurrentPeriod.Start != "2026-01-31T10:00:00Z" {
			t.Errorf("%+v", sub)
		}
		if sub := shared.subscription(t, two.Subscription.ID); sub.Status != "incomplete" {
			t.Errorf("%+v", sub)
		}
		if a, b, c := shared.balance(t, exact), shared.balance(t, part), shared.balance(t, late); a != 0 || b != 202000 || c != 495000 {
			t.Errorf("balances %d, %d, %d", a, b, c)
		}
	}
	wantBooks()
	if v := shared.check(t, *shared.subscription(t, one.Subscription.ID).LicenseID); v.Code != "ACTIVE" {
		t.Errorf("%+v", v)
	}
	told := shared.events(t, one.Subscription.ID)
	if e := told[len(told)-2]; e.Kind != "transfer" || e.Actor != "operator" || e.Text != "A transfer of 4950.00 USD came for an invoice (value date 2026-02-03)." {
		t.Errorf("%+v", told)
	}

	// The same upload, the same file again, and one that overlaps it.
	if again := shared.upload(t, key, file); again.same(t) != first.same(t) {
		t.Errorf("%s\nthen\n%s", first.body, again.body)
	}
	shared.upload(t, key, file+"\n").wantProblem(t, http.StatusConflict, "idempotency_conflict")
	if got := shared.imported(t, file); got != "2 already, 3 already, 4 already, 5 outgoing, 6 unmatched, 7 unmatched, 8 doubtful, 9 doubtful, 10 already, 11 doubtful" {
		t.Error(got)
	}
	wantBooks()
	rest := "date,amount,currency,reference,id\n" +
		fmt.Sprintf("2026-02-03,2000.00,USD,cut off %s,%s2\n", *two.Invoice.Number, bank) +
		fmt.Sprintf("2026-02-05,2930.00,USD,%s,%s4\n", *two.Invoice.Number, bank)
	if got := shared.imported(t, rest); got != "2 already, 3 paid" {
		t.Error(got)
	}
	if sub := shared.subscription(t, two.Subscription.ID); sub.Status != "active" || shared.balance(t, part) != 0 {
		t.Errorf("%+v, balance %d", sub, shared.balance(t, part))
	}
}

func TestAStatementIsOneForOperatorsAndNothingIsDoneWhereALineCannotBeRead(t *testing.T) {
	clock, who := shared.clock(t, "2026-01-31T10:00:00Z"), newCustomer()
	c := shared.buy(t, who.byInvoice(clock))
	good := "date,amount,currency,reference\n2026-02-03,4950.00,USD," + *c.Invoice.Number + "\n"
	key := newKey()
	bad := shared.upload(t, key, good+"2026-02-04,soon,USD,x\n")
	bad.wantProblem(t, http.StatusUnprocessableEntity, "invalid")
	if !strings.Contains(string(bad.body), `"line 3"`) || strings.Contains(string(bad.body), "soon") {
		t.Errorf("%s", bad.body)
	}
	shared.upload(t, newKey(), strings.Repeat(good, 20000)).wantProblem(t, http.StatusRequestEntityTooLarge, "too_large")
	shared.upload(t, "", good).wantProblem(t, http.StatusBadRequest, "idempotency_key_required")
	shared.send(t, http.MethodPost, "/v1/operator/statements", []byte(good), map[string]string{"Idempotency-Key": newKey()}).want(t, http.StatusUnauthorized)
	if sub := shared.subscription(t, c.Subscription.ID); sub.Status != "incomplete" || shared.balance(t, who) != 0 {
		t.Errorf("%+v, balance %d", sub, shared.balance(t, who))
	}
	// What was marked by hand, and comes by the statement, is one transfer.
	if got := shared.transferred(t, c.Invoice.ID, "Sauerampfer 4711", 495000); got != "succeeded, paid, active" {
		t.Error(got)
	}
	if got := shared.imported(t, good); got != "2 doubtful" || shared.balance(t, who) != 0 {
		t.Errorf("%s, balance %d", got, shared.balance(t, who))
	}
}
