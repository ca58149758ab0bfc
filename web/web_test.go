package web_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/web"
)

// pages are the shop's, made once: it bundles and compresses them.
var pages = web.Handler(web.Brand{Name: "OKVIZ"})

func get(t *testing.T, method, address string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, address, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	return w
}

func TestAddressesAnswerWithTheirStatus(t *testing.T) {
	for address, want := range map[string]struct {
		status      int
		contentType string
	}{
		"/":                              {200, "text/html; charset=utf-8"},
		"/products/calendar-pro":         {200, "text/html; charset=utf-8"},
		"/checkout?product=calendar-pro": {200, "text/html; charset=utf-8"},
		"/assets/main.js":                {200, "text/javascript; charset=utf-8"},
		"/assets/style.css":              {200, "text/css; charset=utf-8"},
		"/assets/lit-html/LICENSE":       {200, "text/plain; charset=utf-8"},
		"/icons/calendar-pro.svg":        {200, "image/svg+xml"},
		"/login":                         {200, "text/html; charset=utf-8"},
		"/account":                       {200, "text/html; charset=utf-8"},
		"/account/addresses":             {200, "text/html; charset=utf-8"},
		"/account/payment-methods":       {200, "text/html; charset=utf-8"},
		"/account/people":                {200, "text/html; charset=utf-8"},
		"/account/details":               {200, "text/html; charset=utf-8"},
		"/account/api-keys":              {200, "text/html; charset=utf-8"},
		"/account/documents":             {200, "text/html; charset=utf-8"},
		"/account/orders":                {404, "text/html; charset=utf-8"},
		"/account/licenses":              {200, "text/html; charset=utf-8"},
		"/account/subscriptions/sub_01JZZZZZZZZZZZZZZZZZZZZZZZ/billing-details": {200, "text/html; charset=utf-8"},
		"/account/licenses/lic_01JZZZZZZZZZZZZZZZZZZZZZZZ":                      {200, "text/html; charset=utf-8"},
		"/account/subscriptions":                                                {200, "text/html; charset=utf-8"},
		"/account/subscriptions/sub_01JZZZZZZZZZZZZZZZZZZZZZZZ":                 {200, "text/html; charset=utf-8"},
		"/account/subscriptions/sub_01JZZZZZZZZZZZZZZZZZZZZZZZ/change":          {200, "text/html; charset=utf-8"},
		"/quotes/quo_01JZZZZZZZZZZZZZZZZZZZZZZZ":                                {200, "text/html; charset=utf-8"},
		"/operator":                                                             {200, "text/html; charset=utf-8"},
		"/operator/customer?email=a":                                            {200, "text/html; charset=utf-8"},
		"/operator/subscriptions/sub_01JZZZZZZZZZZZZZZZZZZZZZZZ":                {200, "text/html; charset=utf-8"},
		"/operator/subscriptions/sub_1":                                         {404, "text/html; charset=utf-8"},
		"/operator/elsewhere":                                                   {404, "text/html; charset=utf-8"},
		"/console.json":                                                         {404, "text/html; charset=utf-8"},
		"/login/":                                                               {404, "text/html; charset=utf-8"},
		"/account/":                                                             {404, "text/html; charset=utf-8"},
		"/account/licenses/lic_1":                                               {404, "text/html; charset=utf-8"},
		"/account/licenses/sub_01JZZZZZZZZZZZZZZZZZZZZZZZ":                      {404, "text/html; charset=utf-8"},
		"/account/licenses/lic_01JZZZZZZZZZZZZZZZZZZZZZZZ/change":               {404, "text/html; charset=utf-8"},
		"/account/elsewhere":                                                    {404, "text/html; charset=utf-8"},
		"/products/":                                                            {404, "text/html; charset=utf-8"},
		"/products/Calendar":                                                    {404, "text/html; charset=utf-8"},
		"/products/a/b":                                                         {404, "text/html; charset=utf-8"},
		"/page.html":                                                            {404, "text/html; charset=utf-8"},
		"/pages.json":                                                           {404, "text/html; charset=utf-8"},
		"/assets/pages.js":                                                      {200, "text/javascript; charset=utf-8"},
		"/assets/lit-html/lit-html.d.ts":                                        {404, "text/html; charset=utf-8"},
		"/assets":                                                               {404, "text/html; charset=utf-8"},
		"/assets/":                                                              {404, "text/html; charset=utf-8"},
		"/assets/../web.go":                                                     {404, "text/html; charset=utf-8"},
		"/web.go":                                                               {404, "text/html; charset=utf-8"},
		"/products/%3Cscript%3Ealert(1)":                                        {404, "text/html; charset=utf-8"},
		"/checkout/":                                                            {404, "text/html; charset=utf-8"},
		"/icons/of-a-visual-without-one.svg":                                    {404, "text/html; charset=utf-8"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := get(t, method, address)
			if w.Code != want.status || w.Header().Get("Content-Type") != want.contentType {
				t.Errorf("%s %s: %d %s, want %d %s", method, address, w.Code, w.Header().Get("Content-Type"), want.status, want.contentType)
			}
			if got := w.Body.Len() > 0; got != (method == http.MethodGet) {
				t.Errorf("%s %s: has a body: %t", method, address, got)
			}
		}
	}
	if w := get(t, http.MethodPost, "/checkout"); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestEveryAnswerForbidsWhatPagesDoNotNeed(t *testing.T) {
	for _, address := range []string{"/", "/checkout", "/assets/main.js", "/icons/calendar-pro.svg", "/nowhere"} {
		h := get(t, http.MethodGet, address).Header()
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy %q has no %s", address, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: the policy allows what is unsafe: %s", address, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: a header is missing: %v", address, h)
		}
	}
}

func TestWhatHasNotChangedIsNotSentAgain(t *testing.T) {
	for _, address := range []string{"/", "/assets/main.js", "/icons/calendar-pro.svg"} {
		first := get(t, http.MethodGet, address)
		if w := get(t, http.MethodGet, address, "If-None-Match", first.Header().Get("ETag")); w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("%s: %d with %d bytes, want 304 and none", address, w.Code, w.Body.Len())
		}
	}
}

// Measured as a browser loads a page: what the document names, compressed, is all that
// it needs of this package, and the second visit asks for the document alone.
func TestAPageIsTwoSmallFilesThatAreAskedForOnce(t *testing.T) {
	doc := get(t, http.MethodGet, "/", "Accept-Encoding", "gzip, deflate, br, zstd")
	sum := doc.Body.Len()
	if got := doc.Header(); got.Get("Content-Encoding") != "br" || got.Get("Vary") != "Accept-Encoding" || got.Get("Cache-Control") != "no-cache" {
		t.Errorf("the document's headers are %v", got)
	}
	plain := get(t, http.MethodGet, "/").Body.String()
	names := regexp.MustCompile(`(?:href|src)="(/bundle/[^"]+)"`).FindAllStringSubmatch(plain, -1)
	if len(names) != 2 {
		t.Fatalf("the document names %q", names)
	}
	for _, name := range names {
		w := get(t, http.MethodGet, name[1], "Accept-Encoding", "br")
		if got := w.Header(); got.Get("Content-Encoding") != "br" || got.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s has the headers %v", name[1], got)
		}
		sum += w.Body.Len()
		zipped := get(t, http.MethodGet, name[1], "Accept-Encoding", "br;q=0, gzip")
		r, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatalf("%s: %v", name[1], err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != get(t, http.MethodGet, name[1]).Body.String() {
			t.Errorf("%s unzipped is another file: %v", name[1], err)
		}
	}
	if sum > 60_000 {
		t.Errorf("a page is %d bytes", sum)
	}
	t.Logf("a page is %d bytes", sum)
}

func TestABrandsStyleComesAfterOurs(t *testing.T) {
	h := web.Handler(web.Brand{Name: "Acme", Style: []byte(`@import "https://fonts.example/a.css"; :root { --accent: #7a1fa2; } .top { background: url(logo), url("data:image/png;base64,AAAA"); }`)})
	read := func(address string) string {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		return w.Body.String()
	}
	style := regexp.MustCompile(`href="(/bundle/[^"]+)"`).FindStringSubmatch(read("/"))
	if text := read(style[1]); strings.LastIndex(text, "--accent:") != strings.Index(text, "--accent: #7a1fa2") && strings.LastIndex(text, "--accent:") != strings.Index(text, "--accent:#7a1fa2") {
		t.Errorf("the last colour is not the brand's: %s", text[max(0, len(text)-200):])
	} else if !strings.Contains(text, "url(/brand/logo)") || !strings.Contains(text, "data:image/png;base64,AAAA") {
		t.Errorf("its pictures are lost: %s", text[max(0, len(text)-200):])
	}
}

func TestEveryFileThatAPageNamesIsServed(t *testing.T) {
	names := regexp.MustCompile(`(?m:^import (?:.* from )?'(\.[^']+)')|(?:href|src)="(/[^"$]*)"|'(/icons/[^']+)'`)
	each(t, ".", func(name, text string) {
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			address := m[2] + m[3]
			if m[1] != "" {
				address = path.Join("/", path.Dir(name), m[1])
			}
			if address == "/docs" || strings.HasPrefix(address, "/v1/") { // the API's
				continue
			}
			if w := get(t, http.MethodGet, address); w.Code != http.StatusOK {
				t.Errorf("%s names %s: %d", name, address, w.Code)
			}
		}
	})
}

func TestNothingIsInlineAndNothingComesFromElsewhere(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:[^>]*)>[^<]|<script(?: [a-z]+="[^"]*")*>\s*[^<\s]`)
	elsewhere := regexp.MustCompile(`https?://[^'"\s)]+|innerHTML|unsafeHTML|\beval\(|new Function`)
	each(t, ".", func(name, text string) {
		if strings.Contains(name, "lit-html/") { // as published
			return
		}
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s: inline %q", name, found)
		}
		for _, found := range elsewhere.FindAllString(text, -1) {
			if found != "http://www.w3.org/2000/svg" {
				t.Errorf("%s: %q", name, found)
			}
		}
	})
}

func TestEveryProductOfTheDefaultCatalogueHasItsIcon(t *testing.T) {
	c, err := billing.ParseCatalogue(billing.DefaultCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Products {
		if p.Icon != "/icons/"+p.ID+".svg" || get(t, http.MethodGet, p.Icon).Code != http.StatusOK {
			t.Errorf("%s: no icon at %q", p.ID, p.Icon)
		}
	}
}

func TestCountriesAreThoseThatCanBeBilled(t *testing.T) {
	text, err := os.ReadFile("assets/countries.js")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, part := range regexp.MustCompile(`'([A-Z]{2} [A-Z ]+)'`).FindAllStringSubmatch(string(text), -1) {
		for _, code := range strings.Fields(part[1]) {
			listed[code] = true
		}
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if code := string(a) + string(b); listed[code] != billing.ValidCountry(code) {
				t.Errorf("%s: listed %t, can be billed %t", code, listed[code], billing.ValidCountry(code))
			}
		}
	}
}

// WCAG 2.2, 1.4.3 and 1.4.11: 4.5 for text, 3 for the edges of controls.
func TestColoursHaveEnoughContrast(t *testing.T) {
	css, err := os.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d sets of colours, want light and dark", len(blocks))
	}
	grounds := []string{"ground", "panel", "raised"}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		check := func(text, ground string, least float64) {
			a, b := colours[text], colours[ground]
			if ratio := (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05); ratio < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, text, ground, ratio, least)
			}
		}
		for _, ground := range grounds {
			for _, text := range []string{"text", "quiet", "accent", "accent-strong", "error", "good"} {
				check(text, ground, 4.5)
			}
			check("edge", ground, 3)
		}
		check("text", "note", 4.5)
		check("error", "note", 4.5)
		check("on-accent", "accent", 4.5)
		check("on-accent", "accent-strong", 4.5)
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// each reads what is embedded, from the folder.
func each(t *testing.T, root string, see func(name, text string)) {
	t.Helper()
	seen := 0
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name != "page.html" && !strings.HasPrefix(name, "assets/") && !strings.HasPrefix(name, "icons/") {
			return err
		}
		text, err := os.ReadFile(path.Join(root, name))
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		seen++
		see(name, string(text))
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("%d files: %v", seen, err)
	}
}

func TestAnOrderIsBoughtOnce(t *testing.T) { node(t, "pending_order_test.mjs") }

func TestAYearSaysWhatItSaves(t *testing.T) { node(t, "plans_test.mjs") }

func TestEveryLanguageHasEverySentence(t *testing.T) { node(t, "words_test.mjs") }

// node runs the tests of a module.
func node(t *testing.T, file string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("Node is not installed: %s was not run", file)
	}
	out, err := exec.CommandContext(t.Context(), node, "--test", file).CombinedOutput()
	if err != nil {
		t.Fatalf("node --test %s: %v\n%s", file, err, out)
	}
}

func TestEveryButtonThatTheAPIAllowsHasItsWords(t *testing.T) {
	now := time.Date(2026, 1, 15, 10, 0, 0, 0, time.UTC)
	words, err := os.ReadFile("assets/words/en.js")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`action: \{(.*)\}`).FindString(string(words)) + regexp.MustCompile(`(?s)done: \{.*?\}`).FindString(string(words))
	for _, status := range []billing.Status{billing.Incomplete, billing.Trialing, billing.Active, billing.PastDue, billing.Canceled} {
		for _, ends := range []bool{false, true} {
			s := billing.Subscription{Status: status, CancelAtPeriodEnd: ends, MoneyBack: billing.MoneyBack{From: "inv_1", Until: now}}
			for _, action := range s.Actions(now) {
				want := 2 // its button's name, and what it has done
				if action == billing.ActionChange || action == billing.ActionPaymentMethod {
					want = 1 // these have names of their own
				}
				if found := regexp.MustCompile(`[ ']`+string(action)+`'?: '`).FindAllString(named, -1); len(found) != want {
					t.Errorf("%s: %s has words for %q", status, action, found)
				}
			}
		}
	}
}

func TestEveryKindOfEventHasASentenceInEveryLanguage(t *testing.T) {
	for _, language := range []string{"en", "it"} {
		words, err := os.ReadFile("assets/words/" + language + ".js")
		if err != nil {
			t.Fatal(err)
		}
		told := regexp.MustCompile(`(?s)\n *(?:const event = .*?\(|event: )\{\n(.*?)\n *\}`).FindStringSubmatch(string(words))[1]
		var kinds []billing.EventKind
		for _, m := range regexp.MustCompile(`(?m)^ +(\w+): `).FindAllStringSubmatch(told, -1) {
			kinds = append(kinds, billing.EventKind(m[1]))
		}
		if want := billing.EventKinds(); !slices.Equal(kinds, want) {
			t.Errorf("%s.js has sentences for %q, and the engine tells of %q, in that order", language, kinds, want)
		}
	}
}

func TestTheBrandIsTheVendors(t *testing.T) {
	png := []byte("\x89PNG\r\n\x1a\n…")
	h := web.Handler(web.Brand{Name: `<b>"Acme" & Co</b>`, Logo: png, Style: []byte(":root { --accent: #7a1fa2; }"), Terms: "https://acme.example/terms"})
	read := func(address string) (string, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", address, w.Code)
		}
		return w.Body.String(), w.Header().Get("Content-Type")
	}
	if page, _ := read("/checkout"); !strings.Contains(page, "<title>&lt;b&gt;&#34;Acme&#34; &amp; Co&lt;/b&gt;</title>") {
		t.Errorf("the page is %s", page)
	}
	if logo, kind := read("/brand/logo"); logo != string(png) || kind != "image/png" {
		t.Errorf("the logo is %q, %s", logo, kind)
	}
	if style, kind := read("/brand/style.css"); !strings.Contains(style, "#7a1fa2") || kind != "text/css; charset=utf-8" {
		t.Errorf("the style is %q, %s", style, kind)
	}
	module, kind := read("/brand/brand.js")
	var told map[string]string
	doc := strings.TrimSuffix(strings.TrimPrefix(module, "export default "), ";\n")
	if err := json.Unmarshal([]byte(doc), &told); err != nil || told["name"] != `<b>"Acme" & Co</b>` || told["terms"] != "https://acme.example/terms" || kind != "text/javascript; charset=utf-8" {
		t.Errorf("the module is %q, %s: %v", module, kind, err)
	}
	if strings.Contains(module, "<b>") {
		t.Error("the module has a tag in it")
	}
}
