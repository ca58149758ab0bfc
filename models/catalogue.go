package models

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// Products reads the whole catalogue with the newest prices, in the order of
// the document that brought it.
func (s *Store) Products(ctx context.Context) ([]billing.Product, error) {
	var rows []productRow
	db := s.db.WithContext(ctx)
	if err := db.Order("position, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	products := make([]billing.Product, len(rows))
	for i, r := range rows {
		var err error
		if products[i], err = r.product(db); err != nil {
			return nil, err
		}
	}
	return products, nil
}

// Product reads one product with the newest prices. Errors: ErrNotFound.
func (s *Store) Product(ctx context.Context, id string) (billing.Product, error) {
	db := s.db.WithContext(ctx)
	version, err := one[counterRow](db.Where("name = ?", catalogueCounter))
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return billing.Product{}, err
	}
	return s.sold.product(db, id, version.Value)
}

// catalogueCounter counts the changes of the catalogue: what was read at a count is
// good for as long as that is the count.
const catalogueCounter = "catalogue"

// remembered are the products that were read.
type remembered struct {
	mu       sync.Mutex
	products map[string]rememberedProduct
}

type rememberedProduct struct {
	version int64 // of the catalogue
	billing.Product
}

// product is a product in a version of the catalogue, or in a newer one.
func (s *remembered) product(tx *gorm.DB, id string, version int64) (billing.Product, error) {
	s.mu.Lock()
	known, ok := s.products[id]
	s.mu.Unlock()
	if ok && known.version == version {
		return known.Product, nil
	}
	row, err := one[productRow](tx.Where("id = ?", id))
	if err != nil {
		return billing.Product{}, fmt.Errorf("product: %w", err)
	}
	p, err := row.product(tx)
	if err == nil {
		s.mu.Lock()
		s.products[id] = rememberedProduct{version, p}
		s.mu.Unlock()
	}
	return p, err
}

// covers is how many users a plan covers, as its product was last read.
func (s *remembered) covers(tx *gorm.DB, product, plan string) (int64, error) {
	s.mu.Lock()
	p, err := s.products[product].Plan(plan)
	s.mu.Unlock()
	if err == nil {
		return p.Covers, nil
	}
	row, err := one[planRow](tx.Where("id = ?", plan))
	if err != nil {
		return 0, fmt.Errorf("plan %s: %w", plan, err)
	}
	return row.Covers, nil
}

func (r productRow) product(tx *gorm.DB) (billing.Product, error) {
	p := billing.Product{
		ID: r.ID, Name: r.Name, Description: r.Description, Icon: r.Icon, ChangelogURL: r.ChangelogURL,
		Activation: r.Activation, Proration: r.Proration, Trial: r.Trial,
	}
	var err error
	if p.Presentation, err = r.presentation(); err != nil {
		return p, err
	}
	var plans []planRow
	if err := tx.Where("product = ?", r.ID).Order("position, id").Find(&plans).Error; err != nil {
		return p, err
	}
	ids := make([]string, len(plans))
	for i, pl := range plans {
		ids[i] = pl.ID
	}
	var prices []priceRow
	if err := tx.Where("plan IN ?", ids).Order("plan, currency, version").Find(&prices).Error; err != nil {
		return p, err
	}
	newest := map[string][]billing.Price{}
	for _, v := range prices {
		price := v.price()
		list := newest[v.Plan]
		if n := len(list); n > 0 && list[n-1].Currency == v.Currency {
			list[n-1] = price
		} else {
			list = append(list, price)
		}
		newest[v.Plan] = list
	}
	for _, pl := range plans {
		prices := newest[pl.ID]
		// Dollars first, as the catalogue's documents have it; the rest by code.
		slices.SortStableFunc(prices, func(a, b billing.Price) int {
			if (a.Currency == "USD") != (b.Currency == "USD") {
				if a.Currency == "USD" {
					return -1
				}
				return 1
			}
			return 0
		})
		p.Plans = append(p.Plans, billing.Plan{ID: pl.ID, Type: pl.Type, Tier: pl.Tier, Covers: pl.Covers, Cycle: pl.Cycle, Prices: prices})
	}
	return p, nil
}

func (r productRow) presentation() (p billing.Presentation, err error) {
	if r.Presentation != "" {
		err = json.Unmarshal([]byte(r.Presentation), &p)
	}
	return p, err
}

func (r priceRow) price() billing.Price {
	return billing.Price{ID: r.ID, Money: billing.Money{Amount: r.Amount, Currency: r.Currency}, Tax: r.Tax}
}

// ApplyCatalogue brings a catalogue document in and answers with the list of
// changes, in words; a dry run changes nothing. Products and plans that it
// does not name stay, and so does of a product's description, icon, changelog and
// presentation what it does not say. A changed price becomes a new version.
func (s *Store) ApplyCatalogue(ctx context.Context, c billing.Catalogue, dryRun bool) ([]string, error) {
	changes := []string{}
	errDry := errors.New("dry run")
	err := s.tx(ctx, func(tx *gorm.DB) error {
		changes = changes[:0]
		for i, p := range c.Products {
			if err := applyProduct(tx, int64(i), p, &changes); err != nil {
				return err
			}
		}
		if dryRun {
			return errDry
		}
		if len(changes) == 0 {
			return nil
		}
		if _, err := count(tx, catalogueCounter); err != nil {
			return err
		}
		return s.audit(ctx, tx, "catalog.apply", "catalog", nil, map[string]any{"changes": changes})
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return changes, err
}

func applyProduct(tx *gorm.DB, position int64, p billing.Product, changes *[]string) error {
	was, err := one[productRow](locked(tx).Where("id = ?", p.ID))
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return err
	}
	shown, wrong := was.presentation()
	if wrong != nil {
		return wrong
	}
	doc, wrong := json.Marshal(p.Presentation.Over(shown))
	if wrong != nil {
		return wrong
	}
	row := productRow{
		p.ID, position, p.Name, cmp.Or(p.Description, was.Description), cmp.Or(p.Icon, was.Icon), cmp.Or(p.ChangelogURL, was.ChangelogURL),
		p.Activation, p.Proration, p.Trial, string(doc),
	}
	switch {
	case err != nil:
		*changes = append(*changes, "+ product "+p.ID)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
	case was != row:
		row.Position = was.Position
		if was != row {
			*changes = append(*changes, "~ product "+p.ID+": "+strings.Join(was.differences(row), ", "))
		}
		if err := save(tx, p.ID, &row); err != nil {
			return err
		}
	}
	for i, pl := range p.Plans {
		row := planRow{pl.ID, p.ID, int64(i), pl.Type, pl.Tier, pl.Covers, pl.Cycle}
		was, err := one[planRow](tx.Where("id = ?", pl.ID))
		switch {
		case err != nil && !errors.Is(err, billing.ErrNotFound):
			return err
		case err != nil:
			*changes = append(*changes, "+ plan "+pl.ID)
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
		case was.Covers != row.Covers:
			*changes = append(*changes, fmt.Sprintf("~ plan %s covers %s → %s", pl.ID, users(was.Covers), users(row.Covers)))
			if err := save(tx, pl.ID, &row); err != nil {
				return err
			}
		}
		for _, price := range pl.Prices {
			if err := applyPrice(tx, pl.ID, price, changes); err != nil {
				return err
			}
		}
	}
	return nil
}

// differences names what a document says otherwise of a product; texts are too
// long to be shown.
func (r productRow) differences(next productRow) []string {
	list := []string{}
	differ := func(name string, was, is any, shown bool) {
		switch {
		case was == is:
		case shown:
			list = append(list, fmt.Sprintf("%s %v → %v", name, was, is))
		default:
			list = append(list, name)
		}
	}
	differ("name", r.Name, next.Name, false)
	differ("description", r.Description, next.Description, false)
	differ("icon", r.Icon, next.Icon, false)
	differ("changelog_url", r.ChangelogURL, next.ChangelogURL, false)
	differ("presentation", r.Presentation, next.Presentation, false)
	differ("activation", r.Activation, next.Activation, true)
	differ("proration", r.Proration, next.Proration, true)
	differ("trial", r.Trial, next.Trial, true)
	return list
}

func users(covers int64) string {
	if covers == 0 {
		return "all"
	}
	return strconv.FormatInt(covers, 10)
}

func applyPrice(tx *gorm.DB, plan string, price billing.Price, changes *[]string) error {
	was, err := one[priceRow](tx.Where("plan = ? AND currency = ?", plan, price.Currency).Order("version DESC").Limit(1))
	switch {
	case err != nil && !errors.Is(err, billing.ErrNotFound):
		return err
	case err == nil && was.Amount == price.Amount && was.Tax == price.Tax:
		return nil
	case err == nil:
		*changes = append(*changes, fmt.Sprintf("~ price %s: %s → %s", plan, was.price(), price))
	default:
		*changes = append(*changes, fmt.Sprintf("+ price %s: %s", plan, price))
	}
	return tx.Create(&priceRow{
		ID: NewID("pri"), Plan: plan, Currency: price.Currency, Version: was.Version + 1, Amount: price.Amount, Tax: price.Tax,
	}).Error
}
