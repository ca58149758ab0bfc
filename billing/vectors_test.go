package billing

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
)

// The cases of testdata/billing.json come from other engines' tests and
// documentation; each names its source.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/billing.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Proration []struct {
			Name     string
			Mode     ProrationMode
			Paid     int64
			Currency string
			Period   Period
			At       time.Time
			Credit   int64
		}
		Calendar []struct {
			Name       string
			Anchor     time.Time
			Cycle      Cycle
			Boundaries []time.Time
		}
		Seats       [][3]int64
		CreditNotes []struct {
			Name         string
			TaxPercent   int64 `json:"tax_percent"`
			Net          []int64
			InvoiceTotal int64 `json:"invoice_total"`
		} `json:"credit_notes"`
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Proration) < 10 || len(vectors.Calendar) < 4 || len(vectors.Seats) < 3 || len(vectors.CreditNotes) < 1 {
		t.Fatalf("vectors are missing: %+v", vectors)
	}
	for _, v := range vectors.Proration {
		t.Run("proration/"+v.Name, func(t *testing.T) {
			is(t, "credit", Prorate(Money{v.Paid, v.Currency}, v.Period, v.At, v.Mode), Money{v.Credit, v.Currency})
		})
	}
	for _, v := range vectors.Calendar {
		t.Run("calendar/"+v.Name, func(t *testing.T) {
			is(t, "boundary 0", Boundary(v.Anchor, v.Cycle, 0), v.Anchor)
			for i, want := range v.Boundaries {
				is(t, "boundary", Boundary(v.Anchor, v.Cycle, i+1), want)
			}
		})
	}
	c, err := ParseCatalogue(DefaultCatalogue())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Seats {
		for _, product := range c.Products {
			got, err := product.Choose(PlanChoice{Type: licensing.Users, Cycle: Monthly, Designers: v[0], Viewers: v[1]})
			if err != nil {
				t.Fatal(err)
			}
			for _, other := range product.Plans { // none that covers them is smaller
				if other.Type == licensing.Users && other.Cycle == Monthly && other.Covers >= v[2] && other.Covers < got.Covers {
					t.Errorf("%s: %d people got %s, and %s covers them", product.ID, v[2], got.Tier, other.Tier)
				}
			}
			if got.Covers != 0 && got.Covers < v[2] {
				t.Errorf("%s: %d people got %s", product.ID, v[2], got.Tier)
			}
		}
	}
	for _, v := range vectors.CreditNotes {
		t.Run("credit notes/"+v.Name, func(t *testing.T) {
			var net int64
			for _, n := range v.Net {
				net += n
			}
			_, tax := Tax{Rate: 100 * v.TaxPercent}.split(Money{net, "EUR"}, TaxExclusive)
			is(t, "total of the invoice", net+tax.Amount, v.InvoiceTotal)
			line := PaidLine{Line: Line{Amount: net, Tax: tax.Amount}}
			var noted int64
			for _, n := range v.Net {
				share := line.taxOn(n)
				if share < 0 {
					t.Errorf("tax of %d is %d", n, share)
				}
				noted += n + share
				line.Credited += n
				line.CreditedTax += share
			}
			is(t, "all notes", noted, v.InvoiceTotal)
		})
	}
}
