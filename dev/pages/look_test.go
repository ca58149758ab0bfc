package pages

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var shots = flag.String("shots", "", "the folder to which screenshots of every page are written")

// A state is a page as a person may find it, and the steps that lead there from
// the state before.
type state struct {
	name  string
	steps chromedp.Tasks
}

// at goes to an address and waits for what it shows.
func at(address string) chromedp.Tasks {
	return chromedp.Tasks{chromedp.Navigate(address), loaded}
}

// loaded waits until a page shows its content.
var loaded = polled(`document.querySelector('h1') && !document.querySelector('main [aria-busy="true"]')`)

// polled waits until something is true of the page, or of the one that takes its
// place meanwhile: chromedp's own Poll asks the page that was there at first.
func polled(is string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for {
			err := chromedp.Poll(is, nil).Do(ctx)
			var gone *cdproto.Error
			if !errors.As(err, &gone) || !strings.Contains(strings.ToLower(gone.Message), "context") {
				return err
			}
		}
	})
}

// look goes through states, one after the other. Each has none of axe's serious
// faults, light or dark, and fits a screen of 360 pixels.
func look(t *testing.T, ctx context.Context, states ...state) {
	t.Helper()
	source := axe(t)
	for _, s := range states {
		var heading string
		if err := chromedp.Run(ctx, chromedp.EmulateViewport(1280, 900), s.steps, loaded, chromedp.Text("h1", &heading), chromedp.Evaluate(source, nil)); err != nil {
			t.Fatalf("%s is not reached: %v", s.name, err)
		}
		if missing := heading == "Nothing here" || heading == "Qui non c’è niente"; missing != (s.name == "missing") {
			t.Errorf("%s has the heading %q", s.name, heading)
		}
		for _, f := range append(faults(t, ctx, "light", `{preload: false}`), faults(t, ctx, "dark", `{preload: false, runOnly: ['color-contrast']}`)...) {
			t.Errorf("%s, %s", s.name, f)
		}
		var wide, english []string
		run(t, ctx, scheme("light"), chromedp.EmulateViewport(360, 740), chromedp.Evaluate(tooWide, &wide), chromedp.Evaluate(inEnglish, &english))
		for _, words := range english {
			t.Errorf("%s says in English: %s", s.name, words)
		}
		for _, element := range wide {
			t.Errorf("%s on a screen of 360 pixels is too wide at %s", s.name, element)
		}
		if *shots == "" {
			continue
		}
		for _, colours := range []string{"dark", "light"} {
			run(t, ctx, scheme(colours))
			for _, width := range []int64{390, 1280} {
				shoot(t, ctx, s.name+"-"+colours, width)
			}
		}
	}
}

// shoot writes a picture of a page, and of a very long one its beginning.
func shoot(t *testing.T, ctx context.Context, name string, width int64) {
	t.Helper()
	var height float64
	var png []byte
	run(t, ctx, chromedp.EmulateViewport(width, 900), chromedp.Evaluate(`Math.min(document.documentElement.scrollHeight, 4000)`, &height),
		chromedp.ActionFunc(func(ctx context.Context) (err error) {
			png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).
				WithClip(&page.Viewport{Width: float64(width), Height: height, Scale: 1}).Do(ctx)
			return err
		}))
	if err := os.MkdirAll(*shots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%d.png", name, width)), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// tooWide finds what would have to be scrolled to, and what a box cuts off.
// Text that is meant to scroll in its own box is not.
const tooWide = `[document.documentElement, ...document.querySelectorAll('body *')]
	.filter(e => e.clientWidth && e.scrollWidth > e.clientWidth && (e === document.documentElement || getComputedStyle(e).overflowX === 'hidden'))
	.map(e => e.cloneNode().outerHTML + ', ' + e.scrollWidth + ' in ' + e.clientWidth)`

// inEnglish finds what a page in another language still says in English. What
// the vendor writes and what is marked as English may.
const inEnglish = `document.documentElement.lang.startsWith('en') ? [] : [...document.querySelectorAll('#page *')].filter(e => !e.closest('[lang=en], .changelog'))
		.flatMap(e => [...[...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE).map(n => n.data), e.getAttribute('aria-label'), e.getAttribute('placeholder')])
		.filter(words => /\b(the|your|of|and|is|for|not)\b/i.test(words))`

// scheme has the browser prefer light or dark.
func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// faults are the places where a page breaks one of axe's serious rules, of
// those that the options name.
func faults(t *testing.T, ctx context.Context, colours, options string) []string {
	t.Helper()
	var answer string
	run(t, ctx, scheme(colours), chromedp.Evaluate(`axe.run(`+options+`).then(r =>
		JSON.stringify(r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')))`, &answer,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var broken []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	if err := json.Unmarshal([]byte(answer), &broken); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, b := range broken {
		for _, n := range b.Nodes {
			found = append(found, fmt.Sprintf("%s: %s (%s), %s\n%s\n%s", colours, b.ID, b.Impact, b.Help, n.HTML, n.FailureSummary))
		}
	}
	return found
}

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
