package pages

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tabTo goes from control to control with the Tab key until one is reached.
func tabTo(id string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for range 60 {
			var at string
			if err := chromedp.Run(ctx, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`document.activeElement.id`, &at)); err != nil {
				return err
			}
			if at == id {
				return nil
			}
		}
		return fmt.Errorf("the Tab key never reaches %q", id)
	})
}

func TestAPersonBuysWithTheKeyboardAlone(t *testing.T) {
	ctx, s := open(t)
	var license string
	run(t, ctx,
		chromedp.Navigate("http://"+s.HTTP+"/products/calendar-pro"),
		chromedp.WaitVisible("#buy-powerbi"),
		tabTo("buy-powerbi"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible(`#totals[aria-busy="false"]`),
		tabTo("billing-name"), chromedp.KeyEvent("Ada Rossi"),
		tabTo("billing-email"), chromedp.KeyEvent("ada@contoso.example"),
		tabTo("billing-country"), chromedp.KeyEvent("United States"),
		tabTo("as-trial"), chromedp.KeyEvent(kb.ArrowRight),
		chromedp.WaitVisible("#by-card-note"),
		tabTo("accept_terms"), chromedp.KeyEvent(" "),
		chromedp.WaitVisible(`#totals[aria-busy="false"]`),
		tabTo("submit"), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible("#number"),
		tabTo("number"), chromedp.KeyEvent(visa), chromedp.KeyEvent(kb.Enter),
		chromedp.WaitVisible("#license-id"),
		chromedp.Text("#license-id", &license),
	)
	if !strings.HasPrefix(strings.TrimSpace(license), "lic_") {
		t.Errorf("the result shows licence %q", license)
	}
}
