package licensing

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// microsoftHosts are the domains in which Microsoft itself shows reports: the
// Power BI service in each cloud, Fabric, Teams, Office, Power Apps, and the
// clusters behind them. Naming one would license every report in the world.
var microsoftHosts = []string{
	"powerbi.com", "powerbi.cn", "powerbi.de", "powerbigov.us",
	"analysis.windows.net", "pbidedicated.windows.net",
	"analysis.usgovcloudapi.net", "pbidedicated.usgovcloudapi.net",
	"analysis.chinacloudapi.cn", "pbidedicated.chinacloudapi.cn",
	"analysis.cloudapi.de", "pbidedicated.cloudapi.de",
	"microsoft.com", "microsoft.us", "microsoft",
	"office.com", "office365.com", "office365.us", "officeapps.live.com", "teams.live.com",
	"powerapps.com", "powerapps.us",
}

// sharedDomains give each of Microsoft's customers a host below them, as a
// public suffix does, but are not on the public suffix list. A site there is
// named in full.
var sharedDomains = []string{
	"sharepoint.com", "sharepoint.us", "sharepoint.cn",
	"powerappsportals.com", "powerappsportals.us", "microsoftcrmportals.com", "dynamics.com",
}

// sharedHostingList has the registrable domains below which the private section of
// the public suffix list has suffixes, one a line: amazonaws.com is on no list
// itself, but s3.amazonaws.com is. sites_test.go writes the file.
//
//go:embed shared_hosting.txt
var sharedHostingList string

var sharedHosting = strings.Fields(sharedHostingList)

// NormaliseSite returns the one spelling of a site that a licence may name:
// a host name in lower case and ASCII, without port and final dot, or "*." and
// such a name. An origin as browsers write it (https://host:443) is taken for
// its host; a path is refused rather than lost.
//
// A wildcard stands only below a registrable domain that is not shared:
// *.contoso.com, but neither *.com nor *.github.io nor *.amazonaws.com. Refused are Microsoft's own report hosts, public
// suffixes, and what names a different machine for everybody: IP addresses and
// localhost. A single name of an intranet is a host name like others. The error
// is *Error with SiteNotAllowed.
func NormaliseSite(site string) (string, error) {
	host, wildcard := site, false
	if below, ok := strings.CutPrefix(strings.TrimSpace(site), "*."); ok {
		host, wildcard = below, true
	}
	host, ok := hostName(host)
	if !ok {
		return "", refuse(SiteNotAllowed, "is not a host name")
	}
	suffix, listed := publicsuffix.PublicSuffix(host)
	listed = listed || strings.Contains(suffix, ".") // otherwise the list's default rule
	// Some domains, kawasaki.jp for one, are registrable and have only public
	// suffixes below them.
	below, _ := publicsuffix.PublicSuffix("a." + host)
	registrable, _ := publicsuffix.EffectiveTLDPlusOne(host)
	covers := func(d string) bool { return within(host, d) || wildcard && within(d, host) }
	switch {
	case isAddress(host):
		return "", refuse(SiteNotAllowed, "is an IP address")
	case within(host, "localhost"):
		return "", refuse(SiteNotAllowed, "is the visitor's own machine")
	case host == suffix && (listed || wildcard), wildcard && below == "a."+host:
		return "", refuse(SiteNotAllowed, "is not below a registrable domain")
	case slices.ContainsFunc(microsoftHosts, covers):
		return "", refuse(SiteNotAllowed, "belongs to Microsoft")
	case wildcard && (slices.ContainsFunc(sharedDomains, covers) || slices.Contains(sharedHosting, registrable)):
		return "", refuse(SiteNotAllowed, "is shared by many customers")
	case wildcard:
		return "*." + host, nil
	}
	return host, nil
}

// MatchSite tells whether a host is one of the sites that a licence names,
// which are normalised. A wildcard stands for one or more labels: *.contoso.com
// is a.contoso.com and b.a.contoso.com, but not contoso.com. The host is as a
// browser tells it, perhaps an origin. Microsoft's own report hosts never match.
func MatchSite(allowed []string, host string) bool {
	host, ok := hostName(host)
	if !ok || isMicrosoft(host) {
		return false
	}
	return slices.ContainsFunc(allowed, func(site string) bool {
		if base, wildcard := strings.CutPrefix(site, "*."); wildcard {
			return host != base && within(host, base)
		}
		return host == site
	})
}

// CheckSites normalises the sites of a licence that may name as many as its
// quantity; a wildcard counts as one, and one named twice too (docs/rules.md, What
// is sold). Their order stays. The result is never nil. Errors are *Error with
// SiteNotAllowed, and the entry in Field, or TooManySites.
func CheckSites(sites []string, quantity int64) ([]string, error) {
	named := []string{}
	for i, site := range sites {
		normal, err := NormaliseSite(site)
		if err != nil {
			refusal := *err.(*Error)
			refusal.Field = "sites[" + strconv.Itoa(i) + "]"
			return nil, &refusal
		}
		if !slices.Contains(named, normal) {
			named = append(named, normal)
		}
		if int64(len(named)) > quantity {
			return nil, &Error{TooManySites, "sites", fmt.Sprintf("the licence may name %d", quantity)}
		}
	}
	return named, nil
}

// browserHost reads host names as browsers do: hyphens anywhere, and ASCII
// beyond letters and digits left to the caller.
var browserHost = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.CheckHyphens(false),
	idna.StrictDomainName(false), idna.VerifyDNSLength(true))

// hostName returns the host of a host name with or without port, or of an
// origin, in lower case and ASCII. The opaque origin "null" is nobody's host.
func hostName(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = strings.TrimSpace(s)
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
			return "", false
		}
		s = strings.TrimSuffix(rest, "/")
	}
	if host, port, ok := strings.Cut(s, ":"); ok {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", false
		}
		s = host
	}
	s, err := browserHost.ToASCII(s)
	if err != nil {
		return "", false
	}
	s = strings.TrimSuffix(s, ".")
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "", false
		}
	}
	return s, s != "" && s != "null" && s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

// isAddress follows browsers, which read every host whose last label is a
// number as an IPv4 address. IPv6 addresses are not host names anyway.
func isAddress(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}

func isMicrosoft(host string) bool {
	return slices.ContainsFunc(microsoftHosts, func(m string) bool { return within(host, m) })
}

// within tells whether host is domain or below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}
