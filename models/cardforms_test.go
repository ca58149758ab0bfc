package models

import (
	"errors"
	"testing"

	"github.com/okviz/licensing/billing"
)

func TestACardFormIsOnePerKey(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		o := newOrder("ada@contoso.example")
		openShop(t, s).place(o)
		sub := o.sub.ID
		f := billing.CardForm{ID: "frm_1", Key: "req_1", Subscription: sub, Gateway: "sandbox", Back: billing.BackToCheckout}
		got, account, err := s.BeginCardForm(t.Context(), f)
		must(t, err)
		if got != f || account == "" {
			t.Errorf("got %+v of %q", got, account)
		}
		f.ID = "frm_2"
		again, _, err := s.BeginCardForm(t.Context(), f)
		must(t, err)
		if again != got {
			t.Errorf("the same key has %+v and %+v", got, again)
		}
		must(t, s.SetCardForm(t.Context(), "frm_1", "form_1"))
		kept, err := s.CardFormOf(t.Context(), "sandbox", "form_1")
		must(t, err)
		if byID, err := s.CardForm(t.Context(), "frm_1"); err != nil || byID != kept || kept.Reference != "form_1" {
			t.Errorf("kept %+v and %+v, %v", kept, byID, err)
		}
		if _, err := s.CardForm(t.Context(), "frm_2"); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("another form: %v", err)
		}
		if _, _, err := s.BeginCardForm(t.Context(), billing.CardForm{ID: "frm_3", Key: "req_3", Subscription: "sub_none", Gateway: "sandbox"}); !errors.Is(err, billing.ErrNotFound) {
			t.Errorf("a form of no subscription: %v", err)
		}
	})
}
