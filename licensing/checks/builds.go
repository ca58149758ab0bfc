package checks

import (
	"context"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
)

// buildsLife is how long it may take until a check knows of a new version.
const buildsLife = 30 * time.Second

// builds keeps which signing keys each version of a product knows, for the
// leases of checks. What gets old is read again aside.
type builds struct {
	store Store
	now   func() time.Time

	mu   sync.Mutex
	kept map[string]builtVersions // by product
}

type builtVersions struct {
	versions []billing.Version
	read     time.Time // or begun to be
}

func newBuilds(store Store, now func() time.Time) *builds {
	return &builds{store: store, now: now, kept: map[string]builtVersions{}}
}

// kids are those of the keys that a version of a product knows, withdrawn or
// not. A product of which no version was ever published comes from elsewhere:
// its kids are nil, and nothing is known of them. A version that is not among
// those that were published is not known to know any key. While the database is
// away, what was read before is good. The product must be one of the catalogue's.
func (b *builds) kids(product, version string) (kids []string, known bool) {
	b.mu.Lock()
	k, kept := b.kept[product]
	switch {
	case !kept: // the one who asks first waits, and so does everybody else
		k = b.read(product, builtVersions{read: b.now()})
		b.kept[product] = k
	case b.now().Sub(k.read) >= buildsLife:
		k.read = b.now()
		b.kept[product] = k // so that it is read once
		go b.refresh(product, k)
	}
	b.mu.Unlock()
	for _, v := range k.versions {
		if v.Is(version) {
			return v.Build.Kids, true
		}
	}
	return nil, len(k.versions) == 0 || version == ""
}

func (b *builds) refresh(product string, was builtVersions) {
	k := b.read(product, was)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept[product].read.Equal(was.read) { // not forgotten meanwhile
		b.kept[product] = k
	}
}

// read reads a product's versions; what was read before stays where the
// database does not answer.
func (b *builds) read(product string, k builtVersions) builtVersions {
	ctx, cancel := context.WithTimeout(context.Background(), checksPatience)
	defer cancel()
	if versions, err := b.store.AllVersions(ctx, product); err == nil {
		k.versions = versions
	}
	return k
}

// ForgetProduct has a product's versions read again before the next lease,
// because they have just been changed here.
func (c *Checks) ForgetProduct(product string) {
	c.builds.mu.Lock()
	defer c.builds.mu.Unlock()
	delete(c.builds.kept, product)
}
