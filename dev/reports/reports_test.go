// Package reports runs delivered visuals as Power BI does: their own JavaScript in
// a sandboxed frame of a page in a real browser, which asks a running system.
package reports

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/okviz/licensing/dev/chrome"
	"github.com/okviz/licensing/dev/system"
)

// The whole package shares one system, one page server and one browser.
var (
	engine  *system.System
	service *proxy
	pages   string // port
	browser context.Context
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	chromium := chrome.Path()
	if chromium == "" { // each test says so
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "okviz-reports-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	engine, err = system.Start(context.Background(), system.Options{
		Data: dir + "/data", HTTP: "127.0.0.1:0", Mailbox: "127.0.0.1:0", Temporal: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "the system did not start:", err)
		return 1
	}
	defer engine.Stop() //nolint:errcheck // the tests have said what there is to say
	service = newProxy(engine.HTTP)
	defer service.server.Close()
	host := httptest.NewServer(hostPages())
	defer host.Close()
	_, pages, _ = net.SplitHostPort(host.Listener.Addr().String())

	ctx, cancel := chromedp.NewExecAllocator(context.Background(), chrome.Options(chromium, dir+"/browser",
		// The visuals were built to ask localhost:8080; names other than
		// localhost are what makes a page under plain http insecure.
		chromedp.Flag("host-resolver-rules", "MAP localhost:8080 "+service.address+",MAP *.example 127.0.0.1"))...)
	defer cancel()
	browser, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Run(browser); err != nil {
		fmt.Fprintln(os.Stderr, "the browser did not start:", err)
		return 1
	}
	return m.Run()
}

//go:embed host.html
var hostPage []byte

//go:embed frame.html
var framePage []byte

// hostPages are the page of a report and the frame in it, whose
// Content-Security-Policy the page chooses.
func hostPages() http.Handler {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { w.Write(hostPage) })
	pages.HandleFunc("GET /frame", func(w http.ResponseWriter, r *http.Request) {
		if csp := r.FormValue("csp"); csp != "" {
			w.Header().Set("Content-Security-Policy", csp)
		}
		w.Write(framePage)
	})
	return pages
}

// file is the JavaScript of a visual, what Power BI calls it, and its style.
type file struct{ code, guid, css string }

// token is the one that stamping put into the file.
func (f file) token(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(f.code, "['"+f.guid+"']='")
	token, _, ok := strings.Cut(rest, "';")
	if !ok || strings.Count(token, ".") != 2 {
		t.Fatalf("the file carries no token: %.80s", f.code)
	}
	return token
}

func (f file) withToken(t *testing.T, token string) file {
	f.code = strings.Replace(f.code, f.token(t), token, 1)
	return f
}

// renamed is the file as the organisational store or the developer visual runs
// it: the code has another guid than the token before it.
func (f file) renamed(suffix string) file {
	token, code, _ := strings.Cut(f.code, "';")
	return file{token + "';" + strings.ReplaceAll(code, f.guid, f.guid+suffix), f.guid + suffix, f.css}
}

// delivered downloads the file of a licence.
func delivered(t *testing.T, license string) file {
	t.Helper()
	data := ask(t, http.MethodGet, "/v1/licenses/"+license+"/download", nil)
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	for _, entry := range archive.File {
		if !strings.HasPrefix(entry.Name, "resources/") || entry.FileInfo().IsDir() {
			continue
		}
		r, err := entry.Open()
		must(t, err)
		var resource struct {
			Visual  struct{ GUID string }
			Content struct{ JS, CSS string }
		}
		must(t, json.NewDecoder(r).Decode(&resource))
		return file{resource.Content.JS, resource.Visual.GUID, resource.Content.CSS}
	}
	t.Fatal("the delivered file has no resource")
	return file{}
}

// Power BI's CustomVisualHostEnv.
const (
	inService = 1
	onDesktop = 4
	embedded  = 8
)

// visit is how a report with a visual is opened.
type visit struct {
	file
	site string // the page's host; empty: localhost
	env  int    // 0: in the service
	now  string // what the clock of the visitor's machine shows; empty: the time
	csp  string // the frame's Content-Security-Policy

	storage string // what is wrong with what Power BI keeps, by the names of frame.html; empty: nothing
	visuals int    // how many of it are on the page; 0: one
}

// sign is what a visual shows of its licence.
type sign struct {
	Licence, Online, Kind, Words string
	Origin                       string // of the frame
	Subtle                       bool   // crypto.subtle is there
}

// says is a sign in short.
func (s sign) says() string { return s.Licence + " " + s.Online }

// visitor is a person's browser tab, with what Power BI keeps for them.
type visitor struct {
	ctx context.Context
	at  string // the page's address
}

func newVisitor(t *testing.T) *visitor {
	t.Helper()
	chrome.Need(t)
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	service.questions()
	return &visitor{ctx: ctx}
}

// opens opens a report without waiting for the service.
func (p *visitor) opens(v visit) error {
	if v.site == "" {
		v.site = "localhost"
	}
	if v.env == 0 {
		v.env = inService
	}
	report, err := json.Marshal(map[string]any{"code": v.code, "guid": v.guid, "env": v.env, "now": v.now, "csp": v.csp, "storage": v.storage, "visuals": max(v.visuals, 1)})
	if err != nil {
		return err
	}
	return chromedp.Run(p.ctx, append(p.arrives(v.site),
		chromedp.Evaluate(`openReport(`+string(report)+`)`, nil),
		chromedp.Poll(`last() !== undefined`, nil, chromedp.WithPollingTimeout(30*time.Second)))...)
}

// arrives goes to a site's page, where the visitor has not been there.
func (p *visitor) arrives(site string) []chromedp.Action {
	actions := []chromedp.Action{page.BringToFront()} // a tab behind another draws nothing and hears no keys
	if at := "http://" + site + ":" + pages + "/"; at != p.at {
		p.at = at
		actions = append(actions, chromedp.Navigate(at))
	}
	return actions
}

// settles waits until the service has answered or not, and returns what the
// visual showed at once and in the end.
func (p *visitor) settles() (first, last sign, err error) {
	var seen []sign
	err = chromedp.Run(p.ctx,
		chromedp.Poll(`settled.size === frames.length`, nil, chromedp.WithPollingTimeout(80*time.Second)),
		chromedp.Evaluate(`seen`, &seen))
	if err != nil {
		return first, last, err
	}
	return seen[0], seen[len(seen)-1], nil
}

// looksAt opens a report and waits until it has settled.
func (p *visitor) looksAt(t *testing.T, v visit) (first, last sign) {
	t.Helper()
	must(t, p.opens(v))
	first, last, err := p.settles()
	must(t, err)
	if first.Origin != "null" {
		t.Errorf("the frame has the origin %s: it is no sandbox", first.Origin)
	}
	return first, last
}

// sees opens a report and holds what is shown at once and in the end to what
// is wanted of each, as in "licensed pending".
func (p *visitor) sees(t *testing.T, v visit, atOnce, inTheEnd string) sign {
	t.Helper()
	first, last := p.looksAt(t, v)
	if first.says() != atOnce || last.says() != inTheEnd {
		t.Errorf("it showed %q, then %q; want %q, then %q", first.says(), last.says(), atOnce, inTheEnd)
	}
	return last
}

// follows presses the link in the sign and returns where it leads.
func (p *visitor) follows(t *testing.T) string {
	t.Helper()
	var launched []string
	must(t, chromedp.Run(p.ctx,
		chromedp.Evaluate(`frames[0].focus()`, nil),
		// The link is the only thing in the frame that takes the focus.
		chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"),
		chromedp.Poll(`launched.length > 0`, nil, chromedp.WithPollingTimeout(10*time.Second)),
		chromedp.Evaluate(`launched`, &launched)))
	return launched[0]
}

// ask asks the engine as an operator.
func ask(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	var content []byte
	if body != nil {
		var err error
		content, err = json.Marshal(body)
		must(t, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+engine.HTTP+path, bytes.NewReader(content))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+engine.OperatorKey)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "key-of-a-report-"+rand.Text())
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	content, err = io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, content)
	}
	return content
}

type object = map[string]any

// bought is a subscription with its licence.
type bought struct {
	Subscription struct{ ID string }
	License      struct{ ID string }
}

// buy orders Calendar Pro; changes replace or add fields of the order.
func buy(t *testing.T, changes object) bought {
	t.Helper()
	chrome.Need(t)
	who := "ada@" + strings.ToLower(rand.Text()) + ".example"
	order := object{
		"product": "calendar-pro", "quantity": 1, "currency": "USD", "plan": object{"type": "users", "tier": "1-20", "cycle": "monthly"},
		"billing": object{"name": "Ada Rossi", "email": who, "country": "US"},
		"pay":     "now", "payment": object{"method": "card", "token": "tok_visa"}, "accept_terms": true,
	}
	for field, value := range changes {
		if order[field] = value; value == nil {
			delete(order, field)
		}
	}
	var b bought
	must(t, json.Unmarshal(ask(t, http.MethodPost, "/v1/checkout", order), &b))
	return b
}

// clock makes a test clock.
func clock(t *testing.T, now string) string {
	t.Helper()
	chrome.Need(t)
	var c struct{ ID string }
	must(t, json.Unmarshal(ask(t, http.MethodPost, "/v1/operator/test-clocks", object{"now": now}), &c))
	return c.ID
}

func advance(t *testing.T, clock, to string) {
	t.Helper()
	ask(t, http.MethodPost, "/v1/operator/test-clocks/"+clock+"/advance", object{"to": to})
}

// awaitCode waits until checks everywhere answer a code; they may be cached for
// some seconds.
func awaitCode(t *testing.T, license, code string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(40 * time.Second); ; <-tick.C {
		var a struct{ Code string }
		must(t, json.Unmarshal(ask(t, http.MethodPost, "/v1/licenses/check", object{"v": 1, "license": license, "product": "calendar-pro"}), &a))
		if a.Code == code {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("checks still say %s, want %s", a.Code, code)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// posts counts the questions, and fails where a browser asked before it asked.
func posts(t *testing.T, questions []string) int {
	t.Helper()
	if slices.ContainsFunc(questions, func(q string) bool { return !strings.HasPrefix(q, "POST ") }) {
		t.Errorf("a preflight was sent: %q", questions)
	}
	return len(questions)
}
