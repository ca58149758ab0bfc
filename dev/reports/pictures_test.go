package reports

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "a folder: take the default catalogue's pictures anew, into it")

// The visuals are small; the pictures have two pixels for each of theirs, as the
// default catalogue says.
const pictureWidth, pictureHeight = 480, 270

// samples are what the visuals show in the pictures. (Synoptic Panel shows nothing
// before a tenant has activated it.)
var samples = map[string][2][]any{
	"calendar-pro":     {{"January", "February", "March", "April", "May", "June", "July", "August"}, {18, 24, 31, 27, 36, 42, 21, 12}},
	"smart-filter-pro": {{"Bikes", "Accessories", "Clothing", "Components", "Services", "Spare parts"}, {412, 388, 251, 176, 94, 61}},
	"bullet-chart":     {{"North", "South", "East", "West", "Centre", "Online"}, {104, 97, 88, 112, 76, 121}},
	"card-with-states": {{"Revenue", "Orders", "Returns", "On time"}, {128, 94, 7, 88}},
}

// The pictures show what a customer gets: the delivered file, in a browser.
func TestTheVisualsDrawTheirSampleData(t *testing.T) {
	for product, data := range samples {
		t.Run(product, func(t *testing.T) {
			f := delivered(t, buy(t, object{"product": product}).License.ID)
			p := newVisitor(t)
			report, err := json.Marshal(object{"code": f.code, "guid": f.guid, "css": f.css, "env": inService, "visuals": 1, "data": data, "height": pictureHeight})
			must(t, err)
			must(t, chromedp.Run(p.ctx, append(p.arrives("localhost"),
				emulation.SetDeviceMetricsOverride(pictureWidth, pictureHeight, 2, false),
				chromedp.Evaluate(`document.body.style.margin = 0; openReport(`+string(report)+`);
					Object.assign(frames[0].style, {width: '100vw', height: '100vh', border: 0, display: 'block'})`, nil),
				chromedp.Poll(`last() !== undefined`, nil, chromedp.WithPollingTimeout(30*time.Second)))...))
			if _, last, err := p.settles(); err != nil || last.Kind != "none" {
				t.Fatalf("it shows %+v: %v", last, err)
			}
			var shot []byte
			must(t, chromedp.Run(p.ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
				shot, err = page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatWebp).WithQuality(80).Do(ctx)
				return err
			})))
			if len(shot) < 2_000 {
				t.Errorf("the picture has %d bytes: it is empty", len(shot))
			}
			if *pictures != "" {
				must(t, os.WriteFile(filepath.Join(*pictures, product+".webp"), shot, 0o644))
			}
		})
	}
}
