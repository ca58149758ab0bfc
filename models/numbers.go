package models

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/okviz/licensing/billing"
)

// The series of documents, each of which begins anew with each year, and the one
// of subscriptions, which does not.
var series = []string{"INV", "CN", "Q"}

const subscriptionSeries = "subscription"

// RaiseNumbers skips numbers of every series, so that an older copy of the
// database gives none a second time. It answers with a line for each series.
func (s *Store) RaiseNumbers(ctx context.Context, by int64) ([]string, error) {
	return s.raise(ctx, func(tx *gorm.DB) (map[string]int64, error) {
		to := map[string]int64{subscriptionSeries: by}
		for _, name := range series {
			to[fmt.Sprintf("%s-%d", name, s.db.NowFunc().Year())] = by
		}
		var rows []counterRow
		if err := tx.Where("name NOT IN ?", []string{auditCounter, catalogueCounter, feedCounter}).Find(&rows).Error; err != nil {
			return nil, err
		}
		for _, r := range rows {
			to[r.Name] = r.Value + by
		}
		return to, nil
	})
}

// RaiseNumber skips all numbers of a series up to and including one that was
// given: INV-2026-000123, or subscription-123. Errors: a *billing.Error invalid.
func (s *Store) RaiseNumber(ctx context.Context, given string) ([]string, error) {
	i := strings.LastIndex(given, "-")
	n, err := strconv.ParseInt(given[i+1:], 10, 64)
	name := given[:max(i, 0)]
	year, of := "", false
	for _, s := range series {
		if rest, is := strings.CutPrefix(name, s+"-"); is {
			year, of = rest, true
		}
	}
	if _, yearErr := strconv.ParseUint(year, 10, 16); err != nil || n < 1 || name != subscriptionSeries && (!of || len(year) != 4 || yearErr != nil) {
		return nil, &billing.Error{Code: billing.CodeInvalid, Field: "number", Detail: "is no number such as INV-2026-000123, CN-2026-000123, Q-2026-000123 or subscription-123"}
	}
	return s.raise(ctx, func(*gorm.DB) (map[string]int64, error) { return map[string]int64{name: n}, nil })
}

// raise raises counters, and lowers none.
func (s *Store) raise(ctx context.Context, counters func(tx *gorm.DB) (map[string]int64, error)) (lines []string, err error) {
	err = s.tx(ctx, func(tx *gorm.DB) error {
		lines = nil
		to, err := counters(tx)
		if err != nil {
			return err
		}
		was := map[string]int64{}
		for _, name := range slices.Sorted(maps.Keys(to)) { // everybody locks in one order
			row, err := lockedOrNew(tx, &counterRow{Name: name}, "name = ?", name)
			if err != nil {
				return err
			}
			if row.Value >= to[name] {
				delete(to, name)
				continue
			}
			was[name] = row.Value
			if err := tx.Model(&counterRow{}).Where("name = ?", name).Update("value", to[name]).Error; err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s: the next number is %d, it was %d", name, to[name]+1, row.Value+1))
		}
		if len(lines) == 0 {
			return nil
		}
		return s.audit(ctx, tx, "numbers.raise", billing.AuditNumbers, was, to)
	})
	return lines, err
}
