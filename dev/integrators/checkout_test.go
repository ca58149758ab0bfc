package integrators

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/chrome"
	"github.com/okviz/licensing/dev/system"
)

// The page is served from another site than the API, and no cookie goes either way.
func TestACheckoutPageOnAnotherOriginSells(t *testing.T) {
	path := chrome.Need(t)
	api := ""
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		file, err := os.ReadFile("../../client/checkout/" + name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		file = bytes.Replace(file, []byte("https://licensing.example.com"), []byte(api), 1)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(page.Close)
	origin := strings.Replace(page.URL, "127.0.0.1", "localhost", 1)
	s := start(t, func(o *system.Options) { o.Origins = []string{origin} })
	api = "http://" + s.HTTP

	ctx, cancel := chromedp.NewExecAllocator(context.Background(), chrome.Options(path, t.TempDir())...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	said := func(text string) chromedp.Action {
		return chromedp.Poll(`document.getElementById('message').textContent.includes(`+"`"+text+"`"+`)`, nil)
	}
	total := ""
	if err := chromedp.Run(ctx,
		chromedp.Navigate(origin),
		chromedp.Poll(`document.getElementById('total').textContent.includes('tax included')`, nil),
		chromedp.SetValue("#plan", `{"type":"users","tier":"1-20","cycle":"monthly"}`),
		chromedp.SendKeys("#name", "Ada Rossi"), chromedp.SendKeys("#email", "ada@elsewhere.example"),
		chromedp.SetValue("#token", "tok_declined"), chromedp.Click("#terms"),
		chromedp.Poll(`document.getElementById('total').textContent.includes('$9.90')`, nil),
		chromedp.Text("#total", &total),
		chromedp.Click("#buy"), said("declined"),
		chromedp.SetValue("#token", "tok_visa"),
		chromedp.Click("#buy"), said("Invoice INV-"),
	); err != nil {
		shown := ""
		_ = chromedp.Run(ctx, chromedp.Text("body", &shown))
		t.Fatalf("%v; the page shows\n%s", err, shown)
	}
	var found struct {
		Data []struct{ Status string }
	}
	get(t, s, "/v1/operator/subscriptions?email=ada%40elsewhere.example", &found)
	if len(found.Data) != 1 || found.Data[0].Status != "active" {
		t.Errorf("it has sold %+v", found.Data)
	}
}

// get asks as an operator.
func get(t *testing.T, s *system.System, path string, into any) {
	t.Helper()
	ask(t, s, http.MethodGet, path, "", into)
}

func ask(t *testing.T, s *system.System, method, path, body string, into any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.HTTP+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.OperatorKey)
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	if a.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", method, path, a.Status)
	}
	if err := json.NewDecoder(a.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
