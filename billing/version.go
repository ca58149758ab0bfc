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

	Build       Build      `json:"-"`
	WithdrawnAt *time.Time `json:"-"`
}

// Build is what the engine has found in a package.
type Build struct {
	GUID string   // the visual's
	Kids []string // of the signing keys that its code knows
}

// Check holds the build of a version to those that its product has: all that
// are offered are the same visual to Power BI, or reports would not take the
// new one for the old one. Errors: package_wrong_guid.
func (b Build) Check(version string, others []Version) error {
	for _, o := range others {
		if o.Version != version && !o.Withdrawn() && o.Build.GUID != "" && o.Build.GUID != b.GUID {
			return WrongGUID("is not that of the product's other versions")
		}
	}
	return nil
}

// WrongGUID refuses a package by its visual's guid.
func WrongGUID(why string) error {
	return &Error{Code: CodePackageWrongGUID, Field: "package", Detail: "the visual's guid " + why}
}

// Withdrawn tells whether an operator has taken the version back: it is offered
// to nobody, and the visuals that were built of it are still answered.
func (v Version) Withdrawn() bool { return v.WithdrawnAt != nil }

// Is tells whether a visual's own version is this one: Power
// BI's versions have four numbers, where the catalogue's may have fewer.
func (v Version) Is(said string) bool { return trimZeros(v.Version) == trimZeros(said) }

func trimZeros(version string) string {
	for strings.HasSuffix(version, ".0") {
		version = strings.TrimSuffix(version, ".0")
	}
	return version
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
