package models

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm/schema"
)

// rows are all row types.
var rows = []any{
	&accountRow{}, &productRow{}, &pictureRow{}, &planRow{}, &priceRow{}, &versionRow{}, &subscriptionRow{}, &orderRow{},
	&requestRow{}, &invoiceRow{}, &paidLineRow{}, &creditNoteRow{}, &balanceRow{}, &balanceEntryRow{},
	&trialClaimRow{}, &paymentMethodRow{}, &licenseRow{}, &outboxRow{}, &eventRow{}, &feedRow{}, &webhookEndpointRow{}, &webhookDeliveryRow{}, &counterRow{}, &apiKeyRow{},
	&testClockRow{}, &sandboxCustomerRow{}, &sandboxMethodRow{}, &sandboxFormRow{}, &sandboxPaymentRow{},
	&loginRow{}, &sessionRow{}, &couponRow{}, &redemptionRow{}, &accountDiscountRow{}, &refundRow{}, &moneyBackRow{}, &quoteRow{},
	&gatewayReferenceRow{}, &cardFormRow{}, &licenseUsageRow{}, &gatewayEventRow{}, &profileRow{}, &attemptRow{}, &operatorRow{}, &operatorSessionRow{}, &auditRow{}, &browserRow{}, &probeRow{}, &leaseRow{}, &searchWordRow{}, &noteRow{}, &movedInRow{}, &statementLineRow{}, &memberRow{}, &emailChangeRow{},
}

func TestRowsAndMigratedTablesHaveTheSameColumns(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		left := map[string]bool{}
		tables, err := s.db.Migrator().GetTables()
		must(t, err)
		for _, table := range tables {
			left[table] = table != "goose_db_version" && table != "sqlite_sequence"
		}
		for _, row := range rows {
			parsed, err := schema.Parse(row, &sync.Map{}, s.db.NamingStrategy)
			must(t, err)
			left[parsed.Table] = false
			columns, err := s.db.Migrator().ColumnTypes(row)
			must(t, err)
			nullable := map[string]bool{}
			for _, c := range columns {
				null, ok := c.Nullable()
				if !ok {
					t.Fatalf("%s.%s: the driver does not tell whether it may be null", parsed.Table, c.Name())
				}
				nullable[c.Name()] = null
			}
			for _, f := range parsed.Fields {
				null, ok := nullable[f.DBName]
				if pointer := f.FieldType.Kind().String() == "ptr"; !ok {
					t.Errorf("%s.%s has a field and no column", parsed.Table, f.DBName)
				} else if null != pointer {
					t.Errorf("%s.%s: column may be null: %v, field may be nil: %v", parsed.Table, f.DBName, null, pointer)
				}
				delete(nullable, f.DBName)
			}
			for name := range nullable {
				t.Errorf("%s.%s has a column and no field", parsed.Table, name)
			}
		}
		for table, unread := range left {
			if unread {
				t.Errorf("table %s has no row type", table)
			}
		}
	})
}

// docs/operators.md says so to whoever thinks of a cluster.
func TestTheSQLHasNothingThatAMySQLClusterLacks(t *testing.T) {
	files, err := filepath.Glob("*.go")
	must(t, err)
	for _, file := range append(files, "migrations/mysql/00001_schema.sql") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		must(t, err)
		for _, word := range []string{"SKIP LOCKED", "GET_LOCK", "AUTO_INCREMENT", "FOREIGN KEY", "TRIGGER", "PROCEDURE", "LOCK TABLES"} {
			if strings.Contains(strings.ToUpper(string(text)), word) {
				t.Errorf("%s: %s", file, word)
			}
		}
	}
}

// What tells two rows apart must do so on both databases alike.
func TestKeysAreCaseSensitiveAndUnique(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		key := func(ref string) error { return s.db.Create(&paymentMethodRow{Ref: ref}).Error }
		must(t, key("pm_aB"))
		must(t, key("pm_ab"))
		must(t, key("pm_áb"))
		if got := fmt.Sprint(key("pm_aB")); got != "duplicated key not allowed" {
			t.Errorf("a key written twice: %v", got)
		}
		got, err := one[paymentMethodRow](s.db.Where("ref = ?", "PM_AB"))
		if err == nil {
			t.Errorf("PM_AB was found as %s", got.Ref)
		}
	})
}
