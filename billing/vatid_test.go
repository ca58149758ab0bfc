package billing

import "testing"

// published are ids that companies, states or the documentation of other
// validators have published, by the country that is billed.
var published = map[string][]string{
	"AT": {"ATU13585627"},
	"BE": {"BE0403019261", "BE0428759497"},
	"BG": {"BG175074752"},
	"CY": {"CY10259033P"},
	"CZ": {"CZ25123891"},
	"DE": {"DE136695976"},
	"DK": {"DK13585628"},
	"EE": {"EE100594102", "EE100931558"},
	"ES": {"ESB58378431", "ESB64717838", "ESJ99216582", "ES54362315K", "ESX2482300W", "ESM1234567L"}, // companies, a citizen, foreigners
	"FI": {"FI20774740"},
	"FR": {"FR40303265045", "FR23334175221", "FR83404833048", "FRK7399859412", "FR4Z123456782"}, // the last ones with letters in their key
	"GR": {"EL094259216"},
	"HR": {"HR33392005961"},
	"HU": {"HU12892312"},
	"IE": {"IE6433435F", "IE6433435OA", "IE8D79739I"}, // before 2013, since, and the oldest
	"IT": {"IT00743110157"},
	"LT": {"LT119511515", "LT100001919017", "LT100004801610"},
	"LU": {"LU15027442"},
	"LV": {"LV40003521600"},
	"MT": {"MT11679112"},
	"NL": {"NL004495445B01", "NL002455799B11"}, // a company, a sole trader since 2020
	"PL": {"PL8567346215"},
	"PT": {"PT501964843"},
	"RO": {"RO18547290"},
	"SE": {"SE123456789701"},
	"SI": {"SI50223054"},
	"SK": {"SK2022749619"},
}

func TestPublishedVATIDsAreValid(t *testing.T) {
	for country := range vatRates {
		if len(published[country]) == 0 {
			t.Errorf("%s has no example", country)
		}
	}
	for country, ids := range published {
		for _, id := range ids {
			got, err := NormalVATID(country, id)
			if got != id || err != nil {
				t.Errorf("%s: %q, %v", id, got, err)
			}
		}
	}
}

// Each of the published ids, with one digit or letter changed.
func TestOneBrokenDigitMakesAVATIDInvalid(t *testing.T) {
	broken := map[string][]string{
		"AT": {"ATU13585626", "ATU13575627"},
		"BE": {"BE0403019262", "BE0403019271", "BE1428759497"},
		"BG": {"BG175074751", "BG175075752"},
		"CY": {"CY10259033Z", "CY11259033P"},
		"CZ": {"CZ25123890", "CZ25124891"},
		"DE": {"DE136695978", "DE136595976"},
		"DK": {"DK13585627", "DK23585628"},
		"EE": {"EE100594103", "EE100930558"},
		"ES": {"ESB58378432", "ESB64717839", "ESJ99216583", "ES54362315Z", "ESX2482301W", "ESZ2482300W", "ESM1234568L"},
		"FI": {"FI20774741", "FI20775740"},
		"FR": {"FR40303265046", "FR24334175221", "FR84404833048", "FRK8399859412", "FR5Z123456782", "FR4Y123456782"},
		"GR": {"EL094259217", "EL194259216"},
		"HR": {"HR33392005962", "HR34392005961"},
		"HU": {"HU12892313", "HU12892412"},
		"IE": {"IE6433435E", "IE6433435OB", "IE8D79739J", "IE9D79739I"},
		"IT": {"IT00743110158", "IT00743120157"},
		"LT": {"LT119511516", "LT100001919018", "LT100004801611"},
		"LU": {"LU15027443", "LU15127442"},
		"LV": {"LV40003521601", "LV50003521600"},
		"MT": {"MT11679113", "MT12679112"},
		"NL": {"NL004495446B01", "NL002455799B12", "NL002465799B11"},
		"PL": {"PL8567346216", "PL8567346315"},
		"PT": {"PT501964842", "PT511964843"},
		"RO": {"RO18547291", "RO18647290"},
		"SE": {"SE123456789101", "SE123456889701"},
		"SI": {"SI50223055", "SI50224054"},
		"SK": {"SK2022749618", "SK2022749719"},
	}
	for country := range published {
		if len(broken[country]) == 0 {
			t.Errorf("nothing of %s is broken", country)
		}
		for _, id := range broken[country] {
			if _, err := NormalVATID(country, id); err == nil {
				t.Errorf("%s is valid", id)
			}
		}
	}
}

func TestAVATIDIsNormalised(t *testing.T) {
	for _, c := range []struct{ name, country, text, want string }{
		{"spaces", "FR", " FR 40 303 265 045 ", "FR40303265045"},
		{"dots", "BE", "BE 0403.019.261", "BE0403019261"},
		{"hyphens", "MT", "MT 1167-9112", "MT11679112"},
		{"lower case", "AT", "atu13585627", "ATU13585627"},
		{"without the prefix", "IT", "00743110157", "IT00743110157"},
		{"without the prefix, beginning with a letter of its own", "ES", "b-58378431", "ESB58378431"},
		{"Greece is EL", "GR", "EL094259216", "EL094259216"},
		{"Greece by its country", "GR", "GR 094259216", "EL094259216"},
		{"Greece without a prefix", "GR", "094259216", "EL094259216"},
		{"none", "IT", "", ""},
		{"nothing but spaces", "IT", "  ", ""},
		{"a natural person in Bulgaria", "BG", "BG7523169263", "BG7523169263"},
		{"a natural person in Czechia", "CZ", "CZ7103192745", "CZ7103192745"},
		{"a natural person in Latvia", "LV", "LV16117519997", "LV16117519997"},
		{"a short number in Romania", "RO", "RO 361757", "RO361757"},
		{"Switzerland's stays as it was written", "CH", "CHE-107.787.577 IVA", "CHE-107.787.577 IVA"},
		{"so does that of the United States", "US", " 12-3456789", " 12-3456789"},
		{"so does that of Northern Ireland", "GB", "XI 980 7806 84", "XI 980 7806 84"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NormalVATID(c.country, c.text)
			if got != c.want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestWhatIsNoVATIDOfTheCountryIsRefused(t *testing.T) {
	for _, c := range []struct{ name, country, text string }{
		{"that of another country", "DE", "ATU13585627"},
		{"that of another country with the same digits", "DK", "LU15027442"},
		{"Greek letters instead of Latin ones", "GR", "ΕΛ094259216"},
		{"Greece's prefix elsewhere", "CY", "EL10259033P"},
		{"a digit too few", "DE", "DE13669597"},
		{"a digit too many", "DE", "DE1366959760"},
		{"zeros", "IT", "IT00000000000"},
		{"words", "IT", "none"},
		{"the prefix alone", "FR", "FR"},
		{"twice the prefix", "DE", "DEDE136695976"},
		{"a slash", "DE", "DE136/695976"},
		{"Arabic digits", "DE", "DE١٣٦٦٩٥٩٧٦"},
		{"a key that France does not give", "FR", "FRO7399859412"},
		{"a Swede without the two digits of the register", "SE", "SE1234567897"},
		{"a Dutch id without its B", "NL", "NL004495445"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := NormalVATID(c.country, c.text)
			refusal, ok := err.(*Error)
			if !ok || got != "" || refusal.Code != CodeInvalidVATID || refusal.Field != "billing.vat_id" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func FuzzNormalVATID(f *testing.F) {
	for country, ids := range published {
		for _, id := range ids {
			f.Add(country, id)
			f.Add(country, id[2:])
		}
	}
	f.Add("CH", "CHE-107.787.577 IVA")
	f.Add("FR", "FRFR123456782")
	f.Fuzz(func(t *testing.T, country, text string) {
		id, err := NormalVATID(country, text)
		if err != nil {
			return
		}
		if again, err := NormalVATID(country, id); again != id || err != nil {
			t.Errorf("%q became %q and then %q, %v", text, id, again, err)
		}
	})
}
