package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// Product is a visual that is sold.
type Product struct {
	ID           string               `json:"id"`
	Name         string               `json:"name"`
	Description  string               `json:"description"`
	Icon         *string              `json:"icon"`
	Activation   licensing.Activation `json:"activation" enum:"none,licensee,entra"`
	Trial        bool                 `json:"trial"`
	Version      *string              `json:"version" doc:"The newest published version; null if there is none yet."`
	ChangelogURL *string              `json:"changelog_url"`
	Plans        []ProductPlan        `json:"plans"`
}

// ProductPlan is a plan with its prices.
type ProductPlan struct {
	Plan
	Covers *int64          `json:"covers" doc:"Number of people covered, for type users; null for no limit."`
	Prices []billing.Money `json:"prices" doc:"The price of one unit for one cycle."`
}

func (s *shop) catalogueRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, "/v1/products", "list-products", "Products, plans and prices", "Catalogue"), s.listProducts)
	s.presentationRoutes(h)
}

func (s *shop) listProducts(ctx context.Context, in *struct {
	Currency string `query:"currency" maxLength:"3" doc:"Show only plans that have a price in this currency."`
}) (*struct{ Body List[Product] }, error) {
	in.Currency = strings.ToUpper(in.Currency) // as an order takes it
	if in.Currency != "" && !billing.ValidCurrency(in.Currency) {
		return nil, refusal(billing.CodeUnknownCurrency, "currency", "is not a currency")
	}
	products, err := s.Store.Products(ctx)
	if err != nil {
		return nil, s.answer(err)
	}
	out := &struct{ Body List[Product] }{List[Product]{Data: []Product{}}}
	for _, p := range products {
		v, err := s.viewProduct(ctx, p, in.Currency)
		if err != nil {
			return nil, s.answer(err)
		}
		out.Body.Data = append(out.Body.Data, v)
	}
	return out, nil
}

// viewProduct is a product with the plans that have a price in a currency; empty: all.
func (s *shop) viewProduct(ctx context.Context, p billing.Product, currency string) (Product, error) {
	v := Product{
		ID: p.ID, Name: p.Name, Description: p.Description, Icon: text(p.Icon), Activation: p.Activation,
		Trial: p.Trial, ChangelogURL: text(p.ChangelogURL), Plans: []ProductPlan{},
	}
	versions, err := s.Store.Versions(ctx, p.ID)
	if err != nil {
		return v, err
	}
	if len(versions) > 0 {
		v.Version = &versions[0].Version
	}
	for _, plan := range p.Plans {
		vp := ProductPlan{Plan: viewPlan(plan.Ref()), Prices: []billing.Money{}}
		if plan.Covers > 0 {
			vp.Covers = &plan.Covers
		}
		for _, price := range plan.Prices {
			if currency == "" || price.Currency == currency {
				vp.Prices = append(vp.Prices, price.Money)
			}
		}
		if len(vp.Prices) > 0 {
			v.Plans = append(v.Plans, vp)
		}
	}
	return v, nil
}

// orUnknown gives what is not found in a request's body its own code.
func orUnknown(err error, code billing.Code, field, detail string) error {
	if errors.Is(err, billing.ErrNotFound) {
		return refusal(code, field, detail)
	}
	return err
}
