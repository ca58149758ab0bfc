// Package visual embeds the demonstration packages, one for each product, so that a
// development stack can be seeded with them. They are built by build.mjs from src/.
package visual

import (
	"embed"
	"encoding/json"
	"fmt"
)

//go:embed products.json dist/*.pbiviz
var files embed.FS

// Package is one version of a product's visual.
type Package struct {
	Product   string // the product's id: "calendar-pro"
	Version   string // as the catalogue has it: "2.4.2"; the package itself says "2.4.2.0"
	Changelog string
	Data      []byte // the .pbiviz
}

// Packages returns the demonstration packages in the order of products.json. It panics
// if the embedded files do not fit together, which a test excludes.
func Packages() []Package {
	text, err := files.ReadFile("products.json")
	if err != nil {
		panic(err)
	}
	var products []struct {
		ID        string `json:"id"`
		Version   string `json:"version"`
		Changelog string `json:"changelog"`
	}
	if err := json.Unmarshal(text, &products); err != nil {
		panic(fmt.Errorf("read products.json: %w", err))
	}
	packages := make([]Package, len(products))
	for i, p := range products {
		data, err := files.ReadFile("dist/" + p.ID + "-" + p.Version + ".pbiviz")
		if err != nil {
			panic(err)
		}
		packages[i] = Package{p.ID, p.Version, p.Changelog, data}
	}
	return packages
}
