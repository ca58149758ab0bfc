package models_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestTheSecurityPageSaysWhatPersonalDataEveryTableHas(t *testing.T) {
	schema, err := os.ReadFile("migrations/sqlite/00001_schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Personal data")
	table, _, _ = strings.Cut(table, "\n## ")
	tables := regexp.MustCompile(`CREATE TABLE (\w+)`).FindAllStringSubmatch(string(schema), -1)
	if len(tables) < 30 {
		t.Errorf("only %d tables are found", len(tables))
	}
	for _, m := range tables {
		if !strings.Contains(table, "`"+m[1]+"`") {
			t.Errorf("docs/security.md, Personal data, leaves out %s", m[1])
		}
	}
}
