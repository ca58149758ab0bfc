package words_test

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
	"github.com/okviz/licensing/licensing"
)

func TestNoLanguageLacksAText(t *testing.T) {
	if tags := words.Tags(); len(tags) < 2 || tags[0] != words.Default {
		t.Fatalf("the languages are %v", tags)
	}
	for _, tag := range words.Tags() {
		for _, lack := range words.In(tag).Lacks() {
			t.Errorf("%s.yaml does not say %s", tag, lack)
		}
	}
}

func TestEveryReasonOfACreditAndEveryNoteHasWords(t *testing.T) {
	for _, tag := range words.Tags() {
		in := words.In(tag)
		for _, reason := range []string{"change", billing.ReasonVoid, "refund", "money_back"} {
			if in.Reasons[reason] == "" {
				t.Errorf("%s has no words for %s", tag, reason)
			}
		}
		if in.Notes[billing.ReverseChargeNote] == "" {
			t.Errorf("%s does not have the legal note of a reverse charge", tag)
		}
	}
}

func plan(of licensing.Type, tier string, cycle billing.Cycle) billing.PlanRef {
	return billing.PlanRef{Type: of, Tier: tier, Cycle: cycle}
}

func TestPlansInWords(t *testing.T) {
	p1 := plan(licensing.Capacity, "P1 or F64", billing.Yearly)
	for _, c := range []struct {
		plan     billing.PlanRef
		quantity int64
		en, it   string
	}{
		{plan(licensing.Users, "1-20", billing.Monthly), 1, "Users 1-20, billed monthly", "Utenti 1-20, fatturazione mensile"},
		{plan(licensing.Users, "Single", billing.Yearly), 1, "Single user, billed yearly", "Utente singolo, fatturazione annuale"},
		{plan(licensing.Users, "Unlimited", billing.Yearly), 1, "Unlimited users, billed yearly", "Utenti illimitati, fatturazione annuale"},
		{p1, 1, "Capacity P1 or F64, billed yearly", "Capacità P1 o F64, fatturazione annuale"},
		{p1, 3, "3 × Capacity P1 or F64, billed yearly", "3 × Capacità P1 o F64, fatturazione annuale"},
		{plan(licensing.Site, "", billing.ThreeYears), 1, "Site, billed every three years", "Sito, fatturazione triennale"},
		{billing.PlanRef{}, 1, "", ""},
	} {
		if en, it := words.In("en").PlanOf(c.plan, c.quantity), words.In("it").PlanOf(c.plan, c.quantity); en != c.en || it != c.it {
			t.Errorf("%+v × %d: %q and %q, want %q and %q", c.plan, c.quantity, en, it, c.en, c.it)
		}
	}
}

func TestMoneyIsWrittenAsTheLanguageDoes(t *testing.T) {
	for _, c := range []struct {
		money  billing.Money
		en, it string
	}{
		{billing.Money{Amount: 990, Currency: "USD"}, "$9.90", "9,90\u00a0$"},
		{billing.Money{Amount: 125000000, Currency: "EUR"}, "€1,250,000.00", "1.250.000,00\u00a0€"},
		{billing.Money{Amount: 990, Currency: "JPY"}, "¥990", "990\u00a0¥"},
	} {
		if en, it := words.In("en").Money(c.money), words.In("it").Money(c.money); en != c.en || it != c.it {
			t.Errorf("%v: %q and %q, want %q and %q", c.money, en, it, c.en, c.it)
		}
	}
}

func TestInstantsAreToldInUTC(t *testing.T) {
	at := time.Date(2026, 1, 31, 11, 0, 0, 0, time.FixedZone("CET", 3600))
	for tag, want := range map[string][2]string{
		"en": {"31 January 2026, 10:00 UTC", "31 Jan 2026"},
		"it": {"31 gennaio 2026, 10:00 UTC", "31 gen 2026"},
	} {
		if l := words.In(tag); l.Instant(at) != want[0] || l.ShortDay(at) != want[1] {
			t.Errorf("%s: %s, %s", tag, l.Instant(at), l.ShortDay(at))
		}
	}
}

func TestLinesAreTranslatedFromWhatWasSold(t *testing.T) {
	sold := billing.Line{Kind: billing.LineService, Description: "Calendar Pro, users 1-20, monthly", Product: "Calendar Pro", Plan: plan(licensing.Users, "1-20", billing.Monthly)}
	unused := sold
	unused.Kind, unused.Description = billing.LineCredit, "Unused time: "+sold.Description
	older := sold
	older.Product = ""
	for _, c := range []struct {
		line   billing.Line
		en, it string
	}{
		{sold, "Calendar Pro, users 1-20, monthly", "Calendar Pro – Utenti 1-20, fatturazione mensile"},
		{unused, "Unused time: Calendar Pro, users 1-20, monthly", "Tempo non utilizzato: Calendar Pro – Utenti 1-20, fatturazione mensile"},
		{billing.Line{Kind: billing.LineWaiver, Description: "Too small to charge: waived"}, "Too small to charge: waived", "Importo troppo piccolo per un addebito: annullato"},
		{older, older.Description, older.Description},
	} {
		if en, it := words.In("en").LineOf(c.line), words.In("it").LineOf(c.line); en != c.en || it != c.it {
			t.Errorf("%q and %q, want %q and %q", en, it, c.en, c.it)
		}
	}
}

func TestCountriesHaveTheirPresentNames(t *testing.T) {
	for tag, want := range map[string]map[string]string{
		"en": {"IT": "Italy", "TR": "Türkiye", "X": "X"},
		"it": {"DE": "Germania", "MK": "Macedonia del Nord"},
	} {
		for code, name := range want {
			if got := words.In(tag).Country(code); got != name {
				t.Errorf("%s in %s: %q, want %q", code, tag, got, name)
			}
		}
	}
}

func TestTheLanguageAskedForIsTheFirstThatThereIs(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "it": "it", "it-CH,it;q=0.9,en;q=0.8": "it", "fr-FR, it;q=0.4, en;q=0.3": "it", "fr": "en", "en-GB,it;q=0.9": "en", "\x00;;": "en",
	} {
		if got := words.Accepted(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	if words.In("xx").Tag != "en" || words.In("").Tag != "en" {
		t.Error("a language that there is not is not English")
	}
}
