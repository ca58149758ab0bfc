package api_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func limited(c *parts) { c.RateLimits = true }

// from asks as a client at an address, through a proxy that is trusted.
func from(address string) string { return "X-Forwarded-For: " + address }

// cheap is a request that costs next to nothing to answer: these tests make many.
const cheap = "/v1/products/none"

func TestAnAddressIsHeldToItsPaceAndOthersAreNot(t *testing.T) {
	s := newShop(t, limited, func(c *parts) { c.TrustedProxies = []string{"192.0.2.1"} })
	s.now = time.Now() // and stands still, however slow the machine
	ask := func(address string) answer { return s.ask("GET", cheap, "", from(address)) }
	first := ask("198.51.100.7").want(404, "not_found")
	refused := first
	for range 1000 {
		if refused = ask("198.51.100.7"); refused.status != 404 {
			break
		}
	}
	refused.want(429, "too_many_requests")
	if after, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || after < 1 {
		t.Errorf("Retry-After %q", refused.header.Get("Retry-After"))
	}
	ask("198.51.100.8").want(404, "not_found")
	for range 1000 { // a whole /64 is one customer
		if refused = ask("2001:db8:1:2::1"); refused.status != 404 {
			break
		}
	}
	ask("2001:db8:1:2:ffff::9").want(429, "too_many_requests")
	ask("2001:db8:1:3::1").want(404, "not_found")
}

func TestChecksAreCountedByLicenceAndNotByAddress(t *testing.T) {
	s := newShop(t, limited)
	s.now = time.Now()
	mine := s.buy().want(201, "").text("license.id")
	check := func(id string) answer {
		return s.ask("POST", "/v1/licenses/check", `{"v":1,"license":"`+id+`","product":"calendar-pro"}`, "Origin: null")
	}
	for i := range 300 { // more than an address may ask of anything else
		check("lic_"+strconv.Itoa(i)).want(200, "")
	}
	var refused answer
	for range 2000 {
		if refused = check(mine); refused.status != 200 {
			break
		}
	}
	refused.want(429, "too_many_requests")
	if refused.header.Get("Access-Control-Allow-Origin") != "*" || refused.header.Get("Retry-After") == "" {
		t.Errorf("a visual cannot read %v", refused.header)
	}
	check("lic_other").want(200, "")
	for range 2000 { // also where there is no such licence
		if refused = check("lic_another"); refused.status != 200 {
			break
		}
	}
	refused.want(429, "too_many_requests")
}

func TestGuestsCannotHaveAnAddressMailedMoreThanFiveTimesAnHour(t *testing.T) {
	s := newShop(t, limited)
	try := func(i int) answer {
		n := strconv.Itoa(i)
		return s.buy(`pay="trial"`, `payment=null`, `billing.email="victim@contoso.example"`, `licensee.email="trial@company`+n+`.example"`)
	}
	for i := range 5 {
		try(i).want(201, "")
	}
	for range 8 {
		s.ask("POST", "/v1/login", `{"email":"victim@contoso.example"}`).want(202, "")
	}
	if n := len(s.links()); n != 5 {
		t.Errorf("%d links were mailed", n)
	}
	ask := func(to string) answer {
		return s.ask("POST", "/v1/quotes", quoted(`billing.email="`+to+`@contoso.example"`), withKey())
	}
	ask("victim").want(429, "too_many_mails")
	for range 5 {
		ask("asked").want(201, "")
	}
	ask("asked").want(429, "too_many_mails")
	s.ask("POST", "/v1/quotes", quoted(`billing.email="asked@contoso.example"`), asOperator, withKey()).want(201, "")
	refused := try(9).want(429, "too_many_mails")
	if refused.header.Get("Retry-After") == "" || strings.Contains(string(refused.body), "victim") {
		t.Errorf("%v %s", refused.header, refused.body)
	}
}

func TestWithoutLimitsNobodyIsHeldUp(t *testing.T) {
	s := newShop(t)
	for range 400 {
		s.ask("GET", cheap, "").want(404, "not_found")
	}
}
