package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

// isDescribed holds a good answer to what /openapi.json says of its route:
// every answer that any test is given passes here.
func (s *shop) isDescribed(method, path string, a answer) {
	s.t.Helper()
	s.describe.Do(func() { s.described = s.description() })
	path, _, _ = strings.Cut(path, "?")
	op, known := s.described.operation(method, path)
	if !known {
		s.t.Errorf("%s %s is not described", method, path)
		return
	}
	told, known := op.Responses[strconv.Itoa(a.status)]
	if !known {
		s.t.Errorf("%s: the answer %d is not described", a.what, a.status)
		return
	}
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	content, known := told.Content[kind]
	switch {
	case len(told.Content) == 0 && len(a.body) == 0:
	case !known:
		s.t.Errorf("%s: %s is not described", a.what, kind)
	case kind == "application/json":
		var v any
		check(s.t, json.Unmarshal(a.body, &v))
		if wrong := s.described.unlike(content.Schema, v, "the answer"); wrong != "" {
			s.t.Errorf("%s: %s: %s", a.what, wrong, a.body)
		}
	}
}

// operation finds what is described of an address; of two that fit, the one
// with fewer parameters.
func (d described) operation(method, path string) (op operation, known bool) {
	fewest := 0
	for template, ops := range d.Paths {
		o, has := ops[strings.ToLower(method)]
		if n := strings.Count(template, "{"); has && (!known || n < fewest) && d.forms[template].MatchString(path) {
			op, known, fewest = o, true, n
		}
	}
	return op, known
}

// unlike says in what a value is not what its schema says.
func (d described) unlike(s schema, v any, at string) string {
	if len(s.AnyOf) > 0 {
		wrong := ""
		for _, one := range s.AnyOf {
			if wrong = d.unlike(one, v, at); wrong == "" {
				break
			}
		}
		return wrong
	}
	s = d.resolve(s)
	kinds := []any{s.Type}
	if list, ok := s.Type.([]any); ok {
		kinds = list
	}
	if kind := any(kindOf(v)); s.Type != nil && !slices.Contains(kinds, kind) && (kind != "integer" || !slices.Contains(kinds, any("number"))) {
		return fmt.Sprintf("%s is %v and not %v", at, kind, s.Type)
	}
	if len(s.Enum) > 0 && v != nil && !slices.Contains(s.Enum, v) {
		return at + " is not one of those that are listed"
	}
	switch v := v.(type) {
	case string:
		if _, err := time.Parse("2006-01-02T15:04:05Z", v); s.Format == "date-time" && err != nil {
			return at + " is not an instant in whole seconds"
		}
	case []any:
		for i, one := range v {
			if s.Items == nil { // of anything, as in an audit row
				break
			}
			if wrong := d.unlike(*s.Items, one, fmt.Sprintf("%s[%d]", at, i)); wrong != "" {
				return wrong
			}
		}
	case map[string]any:
		for _, name := range s.Required {
			if _, has := v[name]; !has {
				return at + " has no " + name
			}
		}
		for name, one := range v {
			field, known := s.Properties[name]
			if !known && s.AdditionalProperties == false {
				return at + "." + name + " is not described"
			}
			if wrong := d.unlike(field, one, at+"."+name); known && wrong != "" {
				return wrong
			}
		}
	}
	return ""
}

// kindOf is how a schema calls the type of a JSON value.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

func TestTheDescriptionIsWhole(t *testing.T) {
	s := newShop(t)
	raw := s.ask("GET", "/openapi.json", "").want(200, "")
	d := s.description()
	if d.OpenAPI != "3.1.0" || !strings.HasPrefix(raw.header.Get("Content-Type"), "application/openapi+json") {
		t.Errorf("OpenAPI %s as %s", d.OpenAPI, raw.header.Get("Content-Type"))
	}
	for _, ref := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(string(raw.body), -1) {
		_, schema := d.Components.Schemas[strings.TrimPrefix(ref[1], "#/components/schemas/")]
		_, response := d.Components.Responses[strings.TrimPrefix(ref[1], "#/components/responses/")]
		if !schema && !response {
			t.Errorf("%s leads nowhere", ref[1])
		}
	}
	if strings.Contains(string(raw.body), `"nullable"`) || strings.Contains(string(raw.body), `"$schema"`) {
		t.Error("it has words of OpenAPI 3.0, or links to schemas in the answers")
	}
	if strings.Contains(string(raw.body), `["array","null"]`) {
		t.Error("it says that a list may be null")
	}
	ids := map[string]bool{}
	for path, ops := range d.Paths {
		for method, op := range ops {
			at := method + " " + path
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s: id %q, summary %q, tags %v", at, op.OperationID, op.Summary, op.Tags)
			}
			ids[op.OperationID] = true
			for _, p := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(q parameter) bool {
					return q.Name == p[1] && q.In == "path" && q.Required
				}) {
					t.Errorf("%s: the parameter %s is not described", at, p[1])
				}
			}
			good, failed := 0, op.Responses["default"].Content["application/problem+json"].Schema
			for status, r := range op.Responses {
				if status == "204" || op.OperationID == "login" && status == "202" || strings.HasPrefix(status, "2") && len(r.Content) > 0 {
					good++
				}
			}
			if good == 0 {
				t.Errorf("%s: no good answer is described", at)
			}
			if failed.Ref != "#/components/schemas/Problem" {
				t.Errorf("%s: its errors are not described as problems: %v", at, failed)
			}
			keyed := slices.ContainsFunc(op.Parameters, func(q parameter) bool {
				return q.Name == "Idempotency-Key" && q.In == "header" && q.Required
			})
			if moves := isIn([]string{"checkout", "quote", "accept-quote", "change", "cancel", "resume", "renew", "store-payment-method", "money-back", "cancel-now", "refund-invoice", "suspend-license", "revoke-license", "reinstate-license", "mark-paid", "import-statement", "transfer-subscription", "extend", "give-license"}, op.OperationID); moves != keyed {
				t.Errorf("%s: Idempotency-Key is described: %t", at, keyed)
			}
			for _, security := range op.Security {
				for scheme := range security {
					if d.Components.SecuritySchemes[scheme] == nil {
						t.Errorf("%s: there is no security scheme %s", at, scheme)
					}
				}
			}
		}
	}
	for _, missing := range d.lacking() {
		t.Errorf("%s (api/glossary.go has the words that are the same everywhere, api/examples.go the bodies)", missing)
	}
	problem := d.Components.Schemas["Problem"]
	for _, name := range []string{"type", "title", "status", "code"} {
		if !slices.Contains(problem.Required, name) {
			t.Errorf("a problem need not have a %s", name)
		}
	}
}

// lacking names what is not described, and what has no example.
func (d described) lacking() (list []string) {
	for name, s := range d.Components.Schemas {
		for field, p := range s.Properties {
			if p.Description == "" {
				list = append(list, name+"."+field+" has no description")
			}
		}
	}
	for path, ops := range d.Paths {
		for method, op := range ops {
			at := method + " " + path
			for _, p := range op.Parameters {
				if p.Description == "" {
					list = append(list, at+": the parameter "+p.Name+" has no description")
				}
			}
			if op.RequestBody != nil {
				if media, takes := op.RequestBody.Content["application/json"]; takes && media.Schema.Ref != "" && media.Example == nil {
					list = append(list, at+" has no example of its body")
				}
			}
			if !slices.ContainsFunc(d.Tags, func(t struct{ Name, Description string }) bool { return t.Name == op.Tags[0] && t.Description != "" }) {
				list = append(list, at+": the tag "+op.Tags[0]+" is not described in api/description.go")
			}
			if len(op.Samples) == 0 || len(op.Security) > 0 && op.Responses["401"].Ref == "" {
				list = append(list, at+" has no samples, or no answer to who may not call it")
			}
		}
	}
	for _, kind := range billing.FeedTypes() {
		if data := d.Webhooks[string(kind)]["post"].RequestBody.Content["application/json"].Schema.Properties["data"]; data.Ref == "" {
			list = append(list, "the webhook "+string(kind)+" has no schema in api/description.go")
		}
	}
	return list
}

// TestTheDocsAreDrawnOffline reads /docs in a browser that knows no other host.
func TestTheDocsAreDrawnOffline(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium is installed")
	}
	s := newShop(t)
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: 200}
		s.handler.ServeHTTP(rec, r)
		mu.Lock()
		asked[r.URL.Path] = rec.status
		mu.Unlock()
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var dom, log bytes.Buffer
	c := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000",
		"--user-data-dir="+t.TempDir(), "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--dump-dom", server.URL+"/docs")
	c.Stdout, c.Stderr = &dom, &log
	if err := c.Run(); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	for _, op := range s.description().Paths["/v1/checkout"] {
		if !strings.Contains(dom.String(), op.Summary) {
			t.Errorf("the page does not show %q", op.Summary)
		}
	}
	for _, sample := range []string{"curl", "Go", "TypeScript"} {
		if !strings.Contains(dom.String(), ">"+sample+"<") {
			t.Errorf("the page shows no sample of %s", sample)
		}
	}
	for line := range strings.SplitSeq(log.String(), "\n") {
		if strings.Contains(line, "CONSOLE") || strings.Contains(line, "Content Security Policy") {
			t.Errorf("the browser says: %s", line)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for path, status := range asked {
		if status != 200 && path != "/favicon.ico" {
			t.Errorf("the page asks for %s: %d", path, status)
		}
	}
	page := s.ask("GET", "/docs", "")
	if csp := page.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }

// The samples are the contract's examples, nulls and all.
func TestGoodBodiesAreAsDescribed(t *testing.T) {
	s := newShop(t)
	d := s.description()
	for _, ops := range d.Paths {
		for _, op := range ops {
			sample, known := samples[op.OperationID]
			if !known {
				continue
			}
			var v any
			check(t, json.Unmarshal([]byte(sample), &v))
			if wrong := d.unlike(op.RequestBody.Content["application/json"].Schema, v, "the body"); wrong != "" {
				t.Errorf("%s: %s", op.OperationID, wrong)
			}
		}
	}
}

// What only a real connection shows.
func TestOverTheWire(t *testing.T) {
	s := newShop(t)
	server := httptest.NewServer(s.handler)
	defer server.Close()
	send := func(raw string) string {
		t.Helper()
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		check(t, err)
		defer c.Close()
		check(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		if _, err := io.WriteString(c, raw); err != nil {
			return "" // the server has closed the connection: it would not read on
		}
		answer, _ := io.ReadAll(c) // what came before a reset counts
		return string(answer)
	}
	body := order()
	for _, c := range []struct{ name, request, want string }{
		{"a good order", fmt.Sprintf("POST /v1/checkout HTTP/1.1\r\nHost: x\r\nIdempotency-Key: sixteen-letters-1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body), "HTTP/1.1 201 "},
		{"in chunks", fmt.Sprintf("POST /v1/checkout HTTP/1.1\r\nHost: x\r\nIdempotency-Key: sixteen-letters-2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body), "HTTP/1.1 201 "},
		{"too large, announced", "POST /v1/checkout HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\nConnection: close\r\n\r\n" + strings.Repeat("x", 70000), "HTTP/1.1 413 "},
		{"too large, in chunks", "POST /v1/checkout HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n11170\r\n" + strings.Repeat("x", 70000) + "\r\n0\r\n\r\n", "HTTP/1.1 413 "},
		{"a length that is none", "POST /v1/checkout HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "},
		{"a broken chunk", "POST /v1/checkout HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
		{"a broken chunk in a check", "POST /v1/licenses/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n", "HTTP/1.1 400 "},
		{"a key with a line break", "POST /v1/checkout HTTP/1.1\r\nHost: x\r\nIdempotency-Key: sixteen-letters-3\n X-Injected: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", "HTTP/1.1 4"},
		{"a header that breaks out of the answer", "GET /v1/subscriptions/a%0d%0aX-Injected:%201 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + operatorKey + "\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
		{"HEAD, as GET without a body", "HEAD /v1/products HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 "},
		{"another host's name", "GET /v1/products/ HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := send(c.request)
			if strings.HasPrefix(c.name, "HEAD") && !strings.HasSuffix(got, "\r\n\r\n") {
				t.Errorf("it has a body: %.600s", got)
			}
			if !strings.HasPrefix(got, c.want) || strings.Contains(got, "X-Injected") || strings.Contains(got, "evil.example") {
				t.Errorf("%.600s, want %s", got, c.want)
			}
		})
	}
}
