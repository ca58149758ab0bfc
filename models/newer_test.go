package models

import (
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm/schema"

	"github.com/okviz/licensing/billing"
)

func TestWhatANewerReleaseHasWrittenIsNeitherWrittenOverNorDecidedUpon(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		shop := openShop(t, s)
		sub := shop.buy(newOrder("bea@contoso.example"))
		inv, paid := shop.reserved(newOrder("ada@contoso.example"))
		asked := billing.Request{
			ID: "req_asked", Caller: "operator", Route: "POST /v1/subscriptions/{id}/cancel", Key: "key", Subscription: sub.ID, Command: billing.Command{Action: billing.ActionCancel, Request: "req_asked"},
		}
		_, _, err := s.Begin(ctx, asked, nil, nil)
		must(t, err)
		for _, c := range []struct {
			table, column, key string
			id                 any
			write              func() error
		}{
			{"subscriptions", "state", "id", sub.ID, func() error { _, err := s.Fence(ctx, sub.ID); return err }},
			{"invoices", "detail", "id", inv.ID, func() error { // which writes nothing but the charge
				must(t, s.SetCharge(ctx, inv.ID, "sandbox", "pay_1"))
				return billing.ErrNewerRelease
			}},
			{"invoices", "detail", "id", inv.ID, func() error { return s.Post(ctx, paid) }},
			{"licenses", "plan", "id", sub.License, func() error { return s.SetSites(ctx, sub.License, []string{"one.example"}, 3) }},
			{"orders", "detail", "subscription", sub.ID, func() error { return billing.ErrNewerRelease }}, // never written back
			{"requests", "command", "id", asked.ID, func() error { _, err := s.Confirm(ctx, asked.ID, opening); return err }},
			{"requests", "command", "id", asked.ID, func() error { _, err := s.Request(ctx, asked.ID); return err }},
			{"requests", "command", "id", asked.ID, func() error { _, err := s.RequestOf(ctx, asked.Caller, asked.Route, asked.Key); return err }},
			{"requests", "command", "id", asked.ID, func() error { _, err := s.OpenRequests(ctx, sub.ID); return err }},
		} {
			var was, is string
			read := s.db.Table(c.table).Select(c.column).Where(c.key+" = ?", c.id)
			must(t, read.Scan(&was).Error)
			future := strings.TrimSuffix(strings.TrimSpace(was), "}") + `, "of_a_newer_release": {"amount": 7}}`
			must(t, s.db.Table(c.table).Where(c.key+" = ?", c.id).Update(c.column, future).Error)

			of := sub.ID
			if c.table == "invoices" {
				of = inv.Subscription
			}
			snapshot, err := s.Snapshot(ctx, of)
			must(t, err) // it may be shown
			if decided := c.table != "licenses" && c.table != "requests"; snapshot.Newer != decided {
				t.Errorf("%s: nothing tells that they are a newer release's", c.table)
			}
			if err := c.write(); !errors.Is(err, billing.ErrNewerRelease) {
				t.Errorf("%s were written: %v", c.table, err)
			}
			must(t, s.db.Table(c.table).Select(c.column).Where(c.key+" = ?", c.id).Scan(&is).Error)
			if !strings.Contains(is, "of_a_newer_release") {
				t.Errorf("%s have lost it: %s", c.table, is)
			}
			must(t, s.db.Table(c.table).Where(c.key+" = ?", c.id).Update(c.column, was).Error)
		}
		if snapshot, err := s.Snapshot(ctx, sub.ID); err != nil || snapshot.Newer {
			t.Errorf("this release's own: %v %v", snapshot.Newer, err)
		}
	})
}

var recordRelease = flag.Bool("record-release", false, "write testdata/previous_release.json anew: a row of each table as this release writes it")

const previousRelease = "testdata/previous_release.json"

// The file has a row of each table, with the columns and documents that the
// previous release writes. It stands for a process of it that goes on beside this
// one. Nothing is released yet: until then it may be recorded anew.
func TestThePreviousReleaseGoesOnWithThisReleasesTables(t *testing.T) {
	if *recordRelease {
		text, err := json.MarshalIndent(thisRelease(t), "", " ")
		must(t, err)
		must(t, os.WriteFile(previousRelease, append(text, '\n'), 0o600))
	}
	text, err := os.ReadFile(previousRelease)
	must(t, err)
	var previous map[string]map[string]any
	must(t, json.Unmarshal(text, &previous))
	onEach(t, func(t *testing.T, s *Store) {
		for _, table := range slices.Sorted(maps.Keys(previous)) {
			if err := s.db.Table(table).Create(maps.Clone(previous[table])).Error; err != nil {
				t.Errorf("it can no longer write %s %v: %v", table, slices.Sorted(maps.Keys(previous[table])), err)
			}
		}
		for table, newer := range map[string]func() (bool, error){
			"subscriptions": func() (bool, error) { r, err := one[subscriptionRow](s.db); return r.Newer, err },
			"orders":        func() (bool, error) { r, err := one[orderRow](s.db); return r.Newer, err },
			"invoices":      func() (bool, error) { r, err := one[invoiceRow](s.db); return r.Newer, err },
			"licenses":      func() (bool, error) { r, err := one[licenseRow](s.db); return r.Newer, err },
			"requests":      func() (bool, error) { r, err := one[requestRow](s.db); return r.Newer, err },
		} {
			if newer, err := newer(); err != nil || newer {
				t.Errorf("%s of the previous release hold a field that is gone from this one: %v", table, err)
			}
		}
	})
}

// thisRelease is a row of each table with every field filled.
func thisRelease(t *testing.T) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, row := range rows {
		parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
		must(t, err)
		columns := map[string]any{}
		for _, f := range parsed.Fields {
			if f.DBName == "" || !f.Creatable { // or the database makes it
				continue
			}
			value := reflect.New(f.FieldType).Elem()
			fill(value)
			switch v := value.Interface().(type) {
			case time.Time:
				columns[f.DBName] = v.Format(time.DateTime)
			case *time.Time:
				columns[f.DBName] = v.Format(time.DateTime)
			case []byte:
				columns[f.DBName] = string(v)
			default:
				columns[f.DBName] = v
				if f.Serializer != nil {
					text, err := json.Marshal(v)
					must(t, err)
					columns[f.DBName] = string(text)
				}
			}
		}
		all[parsed.Table] = columns
	}
	return all
}

// fill sets everything within v to something.
func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint('x')
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	default:
		panic("no value of a " + v.Kind().String())
	}
}
