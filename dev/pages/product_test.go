package pages

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// figures are what a page has cost so far: requests, bytes of scripts and styles,
// and how far its parts have moved.
const figures = `(async () => {
	const shifts = await new Promise(done => {
		const seen = new PerformanceObserver(list => done(list.getEntries().filter(e => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0)));
		seen.observe({type: 'layout-shift', buffered: true});
		setTimeout(() => done(0), 500); // none is told of
	});
	const got = performance.getEntriesByType('resource');
	return [got.length + 1, got.filter(e => /\.(js|css)$/.test(new URL(e.name).pathname)).reduce((sum, e) => sum + e.encodedBodySize, 0), shifts];
})()`

// The goals of docs/performance.md: at most 12 requests, 60 KB of scripts and
// styles, and 0.02 of layout shift.
func TestAProductsPageShowsItsPictureFeaturesAndQuestions(t *testing.T) {
	ctx, s := open(t)
	var alt, said, yearly string
	var pixels int64
	for _, width := range []int64{390, 1280} {
		var cost []float64
		var wide bool
		run(t, ctx,
			chromedp.EmulateViewport(width, 844),
			chromedp.Navigate("about:blank"),
			chromedp.Navigate("http://"+s.HTTP+"/products/calendar-pro"),
			polled(`document.querySelector('.opening img[alt]:not([alt=""])')?.complete`),
			chromedp.Evaluate(`document.querySelector('.opening .pictures img').naturalWidth`, &pixels),
			chromedp.AttributeValue(".opening .pictures img", "alt", &alt, nil),
			chromedp.Text("label:has(#cycle-yearly)", &yearly),
			chromedp.Evaluate(figures, &cost, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
			chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide),
			chromedp.Click(".question summary"),
			chromedp.Text(".question .prose", &said),
		)
		if pixels != 960 || !strings.HasPrefix(alt, "Eight months") || !strings.Contains(said, "inside the file") || wide {
			t.Errorf("%d pixels wide: the picture has %d pixels and says %q, the answer %q; too wide: %t", width, pixels, alt, said, wide)
		}
		if !strings.Contains(yearly, "−17%") { // 99.00 for twelve times 9.90
			t.Errorf("a year is offered as %q", yearly)
		}
		if len(cost) != 3 || cost[0] > 12 || cost[1] > 60_000 || cost[2] >= 0.02 {
			t.Errorf("%d pixels wide: requests, bytes and shift are %v", width, cost)
		}
		for _, colours := range []string{"light", "dark"} {
			if run(t, ctx, scheme(colours)); *shots != "" {
				shoot(t, ctx, "product-"+colours, width)
			}
		}
	}
}
