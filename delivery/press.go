// Package delivery makes the file that a licensee receives: the published
// package of a visual, stamped with the licence's token.
package delivery

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/pbiviz"
)

// Store keeps the published packages.
type Store interface {
	Versions(ctx context.Context, product string) ([]billing.Version, error)
	Package(ctx context.Context, product, version string) ([]byte, error)
}

// Press stamps packages. It keeps the templates that it has made.
type Press struct {
	store Store
	keys  licensing.KeyRing

	mu        sync.Mutex
	templates map[string]*pbiviz.Template // by product, version and release
}

// NewPress makes a press that signs with a key ring.
func NewPress(store Store, keys licensing.KeyRing) *Press {
	return &Press{store: store, keys: keys, templates: map[string]*pbiviz.Template{}}
}

// Stamp makes the file of a licence for a version of its product, the newest
// where none is named. stamped is the version; it is empty, and there is no
// file, where that version has not been published. A licence that is no
// longer valid is an error, and so is a package that could not verify it.
func (p *Press) Stamp(ctx context.Context, l licensing.Issued, version string, now time.Time) (file billing.Attachment, stamped string, err error) {
	versions, err := p.store.Versions(ctx, l.Product)
	if err != nil {
		return file, "", err
	}
	for _, v := range versions {
		if version != "" && v.Version != version {
			continue
		}
		t, err := p.template(ctx, l.Product, v)
		if err != nil {
			return file, "", err
		}
		kids := p.known(t)
		if len(kids) == 0 {
			return file, "", &licensing.Error{Code: licensing.UnknownKey, Detail: "the code of " + l.Product + " " + v.Version + " knows none of the signing keys"}
		}
		token, err := p.keys.Sign(licensing.Embedded(l.License, now), kids...)
		if err != nil {
			return file, "", fmt.Errorf("signing for %s: %w", l.ID, err)
		}
		var out bytes.Buffer
		if err := t.Stamp(&out, token); err != nil {
			return file, "", fmt.Errorf("stamping %s %s: %w", l.Product, v.Version, err)
		}
		return billing.Attachment{
			Name: fmt.Sprintf("%s-%s.pbiviz", l.Product, v.Version), ContentType: "application/octet-stream", Data: out.Bytes(),
		}, v.Version, nil
	}
	return file, "", nil
}

// Check holds a package to what can be published: it must parse, and carry a
// public key that a token can be signed for. Errors are *pbiviz.Error and
// *billing.Error package_without_key.
func (p *Press) Check(pkg []byte) error {
	t, err := pbiviz.Parse(pkg)
	if err != nil {
		return err
	}
	if len(p.known(t)) == 0 {
		return &billing.Error{Code: billing.CodePackageWithoutKey, Field: "package", Detail: "the visual's code contains none of the public signing keys, so it could never verify a licence"}
	}
	return nil
}

// known lists the kids of the keys that a package's code carries.
func (p *Press) known(t *pbiviz.Template) []string {
	var kids []string
	for _, key := range []licensing.Key{p.keys.Current, p.keys.Next} {
		if !key.IsZero() && t.Contains(key.ID()) {
			kids = append(kids, key.ID())
		}
	}
	return kids
}

func (p *Press) template(ctx context.Context, product string, v billing.Version) (*pbiviz.Template, error) {
	key := product + " " + v.Version + " " + v.ReleasedAt.Format(time.RFC3339)
	p.mu.Lock()
	t := p.templates[key]
	p.mu.Unlock()
	if t != nil {
		return t, nil
	}
	pkg, err := p.store.Package(ctx, product, v.Version)
	if err != nil {
		return nil, fmt.Errorf("package %s %s: %w", product, v.Version, err)
	}
	if t, err = pbiviz.Parse(pkg); err != nil {
		return nil, fmt.Errorf("package %s %s: %w", product, v.Version, err)
	}
	p.mu.Lock()
	p.templates[key] = t
	p.mu.Unlock()
	return t, nil
}
