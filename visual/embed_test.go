package visual

import (
	_ "embed"
	"regexp"
	"slices"
	"testing"

	"github.com/okviz/licensing/licensing/pbiviz"
)

//go:embed src/license.ts
var licenseSource string

func TestEveryProductHasAPackageThatCanBeStamped(t *testing.T) {
	names := map[string]string{ // docs/rules.md, What is sold
		"calendar-pro":     "Calendar Pro",
		"smart-filter-pro": "Smart Filter Pro",
		"synoptic-panel":   "Synoptic Panel",
		"bullet-chart":     "Bullet Chart",
		"card-with-states": "Card with States",
	}
	keys := publicKeys(t)
	var guids []string
	for _, p := range Packages() {
		template, err := pbiviz.Parse(p.Data)
		if err != nil {
			t.Fatalf("%s: %v", p.Product, err)
		}
		if err := template.Check(); err != nil {
			t.Errorf("%s: %v", p.Product, err)
		}
		if template.Name() != names[p.Product] {
			t.Errorf("%s is named %q, not %q", p.Product, template.Name(), names[p.Product])
		}
		delete(names, p.Product)
		if template.Version() != p.Version+".0" {
			t.Errorf("%s says version %s, not %s.0", p.Product, template.Version(), p.Version)
		}
		if p.Changelog == "" {
			t.Errorf("%s has no changelog line", p.Product)
		}
		for _, key := range keys {
			if !template.Contains(key) {
				t.Errorf("%s does not know the key %s: run build.mjs", p.Product, key)
			}
		}
		if slices.Contains(guids, template.GUID()) {
			t.Errorf("%s has another product's guid", p.Product)
		}
		guids = append(guids, template.GUID())
	}
	if len(names) > 0 {
		t.Errorf("no package for %v", names)
	}
}

// publicKeys reads thumbprints and keys from the source, so that a package built before
// a rotation is noticed.
func publicKeys(t *testing.T) []string {
	t.Helper()
	var keys []string
	for _, m := range regexp.MustCompile(`"([\w-]{43})": "([\w-]{43})"`).FindAllStringSubmatch(licenseSource, -1) {
		keys = append(keys, m[1], m[2])
	}
	if len(keys) != 4 {
		t.Fatalf("license.ts has %d thumbprints and keys, want 4", len(keys))
	}
	return keys
}
