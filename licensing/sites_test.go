package licensing_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/publicsuffix"
	"pgregory.net/rapid"

	. "github.com/okviz/licensing/licensing"
)

func TestNormaliseSiteReads(t *testing.T) {
	tests := []struct{ name, site, want string }{
		{"a host name", "reports.contoso.com", "reports.contoso.com"},
		{"capitals and spaces around", "  Reports.CONTOSO.com ", "reports.contoso.com"},
		{"a final dot", "reports.contoso.com.", "reports.contoso.com"},
		{"a port", "reports.contoso.com:8443", "reports.contoso.com"},
		{"an origin", "https://reports.contoso.com", "reports.contoso.com"},
		{"an origin with port and slash", "HTTP://reports.contoso.com:8080/", "reports.contoso.com"},
		{"umlauts", "berichte.Bücher.de", "berichte.xn--bcher-kva.de"},
		{"umlauts as sent by DNS", "berichte.xn--bcher-kva.de", "berichte.xn--bcher-kva.de"},
		{"full-width letters", "ｒeports。contoso.com", "reports.contoso.com"},
		{"a registrable domain", "contoso.co.uk", "contoso.co.uk"},
		{"hyphens where browsers allow them", "a--b-.contoso.com", "a--b-.contoso.com"},
		{"an underscore, as intranets have", "bi_reports.contoso.com", "bi_reports.contoso.com"},
		{"a host below a private suffix", "contoso.azurewebsites.net", "contoso.azurewebsites.net"},
		{"a customer's host at Microsoft", "contoso.sharepoint.com", "contoso.sharepoint.com"},
		{"a single name of an intranet", "reports", "reports"},
		{"an inner domain", "bi.contoso.local", "bi.contoso.local"},
		{"a name that only looks like Microsoft's", "app-powerbi.com", "app-powerbi.com"},
		{"a wildcard below a registrable domain", "*.contoso.com", "*.contoso.com"},
		{"a wildcard in capitals with a port", " *.Contoso.CO.UK:443", "*.contoso.co.uk"},
		{"a wildcard below a subdomain", "*.bi.contoso.com", "*.bi.contoso.com"},
		{"a wildcard below a private suffix's customer", "*.contoso.github.io", "*.contoso.github.io"},
		{"a wildcard below an inner domain", "*.contoso.local", "*.contoso.local"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NormaliseSite(tt.site)
			if err != nil || got != tt.want {
				t.Errorf("NormaliseSite(%q) = %q, %v; want %q", tt.site, got, err, tt.want)
			}
		})
	}
}

func TestNormaliseSiteRefuses(t *testing.T) {
	tests := map[string][]string{
		"what is no host name": {"", " ", "null", "NULL:80", ".", "..", "*", "*.", "*.*", "a b.com", "a..com", ".contoso.com", "contoso.com..", "%63ontoso.com",
			"user@contoso.com", "contoso.com/reports", "https://contoso.com/reports", "https://contoso.com//", "contoso.com?x", "contoso.com#x",
			"contoso\\.com", "contoso.com:", "contoso.com:x", "contoso.com:70000", "contoso.com:+1", "ftp://contoso.com", "https://", "file://",
			"https://https://contoso.com", "reports.*.contoso.com", "r*.contoso.com", "**.contoso.com", "*.*.contoso.com", "*contoso.com",
			"https://*.contoso.com", "xn--zzzzzz-.com", "con\x00toso.com", "con\ntoso.com", "a\xff.com", "\u200d.com",
			strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 127) + "com"},
		"addresses": {"127.0.0.1", "10.0.0.7:8080", "https://192.168.1.1", "1", "0x7f.1", "0x7f000001", "127.1", "1.2.3.256", "a.b.1", "::1", "[::1]", "[::1]:80",
			"https://[2001:db8::1]", "*.0.0.1", "１２７.0.0.1"},
		"the visitor's own machine": {"localhost", "LOCALHOST:3000", "app.localhost", "*.localhost", "https://localhost:3000"},
		"public suffixes":           {"com", "co.uk", "github.io", "*.com", "*.co.uk", "*.github.io", "*.azurewebsites.net", "*.reports", "*.local", "*.kawasaki.jp", "*.x.kawasaki.jp"},
		"what is Microsoft's": {"app.powerbi.com", "APP.PowerBI.com.", "https://app.powerbi.com:443", "powerbi.com", "*.powerbi.com", "msit.powerbi.com", "*.app.powerbi.com",
			"app.powerbigov.us", "app.high.powerbigov.us", "app.mil.powerbigov.us", "app.powerbi.cn", "app.powerbi.de",
			"app.fabric.microsoft.com", "fabric.microsoft.com", "*.microsoft.com", "teams.microsoft.com", "teams.live.com", "teams.cloud.microsoft", "*.cloud.microsoft",
			"wabi-west-europe-redirect.analysis.windows.net", "*.analysis.windows.net", "*.windows.net", "x.pbidedicated.windows.net",
			"high.analysis.usgovcloudapi.net", "*.usgovcloudapi.net", "analysis.chinacloudapi.cn", "www.office.com", "apps.powerapps.com"},
		"wildcards over shared hosting": {"*.amazonaws.com", "*.eu-west-1.amazonaws.com", "*.s3.amazonaws.com", "*.compute.amazonaws.com", "*.new-region.amazonaws.com",
			"*.digitaloceanspaces.com", "*.salesforce.com", "*.herokuapp.com", "*.vercel.app", "*.web.app", "*.run.app", "*.a.run.app", "*.cloudfront.net", "*.core.windows.net"},
		"wildcards over other customers": {"*.sharepoint.com", "*.contoso.sharepoint.com", "*.powerappsportals.com", "*.crm4.dynamics.com"},
	}
	for name, sites := range tests {
		t.Run(name, func(t *testing.T) {
			for _, site := range sites {
				got, err := NormaliseSite(site)
				if err == nil {
					t.Errorf("NormaliseSite(%q) = %q", site, got)
					continue
				}
				wantCode(t, err, SiteNotAllowed)
			}
		})
	}
}

func TestANormalisedSiteNormalisesToItself(t *testing.T) {
	label := rapid.OneOf(
		rapid.StringMatching(`[a-zA-Z0-9_-]{1,8}`),
		rapid.StringMatching(`[äöüßéйж中あ\x{3002}\x{ad}\x{200d}٠]{1,4}`),
		rapid.StringMatching(`xn--[a-z0-9-]{1,8}`),
		rapid.SampledFrom([]string{"*", "contoso", "powerbi", "windows", "analysis", "0x7f", "1", ""}),
	)
	top := rapid.SampledFrom([]string{"com", "co.uk", "de", "github.io", "local", "net", "COM.", "com:443", "com/", "例え"})
	before := rapid.SampledFrom([]string{"", "", "*.", "https://", " ", "*. "})
	rapid.Check(t, func(t *rapid.T) {
		labels := rapid.SliceOfN(label, 0, 3).Draw(t, "labels")
		site := before.Draw(t, "before") + strings.Join(append(labels, top.Draw(t, "top")), ".")
		normalisesToItself(t, site)
	})
}

func FuzzNormaliseSite(f *testing.F) {
	for _, s := range []string{"reports.contoso.com", "*.Bücher.de:443", "https://a_b.contoso.co.uk/", "0x7f.1", "xn--bcher-kva.de", "ß。com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, site string) { normalisesToItself(t, site) })
}

func normalisesToItself(t interface {
	Helper()
	Fatalf(string, ...any)
}, site string) {
	t.Helper()
	normal, err := NormaliseSite(site)
	if err != nil {
		if site != "" && len(site) > 12 && strings.Contains(err.Error(), site) {
			t.Fatalf("the refusal of %q repeats it: %v", site, err)
		}
		return
	}
	again, err := NormaliseSite(normal)
	if err != nil || again != normal {
		t.Fatalf("%q became %q, and that %q, %v", site, normal, again, err)
	}
	if strings.ToLower(normal) != normal || strings.ContainsFunc(normal, func(r rune) bool { return r > 'z' || r <= ' ' || r == ':' || r == '/' }) {
		t.Fatalf("%q became %q", site, normal)
	}
	host, wildcard := strings.CutPrefix(normal, "*.")
	if MatchSite([]string{normal}, host) == wildcard || MatchSite([]string{normal}, "a."+host) != wildcard && len(host) < 250 {
		t.Fatalf("%q does not match as it should", normal)
	}
}

func TestMatchSite(t *testing.T) {
	allowed := []string{"reports.contoso.com", "*.fabrikam.com", "berichte.xn--bcher-kva.de"}
	tests := []struct {
		host string
		want bool
	}{
		{"reports.contoso.com", true},
		{"Reports.Contoso.com:8443", true},
		{"https://reports.contoso.com", true},
		{"reports.contoso.com.", true},
		{"berichte.bücher.de", true},
		{"a.fabrikam.com", true},
		{"a_b.fabrikam.com", true},
		{"a.b.fabrikam.com", true},
		{"fabrikam.com", false},
		{"evilfabrikam.com", false},
		{"fabrikam.com.evil.com", false},
		{"contoso.com", false},
		{"x.reports.contoso.com", false},
		{"xreports.contoso.com", false},
		{"*.fabrikam.com", false},
		{"app.powerbi.com", false},
		{"null", false},
		{"", false},
		{"10.0.0.1", false},
	}
	for _, tt := range tests {
		if got := MatchSite(allowed, tt.host); got != tt.want {
			t.Errorf("MatchSite(%q) = %v", tt.host, got)
		}
	}
	if MatchSite(nil, "reports.contoso.com") {
		t.Error("a host matches no sites")
	}
	if MatchSite([]string{"app.powerbi.com", "*.powerbi.com"}, "app.powerbi.com") {
		t.Error("Microsoft's host counts when a row names it")
	}
}

func TestCheckSites(t *testing.T) {
	tests := []struct {
		name     string
		sites    []string
		quantity int64
		want     []string
		code     string
		field    string
	}{
		{"none is an empty list", nil, 2, []string{}, "", ""},
		{"as many as the quantity", []string{"b.contoso.com", "a.contoso.com"}, 2, []string{"b.contoso.com", "a.contoso.com"}, "", ""},
		{"one named twice counts once", []string{"a.contoso.com", "A.contoso.com:443", "b.contoso.com"}, 2, []string{"a.contoso.com", "b.contoso.com"}, "", ""},
		{"a wildcard counts as one", []string{"*.contoso.com"}, 1, []string{"*.contoso.com"}, "", ""},
		{"one more is too many", []string{"a.contoso.com", "b.contoso.com", "c.contoso.com"}, 2, nil, TooManySites, "sites"},
		{"one is too many for none", []string{"a.contoso.com"}, 0, nil, TooManySites, "sites"},
		{"one that is not allowed is named by its place", []string{"a.contoso.com", "app.powerbi.com"}, 2, nil, SiteNotAllowed, "sites[1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CheckSites(tt.sites, tt.quantity)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantCode(t, err, tt.code)
			if refusal, ok := err.(*Error); ok && refusal.Field != tt.field {
				t.Errorf("field %s, want %s", refusal.Field, tt.field)
			}
		})
	}
}

func ExampleNormaliseSite() {
	fmt.Println(NormaliseSite("https://Reports.Contoso.com:443"))
	fmt.Println(NormaliseSite("*.powerbi.com"))
	// Output:
	// reports.contoso.com <nil>
	//  site_not_allowed: belongs to Microsoft
}

var write = flag.Bool("write", false, "write shared_hosting.txt anew")

// The list is taken from the rules that golang.org/x/net tests itself with.
func TestSharedHostingIsOfThePublicSuffixListInUse(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/net").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "publicsuffix", "table_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t"([^"]+)",$`).FindAllStringSubmatch(string(source), -1) {
		rule := strings.TrimPrefix(m[1], "!")
		for _, above, ok := strings.Cut(rule, "."); ok; _, above, ok = strings.Cut(above, ".") {
			if _, icann := publicsuffix.PublicSuffix("a." + strings.TrimPrefix(rule, "*.")); icann {
				continue // a suffix of a registry
			}
			if suffix, _ := publicsuffix.PublicSuffix(above); suffix == above {
				continue // refused as such
			}
			root, err := publicsuffix.EffectiveTLDPlusOne(above)
			if err != nil {
				t.Fatal(err)
			}
			found[root] = true
		}
	}
	want := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	if *write {
		if err := os.WriteFile("shared_hosting.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile("shared_hosting.txt"); err != nil || string(got) != want || len(found) < 100 {
		t.Errorf("shared_hosting.txt is not of this version of golang.org/x/net (%d domains, %v): go test ./licensing -run SharedHosting -write", len(found), err)
	}
}
