package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// described is /openapi.json, as far as the tests read it.
type described struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas         map[string]schema
		SecuritySchemes map[string]any
	}
	forms map[string]*regexp.Regexp // of the addresses of each path
}

type operation struct {
	OperationID string
	Summary     string
	Tags        []string
	Security    []map[string][]string
	Roles       []string `json:"x-operator-roles"`
	Members     []string `json:"x-member-roles"`
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   schema
	}
	RequestBody *struct {
		Required bool
		Content  map[string]struct{ Schema schema }
	}
	Responses map[string]struct {
		Description string
		Content     map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Format               string
	Properties           map[string]schema
	Items                *schema
	AnyOf                []schema
	Required             []string
	Enum                 []any
	MaxLength            int
	AdditionalProperties any
}

// readings are the descriptions by their texts: nearly all shops have the same one.
var readings sync.Map

func (s *shop) description() described {
	s.t.Helper()
	text := s.ask("GET", "/openapi.json", "").want(200, "").body
	if d, known := readings.Load(string(text)); known {
		return d.(described)
	}
	d := described{forms: map[string]*regexp.Regexp{}}
	check(s.t, json.Unmarshal(text, &d))
	parameter := regexp.MustCompile(`\\\{\w+\\\}`)
	for template := range d.Paths {
		d.forms[template] = regexp.MustCompile("^" + parameter.ReplaceAllString(regexp.QuoteMeta(template), "[^/]+") + "$")
	}
	readings.Store(string(text), d)
	return d
}

func (d described) resolve(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	return s
}

// kind is a schema's type besides null.
func (s schema) kind() string {
	if list, ok := s.Type.([]any); ok {
		for _, k := range list {
			if k != "null" {
				return k.(string)
			}
		}
	}
	k, _ := s.Type.(string)
	return k
}

// field is a place in a request's body.
type field struct {
	path     string // "plan.tier"
	required bool
	schema   schema
}

func (d described) fields(s schema, under string) []field {
	s = d.resolve(s)
	var list []field
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		f := field{under + name, slices.Contains(s.Required, name), d.resolve(s.Properties[name])}
		list = append(list, f)
		if f.schema.kind() == "object" {
			list = append(list, d.fields(f.schema, f.path+".")...)
		}
	}
	return list
}

const plan = `"plan":{"type":"users","tier":"21-50","cycle":"monthly"}`

// samples are good bodies of every operation that takes JSON. An operation
// that is missing here fails the test.
var samples = map[string]string{
	"create-webhook-endpoint": `{"url":"https://crm.contoso.example/hook","types":["invoice.*"],"description":"CRM"}`,
	"change-webhook-endpoint": `{"url":"https://crm.contoso.example/hook","types":["*"],"description":"CRM","status":"disabled"}`,
	"create-portal-session":   `{"account":"ada@contoso.example"}`,
	"replay-webhooks":         `{"from":"2026-01-31T10:00:00Z","to":"2026-02-01T10:00:00Z"}`,
	"put-picture":             `{"data":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"}`,
	"preview-checkout":        `{"product":"calendar-pro",` + plan + `,"quantity":1,"currency":"USD","billing":{"country":"IT","vat_id":null},"coupon":null,"pay":"now"}`,
	"checkout":                order(),
	"suspend-license":         `{}`,
	"dispute-charge":          `{"invoice":"inv_1","status":"opened"}`,
	"fail-refund":             `{"invoice":"inv_1","status":"failed"}`,
	"revoke-license":          `{}`,
	"reinstate-license":       `{"reason":"all is well"}`,
	"cancel-now":              `{"refund":"prorated","reason":"asked for by telephone"}`,
	"refund-invoice":          `{"amount":{"amount":100,"currency":"USD"},"reason":"a courtesy"}`,
	"quote":                   quoted(),
	"accept-quote":            `{"payment":{"method":"card","token":"tok_visa"},"accept_terms":true}`,
	"preview-change":          `{` + plan + `,"quantity":1}`,
	"change":                  `{` + plan + `,"quantity":1}`,
	"amend-billing-details":   `{"name":"Ada Rossi","company":"Contoso","country":"IT","address":{"city":"Roma"},"vat_id":null,"cc":["books@contoso.example"],"purchase_order":"PO 7","language":"it"}`,
	"preview-billing-details": `{"name":"Ada Rossi","country":"IT"}`,
	"hand-over-license":       `{"name":"Bea Bianchi","email":"bea@contoso.example"}`,
	"transfer-subscription":   `{"email":"bea@contoso.example","name":"Bea","reason":"sold"}`,
	"mark-paid":               `{"reference":"TRF 1","amount":{"amount":1,"currency":"USD"},"value_date":"2026-03-02"}`,
	"cancel":                  `{"reason":"none"}`,
	"resume":                  `{}`,
	"renew":                   `{}`,
	"money-back":              `{}`,
	"store-payment-method":    `{"token":"tok_visa"}`,
	"login":                   `{"email":"ada@contoso.example"}`,
	"confirm-order":           `{"token":"none"}`,
	"sign-in-operator":        `{"key":"` + operatorKey + `"}`,
	"confirm-login":           `{"token":"none"}`,
	"edit-me":                 `{"name":"Ada Rossi","country":"IT","address":{"city":"Roma"},"licensee":{"name":"BI team","email":"bi@contoso.example"}}`,
	"logout":                  `{"everywhere":false}`,
	"create-api-key":          `{"name":"reports","scopes":["read"],"expires_at":"2099-01-31T10:00:00Z"}`,
	"invite-member":           `{"email":"cy@contoso.example","role":"finance"}`,
	"accept-invitation":       `{"token":"none"}`,
	"use-account":             `{"account":"cus_none"}`,
	"change-email":            `{"email":"ada@fabrikam.example"}`,
	"confirm-email":           `{"token":"none"}`,
	"set-sites":               `{"sites":[]}`,
	"put-coupon":              `{"percent":20,"invoices":1}`,
	"set-discount":            `{"email":"ada@contoso.example","percent":20}`,
	"create-clock":            `{"now":"2026-01-31T10:00:00Z"}`,
	"advance-clock":           `{"to":"2026-01-31T10:00:00Z","late":false}`,
	"check-license":           `{"v":1,"license":"lic_1","product":"calendar-pro"}`,
	"activate-license":        `{"activation_key":"none","entra_token":"a.b.c","product":"calendar-pro"}`,
	"set-tenant":              `{"tenant":"8d5c1f0e-0000-4000-8000-0000000000aa"}`,
	"block-over-limit":        `{"on":false}`,
	"extend":                  `{"days":14,"reason":"holidays"}`,
	"give-license":            `{"product":"calendar-pro",` + plan + `,"quantity":1,"licensee":{"name":"Press desk","email":"press@contoso.example"},"sites":[],"until":"` + time.Now().AddDate(1, 0, 0).UTC().Format(time.RFC3339) + `","reason":"a review"}`,
	"assign-statement-line":   `{"invoice":"INV-2026-000001"}`,
	"dismiss-statement-line":  `{"reason":"a payment that is no customer's"}`,
	"add-note":                `{"text":"called, and wants another invoice"}`,
}

// routes calls f with every described operation, its address filled with
// objects that exist.
func (s *shop) routes(d described, f func(method, path string, op operation)) {
	s.t.Helper()
	bought := s.buy().want(201, "")
	clock := s.ask("POST", "/v1/operator/test-clocks", `{"now":"2026-01-31T10:00:00Z"}`, asOperator).want(201, "").text("id")
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method, op := range d.Paths[path] {
			id := ""
			switch {
			case op.OperationID == "webhook": // its signature is its only credential: webhooks_test.go
				continue
			case strings.Contains(path, "/quotes/"):
				id = s.ask("POST", "/v1/quotes", quoted(), withKey()).want(201, "").text("id")
			case strings.Contains(path, "/webhook-endpoints/"): // the operator's, and so nobody else's
				id = s.ask("POST", "/v1/webhook-endpoints", samples["create-webhook-endpoint"], asOperator).want(201, "").text("id")
			case strings.Contains(path, "/licenses/"):
				id = bought.text("license.id")
			case strings.Contains(path, "/invoices/"):
				id = bought.text("invoice.id")
			case strings.Contains(path, "/test-clocks/"):
				id = clock
			case strings.Contains(path, "/subscriptions/"):
				id = bought.text("subscription.id")
			case strings.Contains(path, "/mails/"):
				id = s.ask("GET", "/v1/operator/mails?subject="+bought.text("subscription.id"), "", asOperator).want(200, "").at("data").([]any)[0].(map[string]any)["id"].(string)
			case strings.Contains(path, "/statement-lines/"):
				l, err := s.store.KeepLine(s.t.Context(), billing.KeptLine{Key: op.OperationID, Date: time.Now(), Amount: billing.Money{Amount: 990, Currency: "USD"}})
				check(s.t, err)
				id = l.ID
			case strings.Contains(path, "/payment-methods/"):
				id = s.ask("GET", "/v1/payment-methods?email=ada%40contoso.example", "", asOperator).want(200, "").at("data").([]any)[0].(map[string]any)["id"].(string)
			case strings.Contains(path, "/api-keys/"):
				id = s.ask("POST", "/v1/api-keys?email=ada%40contoso.example", "", asOperator).want(201, "").text("id")
			case path == "/v1/members/{id}":
				id = s.ask("POST", "/v1/members?email=ada%40contoso.example", samples["invite-member"], asOperator).want(201, "").text("id")
			case strings.Contains(path, "/operator/sessions/"):
				id = s.ask("POST", "/v1/operator/sign-in", samples["sign-in-operator"]).want(200, "").text("id")
			case strings.Contains(path, "/products/"):
				id = "calendar-pro"
			}
			f(strings.ToUpper(method), strings.NewReplacer("{id}", id, "{version}", "2.4.2", "{name}", "overview.png", "{code}", "SPRING").Replace(path), op)
		}
	}
}

// wrong lists values that no field of a schema takes.
func wrong(s schema) []string {
	text := `"` + marker + `"`
	switch s.kind() {
	case "string":
		list := []string{"5", "true", "{}", "[" + text + "]", "1e400", "NaN", `{"` + marker + `":1}`}
		if s.MaxLength > 0 {
			list = append(list, `"`+strings.Repeat(marker, s.MaxLength/len(marker)+1)+`"`)
		}
		if len(s.Enum) > 0 || s.Format != "" {
			list = append(list, text, `""`, `" `+marker+`"`)
		}
		return list
	case "integer":
		return []string{text, "true", "{}", "[]", "1.5", "-1", "1e2", "1e19", "1e400", "-99999999999999999999", "NaN", "Infinity", "0x10", `"1"`}
	case "boolean":
		return []string{text, "0", "1", "{}", `"true"`}
	case "array":
		return []string{text, "{}", "5", "[5]", "[null]", `[{"` + marker + `":1}]`}
	case "object":
		return []string{text, "[]", "5", "true", `[{"` + marker + `":1}]`}
	}
	return nil
}

func TestBadBodiesOfEveryRoute(t *testing.T) {
	s := newShop(t)
	d := s.description()
	seen := 0
	s.routes(d, func(method, path string, op operation) {
		if op.RequestBody == nil || op.RequestBody.Content["application/json"].Schema.kind() == "" && op.RequestBody.Content["application/json"].Schema.Ref == "" {
			return
		}
		sample, known := samples[op.OperationID]
		if !known {
			t.Errorf("%s: no sample of a good body", op.OperationID)
			return
		}
		seen++
		if isIn([]string{"edit-me", "create-api-key"}, op.OperationID) { // an operator has no account
			path += "?email=ada%40contoso.example"
		}
		ask := func(body string, headers ...string) answer {
			t.Helper()
			return s.ask(method, path, body, append([]string{asOperator, withKey()}, headers...)...)
		}
		refused := func(body string, statuses ...int) {
			t.Helper()
			if a := ask(body); !slices.Contains(statuses, a.status) {
				t.Errorf("%s: %d %s, want one of %v", a.what, a.status, a.body, statuses)
			}
		}
		body := op.RequestBody.Content["application/json"].Schema
		lenient := isIn(forVisuals, op.OperationID) // old visuals cannot be updated
		malformed := []string{"{", `{"a":}`, sample + "}", sample + sample, `{"` + marker + `":NaN}`, "\ufeff" + sample,
			strings.Repeat("[", 20000), strings.Repeat(`{"a":`, 10000), "\xff\xfe", strings.Replace(sample, "{", `{"`+marker+"\xff"+`":1,`, 1), "'" + marker + "'", marker}
		for _, b := range malformed {
			switch {
			case lenient && len(b) > 4096:
				ask(b).want(413, "too_large")
			default:
				ask(b).want(400, "malformed")
			}
		}
		large := 70 << 10
		if op.OperationID == "put-picture" {
			large = 3 << 20
		}
		tooLarge := `{"` + marker + `":"` + strings.Repeat("x", large) + `"}`
		ask(tooLarge).want(413, "too_large")
		for _, b := range []string{`[]`, `"` + marker + `"`, `5`, `true`, `[` + sample + `]`} {
			refused(b, 422, 400)
		}
		if op.RequestBody.Required {
			refused("", 400)
			refused("null", 422, 400)
		}
		if !lenient {
			for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=" + marker, marker, "application/" + marker, "application/json2"} {
				ask(sample, "Content-Type: "+contentType).want(415, "unsupported_media_type")
			}
		}

		fields := d.fields(body, "")
		for _, f := range fields {
			o := map[string]any{}
			set := func(change string) string {
				clear(o)
				check(t, json.Unmarshal([]byte(sample), &o))
				return changed(o, change)
			}
			for _, v := range wrong(f.schema) {
				b := strings.Replace(set(f.path+`="@"`), `"@"`, v, 1) // some are no JSON
				if lenient {
					if a := ask(b); a.status != 400 && a.status != 200 && a.status != 404 {
						t.Errorf("%s: %d %s", a.what, a.status, a.body)
					}
					continue
				}
				refused(b, 422, 400)
			}
			if lenient {
				continue
			}
			if f.required {
				if !strings.Contains(f.path, ".") || parentIsSent(sample, f.path) {
					refused(set(f.path+"="), 422)
				}
			} else if a := ask(set(f.path + "=null")); a.status == 400 || a.status == 422 && f.path != "plan.tier" && f.path != "percent" && op.OperationID != "replay-webhooks" && !strings.HasPrefix(f.path, "payment") {
				t.Errorf("%s: null is not taken for absent in %s: %s", op.OperationID, f.path, a.body)
			}
			// Wrongly cased, and misspelt next to the right one.
			parent, name := "", f.path
			if i := strings.LastIndex(f.path, "."); i >= 0 {
				parent, name = f.path[:i+1], f.path[i+1:]
			}
			for _, other := range []string{strings.ToUpper(name[:1]) + name[1:], strings.ToUpper(name), name + marker} {
				ask(set(parent+other+"=1")).want(422, "invalid")
			}
		}
		if !lenient {
			for _, name := range []string{marker, marker + ".b.c", "a." + marker, marker + "[0].c", "", ".", "$schema", "__proto__", marker + "\u202e😀"} {
				key, err := json.Marshal(name)
				check(t, err)
				for _, at := range []string{`{`, `{"plan":{`, `{"billing":{`} {
					if i := strings.Index(sample, at[strings.LastIndex(at, `"`)+1:]); i < 0 {
						continue
					}
					if inner := strings.TrimSuffix(strings.TrimPrefix(at, `{"`), `":{`); at != "{" && !strings.Contains(sample, `"`+inner+`":{`) {
						continue
					}
					b := strings.Replace(sample, strings.TrimPrefix(at, "{\""), strings.TrimPrefix(at, "{\"")+string(key)+`:1,`, 1)
					b = strings.Replace(b, ",}", "}", 1)
					a := ask(b)
					if a.status != 422 && a.status != 400 {
						t.Errorf("%s: %d %s", a.what, a.status, a.body)
					}
				}
			}
			if sample != "{}" { // the same name twice
				o := map[string]json.RawMessage{}
				check(t, json.Unmarshal([]byte(sample), &o))
				for name, value := range o {
					ask(fmt.Sprintf(`{%q:%s,%s`, name, value, sample[1:])).want(400, "malformed")
				}
			}
		}
	})
	if seen != len(samples) {
		t.Errorf("%d operations take JSON, and there are samples of %d", seen, len(samples))
	}
}

// parentIsSent tells whether the object that a field stands in is a part of
// the sample.
func parentIsSent(sample, path string) bool {
	var v any
	_ = json.Unmarshal([]byte(sample), &v)
	names := strings.Split(path, ".")
	for _, name := range names[:len(names)-1] {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	_, ok := v.(map[string]any)
	return ok
}

func TestANameThatIsNotKnownIsNotRepeatedAnywhere(t *testing.T) {
	s := newShop(t)
	a := s.ask("POST", "/v1/checkout/preview", `{"`+marker+`.x.y":1,"plan":{"`+marker+`.z":1},"pay":"`+marker+`","`+marker+`":2}`).want(422, "invalid")
	if list := a.at("errors").([]any); len(list) != 1 {
		t.Errorf("Huma's locations after a name with dots are not to be trusted: %v", list)
	}
	a = s.ask("POST", "/v1/checkout/preview", `{"product":"calendar-pro","plan":{"type":"users","cycle":"monthly","Tier":"1-20"},"quantty":1,"billing":{}}`).want(422, "invalid")
	want := `[{"detail":"is missing","field":"billing.country"},` +
		`{"detail":"has a name that is not known; names are written as in /openapi.json","field":"body"},` +
		`{"detail":"has a name that is not known; names are written as in /openapi.json","field":"plan"}]`
	if got, _ := json.Marshal(a.at("errors")); string(got) != want {
		t.Errorf("errors are\n%s, want\n%s", got, want)
	}
}

func TestBadAddressesOfEveryRoute(t *testing.T) {
	s := newShop(t)
	d := s.description()
	other := s.buy("billing.email=\"carl@contoso.example\"").want(201, "")
	ids := []string{"nope", marker, other.text("license.id") + "x", "sub_" + strings.Repeat("0", 26), "lic_" + strings.Repeat("0", 26),
		strings.Repeat("a", 64), strings.Repeat(marker, 9), strings.Repeat(marker, 1000), "..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "%0d%0aX-Injected:%20" + marker,
		"%F0%9F%98%80", "%27%3B%20DROP%20TABLE%20" + marker, "%25", "*", other.text("checkout_token")}
	s.routes(d, func(method, path string, op operation) {
		auth := []string{asOperator, withKey()}
		body := samples[op.OperationID]
		switch op.OperationID {
		case "apply-catalog":
			body = "products: []"
		case "import-statement":
			body = "date,amount,currency,reference\n"
		}
		one := func(path string, statuses ...int) {
			t.Helper()
			if a := s.ask(method, path, body, auth...); !slices.Contains(statuses, a.status) {
				t.Errorf("%s: %d %s, want one of %v", a.what, a.status, a.body, statuses)
			}
		}
		segments := strings.Split(path, "/")
		for i, segment := range segments {
			if !strings.Contains(segment, "_") && segment != "calendar-pro" && segment != "2.4.2" && segment != "overview.png" {
				continue
			}
			for _, id := range append(ids, other.text("invoice.id")) {
				if strings.HasPrefix(segment, id[:min(4, len(id))]) {
					continue // an object of the right kind
				}
				broken := slices.Clone(segments)
				broken[i] = id
				if op.OperationID == "put-version" {
					one(strings.Join(broken, "/"), 404, 422, 415)
					continue
				}
				one(strings.Join(broken, "/"), 404, 422)
			}
			broken := slices.Clone(segments)
			broken[i] = "%ff" + marker
			one(strings.Join(broken, "/"), 400)
		}
		if strings.HasPrefix(path, "/v1/") && !isIn(forVisuals, op.OperationID) {
			one(path+"?%ff=1", 400)
			one(path+"?a=%zz", 400)
			one(path+"?"+marker+"="+marker, 422)
			one(path+"?"+marker+".x=1&limit.x=2", 422)
		}
		for _, p := range op.Parameters {
			if p.In != "query" {
				continue
			}
			bad := []string{strings.Repeat(marker, 40)}
			if p.Schema.kind() == "integer" {
				bad = append(bad, marker, "-1", "0", "1.5", "1e3", "99999999999999999999999", "0x1")
			}
			if p.Schema.kind() == "boolean" {
				bad = append(bad, marker, "2")
			}
			if p.Name == "cursor" {
				bad = append(bad, marker, "-1", "zzz", "'", other.text("checkout_token"))
			}
			for _, v := range bad {
				one(path+"?"+p.Name+"="+url.QueryEscape(v), 422)
			}
			one(path+"?"+p.Name+"=%ff", 400)
			if strings.ToUpper(p.Name) != p.Name {
				one(path+"?"+strings.ToUpper(p.Name)+"=1", 422)
			}
		}
		if method == "GET" {
			if a := s.ask("HEAD", path, "", asOperator); a.status != s.ask("GET", path, "", asOperator).status {
				t.Errorf("%s: %d", a.what, a.status)
			}
		}
		for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} {
			if _, known := d.Paths[template(d, path)][strings.ToLower(m)]; !known && path != "/v1/licenses/check" && path != "/v1/licenses/activate" { // to the others a licence's id
				a := s.ask(m, path, "", asOperator).want(405, "method_not_allowed")
				if allow := a.header.Get("Allow"); allow == "" || strings.Contains(allow, "GET") != strings.Contains(allow, "HEAD") {
					t.Errorf("%s: the Allow header is %q", a.what, allow)
				}
			}
		}
	})
	for _, path := range []string{"/v1", "/v1/", "/v1/" + marker, "/v1/products/", "/v1/../docs" + marker, "/V1/products" + marker, "/v1/%2e%2e/%2e%2e/" + marker} {
		for _, m := range []string{"GET", "POST", "DELETE"} {
			s.ask(m, path, "", asOperator).want(404, "not_found")
		}
	}
}

// template finds the described path of an address.
func template(d described, path string) string {
	if _, literal := d.Paths[path]; literal {
		return path
	}
	got := strings.Split(path, "/")
next:
	for p := range d.Paths {
		want := strings.Split(p, "/")
		if len(want) != len(got) {
			continue
		}
		for i := range want {
			if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
				continue next
			}
		}
		return p
	}
	return ""
}

// Some of Huma's messages quote the value; they are told in words of ours.
func TestWhatCannotBeReadIsSaidToBeWrongWithoutSayingWhatItWas(t *testing.T) {
	s := newShop(t)
	a := s.ask("GET", "/v1/operator/reconcile/money?from="+marker+"&to=2026-02-01T00:00:00Z", "", asOperator).want(422, "invalid")
	if got := fmt.Sprint(a.at("errors")); got != "[map[detail:is not valid field:from]]" {
		t.Error(got)
	}
}
