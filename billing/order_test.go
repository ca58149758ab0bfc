package billing_test

import (
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

func TestWhatLooksLikeANameIsLettersSpacesAndAFewSigns(t *testing.T) {
	for _, name := range []string{"Ada Rossi", "J. R. Rossi", "Zoë O’Neil-Sørensen", "Rossi, Ada (BI)", "Sales & Finance", "Αλέξανδρος", "李小龙", "नरेन्द्र", strings.Repeat("é", 60)} {
		if !billing.LooksLikeName(name) {
			t.Errorf("%q does not look like a name", name)
		}
	}
	for _, text := range []string{
		"", "VERIFY AT https://evil.example", "Win at evil.example now", "Ada.Rossi", "evil．example", "evil。example", "ada@contoso.example",
		"Call 0800 123456", "a/b", "Ada\u200bRossi", "Ada\nRossi", "<b>Ada</b>", "Ada 🚀", ".evil", strings.Repeat("é", 61),
	} {
		if billing.LooksLikeName(text) {
			t.Errorf("%q looks like a name", text)
		}
	}
}

func TestUnconfirmedDetailsHaveNoLinks(t *testing.T) {
	typed := billing.BillingDetails{
		Contact: billing.Contact{Name: "see https://evil.example", Email: "ada@contoso.example"},
		Company: "3M & Co. evil.example", Line1: "Via Roma 12/A", Line2: "//evil", City: "a@evil", Postal: "00100", Country: "IT",
	}
	want := billing.BillingDetails{Contact: billing.Contact{Email: "ada@contoso.example"}, Line1: "Via Roma 12/A", Postal: "00100", Country: "IT"}
	if got := typed.Unconfirmed(); got != want {
		t.Errorf("printed is %+v", got)
	}
}
