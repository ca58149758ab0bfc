package documents

import (
	"fmt"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// Statement writes a statement of account in a language.
func (w *Writer) Statement(st billing.AccountStatement, language string, to billing.BillingDetails) (pdf []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			pdf, err = nil, fmt.Errorf("documents: writing a statement in %s: %v", st.Currency, r)
		}
	}()
	in := words.In(language)
	name := in.Document.Statement
	s := w.sheet(in, name, st.To)
	s.heading(name, "", s.customer(to), []fact{
		{in.Document.From, in.ShortDay(st.From)}, {in.Document.Until, in.ShortDay(st.To.AddDate(0, 0, -1))},
	})
	s.columns(fmt.Sprintf(in.Document.Amount, st.Currency), fmt.Sprintf(in.Document.Balance, st.Currency))
	s.row(in.Document.Opening, "", s.money(st.Opening), billing.Period{})
	for _, m := range st.Rows {
		s.row(in.ShortDay(m.At)+" · "+in.MovementOf(m), s.money(m.Amount), s.money(m.Balance), billing.Period{})
	}
	s.totals([]fact{{in.Document.Closing, s.money(st.Closing)}})
	s.paragraph(left, right-left, quiet, in.Document.StatementNote)
	if pdf, err = s.bytes(name); err != nil {
		return nil, fmt.Errorf("documents: writing a statement in %s: %w", st.Currency, err)
	}
	return pdf, nil
}
