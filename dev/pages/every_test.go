package pages

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "the folder to which screenshots of every page are written")

// axe is the source of axe-core, of the version that package-lock.json pins.
func axe(t *testing.T) string {
	t.Helper()
	const path = "node_modules/axe-core/axe.min.js"
	if _, err := os.Stat(path); err != nil {
		if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("axe-core is not installed: %v\n%s", err, out)
			}
			t.Skipf("not run: axe-core is not installed, and npm ci failed: %v", err)
		}
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// loaded waits until a page shows its content.
var loaded = chromedp.Poll(`document.querySelector('main h1') && !document.querySelector('main [aria-busy="true"]')`, nil)

// scheme has the browser prefer light or dark.
func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// A fault is one of axe's rules that a page breaks, and where.
type fault struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

func TestEveryPageIsAccessibleAndFitsASmallScreen(t *testing.T) {
	source := axe(t)
	ctx, s := open(t)
	b := buy(t, s, "tok_visa")
	type place struct{ name, path string }
	missing := "" // the heading of the page that is shown where there is none
	walk := func(places []place) {
		for _, p := range places {
			var heading string
			run(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+s.HTTP+p.path), loaded, chromedp.Text("main h1", &heading), chromedp.Evaluate(source, nil))
			if missing == "" {
				missing = heading
			} else if heading == missing {
				t.Errorf("%s is not found: %s", p.name, p.path)
			}
			for _, colours := range []string{"light", "dark"} {
				var found string
				run(t, ctx, scheme(colours), chromedp.Evaluate(`axe.run({preload: false}).then(r =>
					JSON.stringify(r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')))`, &found,
					func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
				var faults []fault
				if err := json.Unmarshal([]byte(found), &faults); err != nil {
					t.Fatal(err)
				}
				for _, f := range faults {
					for _, n := range f.Nodes {
						t.Errorf("%s, %s: %s (%s), %s\n%s\n%s", p.name, colours, f.ID, f.Impact, f.Help, n.HTML, n.FailureSummary)
					}
				}
			}
			var wide int
			run(t, ctx, scheme("light"), chromedp.EmulateViewport(360, 740), chromedp.Evaluate(`document.documentElement.scrollWidth`, &wide))
			if wide > 360 {
				t.Errorf("%s is %d pixels wide on a screen of 360", p.name, wide)
			}
			for _, width := range []int64{390, 1280} {
				if *shots == "" {
					continue
				}
				var png []byte
				run(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.FullScreenshot(&png, 100))
				if err := os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%d.png", p.name, width)), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if *shots != "" {
		if err := os.MkdirAll(*shots, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	walk([]place{
		{"missing", "/nowhere"},
		{"visuals", "/"},
		{"product", "/products/calendar-pro"},
		{"checkout", "/checkout?product=calendar-pro&pay=now"},
		{"login", "/login"},
	})
	run(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+s.HTTP+"/account"), signIn(t, s, "ada@contoso.example"))
	walk([]place{
		{"account", "/account"},
		{"subscriptions", "/account/subscriptions"},
		{"subscription", "/account/subscriptions/" + b.Subscription.ID},
		{"change", "/account/subscriptions/" + b.Subscription.ID + "/change"},
		{"licenses", "/account/licenses"},
		{"license", "/account/licenses/" + b.License.ID},
		{"orders", "/account/orders"},
		{"addresses", "/account/addresses"},
		{"payment-methods", "/account/payment-methods"},
		{"details", "/account/details"},
		{"api-keys", "/account/api-keys"},
	})
}
