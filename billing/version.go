package billing

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// Version is a published package of a product.
type Version struct {
	Version    string    `json:"version"` // "2.4.2"
	ReleasedAt time.Time `json:"released_at"`
	Changelog  string    `json:"changelog"`
}

// Compare orders versions by their numbers: 2.10 comes after 2.9.
func (v Version) Compare(w Version) int {
	a, b := strings.Split(v.Version, "."), strings.Split(w.Version, ".")
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(part(a, i), part(b, i)); c != 0 {
			return c
		}
	}
	return cmp.Compare(v.Version, w.Version)
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i])
	return n
}
