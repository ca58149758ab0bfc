package billing

import "testing"

func TestATrialCountsForTheRegistrableDomainOfAWorkAddress(t *testing.T) {
	for _, c := range []struct{ name, email, want string }{
		{"a work address", "bi@contoso.com", "contoso.com"},
		{"a subdomain is the same organisation", "bi@emea.bi.contoso.com", "contoso.com"},
		{"a public suffix of two labels", "bi@reports.contoso.co.uk", "contoso.co.uk"},
		{"case does not matter", "BI@Contoso.COM", "contoso.com"},
		{"a top-level domain that nobody listed", "bi@a.contoso.example", "contoso.example"},
		{"free mail is the person's", "Bea.Bianchi@Gmail.com", "beabianchi@gmail.com"},
		{"free mail of another country", "bea@yahoo.co.uk", "bea@yahoo.co.uk"},
		{"a subdomain of free mail too", "bea@mail.outlook.com", "bea@mail.outlook.com"},
		{"a hosted domain below a private suffix is its own", "bea@team.github.io", "team.github.io"},
		{"a suffix alone is nobody's domain", "bea@co.uk", "bea@co.uk"},
		{"an @ within quotes", `"a@b"@contoso.com`, "contoso.com"},
		{"no domain", "bea@", "bea@"},
		{"no at", "contoso.com", "contoso.com"},
		{"nothing", "", ""},
		{"dots only", "bea@..", "bea@.."},
	} {
		t.Run(c.name, func(t *testing.T) { is(t, c.email, Organisation(c.email), c.want) })
	}
}
