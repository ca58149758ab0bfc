package sandbox_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/payments/sandbox"
)

// ask sends a request to the gateway's pages.
func ask(g *sandbox.Gateway, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	g.Pages("/sandbox", func() time.Time { return noon }).ServeHTTP(w, r)
	return w
}

func TestACardIsGivenOnThePage(t *testing.T) {
	g := open(t, sandbox.NewMemory())
	customer, err := g.EnsureCustomer(t.Context(), "cus_1")
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.OpenForm(t.Context(), billing.FormRequest{ID: "frm_1", Customer: customer, Done: "https://shop.example/done", Back: "https://shop.example/back"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(f.URL)
	if err != nil {
		t.Fatal(err)
	}
	shown := ask(g, "GET", u.Path, "")
	if text := shown.Body.String(); shown.Code != http.StatusOK || !strings.Contains(text, `href="https://shop.example/back"`) || !strings.Contains(text, "4242 4242 4242 4242") || strings.Contains(text, "tok_") {
		t.Errorf("%d %s", shown.Code, text)
	}
	if policy := shown.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the page's policy is %q", policy)
	}
	wrong := ask(g, "POST", u.Path, "number=4242+4242+4242+4241")
	if wrong.Code != http.StatusUnprocessableEntity || !strings.Contains(wrong.Body.String(), `role="alert"`) || strings.Contains(wrong.Body.String(), "4241") {
		t.Errorf("another number: %d %s", wrong.Code, wrong.Body)
	}
	if token, err := g.FormToken(t.Context(), f.Ref); token != "" || err != nil {
		t.Errorf("it gave %q, %v", token, err)
	}
	for _, number := range []string{"4000+0000+0000+0002", "4242424242424242"} { // the first one counts
		if done := ask(g, "POST", u.Path, "number="+number); done.Code != http.StatusSeeOther || done.Header().Get("Location") != "https://shop.example/done" {
			t.Errorf("%d to %q", done.Code, done.Header().Get("Location"))
		}
	}
	if token, err := g.FormToken(t.Context(), f.Ref); token != "tok_declined" || err != nil {
		t.Errorf("it gave %q, %v", token, err)
	}
	if again := ask(g, "GET", u.Path, ""); again.Code != http.StatusSeeOther {
		t.Errorf("the page of a form that was filled: %d", again.Code)
	}
	for _, path := range []string{"/sandbox/cards/form_nonesuch", "/sandbox/cards/"} {
		if none := ask(g, "GET", path, ""); none.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, none.Code)
		}
	}
	if none := ask(g, "POST", "/sandbox/cards/form_nonesuch", "number=4242424242424242"); none.Code != http.StatusNotFound {
		t.Errorf("posting to nothing: %d", none.Code)
	}
}
