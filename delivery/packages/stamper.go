// Package packages makes the file that a licensee receives: the published package
// of a visual with the licence's token stamped into it.
package packages

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

// Stamper stamps packages. It keeps the templates that it has made.
type Stamper struct {
	store Store
	keys  licensing.KeyRing
	term  licensing.FileTerm

	inspecting sync.Mutex // one upload at a time: each takes seconds of a core and some 200 MiB

	mu    sync.Mutex
	forms map[string]form // by product and version
}

// form is a version's package, ready to be stamped.
type form struct {
	released time.Time // a package that takes another's place is released later
	template *pbiviz.Template
	kids     []string // of the keys that its code knows
}

// NewStamper makes a stamper that signs with a key ring, for so long.
func NewStamper(store Store, keys licensing.KeyRing, term licensing.FileTerm) *Stamper {
	return &Stamper{store: store, keys: keys, term: term, forms: map[string]form{}}
}

// Stamp makes the file of a licence for a version of its product, the newest
// where none is named. stamped is the version; it is empty, and there is no
// file, where that version is not offered. A licence that is no longer valid
// is an error, and so is a version that knows none of the keys that sign.
func (p *Stamper) Stamp(ctx context.Context, l licensing.Issued, version string, now time.Time) (file billing.Attachment, stamped string, err error) {
	name, write, stamped, err := p.Open(ctx, l, version, now)
	if err != nil || stamped == "" {
		return file, "", err
	}
	var out bytes.Buffer
	if err := write(&out); err != nil {
		return file, "", err
	}
	return billing.Attachment{Name: name, ContentType: "application/octet-stream", Data: out.Bytes()}, stamped, nil
}

// Open is Stamp without the file in memory: write writes it, the same each time.
func (p *Stamper) Open(ctx context.Context, l licensing.Issued, version string, now time.Time) (name string, write func(io.Writer) error, stamped string, err error) {
	versions, err := p.store.Versions(ctx, l.Product)
	if err != nil {
		return "", nil, "", err
	}
	for _, v := range versions {
		if version != "" && v.Version != version {
			continue
		}
		f, err := p.form(ctx, l.Product, v)
		if err != nil {
			return "", nil, "", err
		}
		l.ValidUntil = p.term.Ends(l.ValidUntil, l.MoneyBackUntil, now)
		token, err := p.keys.Sign(licensing.Embedded(l.License, now), f.kids...)
		if err != nil {
			return "", nil, "", fmt.Errorf("signing for %s, in %s %s: %w", l.ID, l.Product, v.Version, err)
		}
		write := func(w io.Writer) error {
			if err := f.template.Stamp(w, token); err != nil {
				return fmt.Errorf("stamping %s %s: %w", l.Product, v.Version, err)
			}
			return nil
		}
		return fmt.Sprintf("%s-%s.pbiviz", l.Product, v.Version), write, v.Version, nil
	}
	return "", nil, "", nil
}

// Newest is the newest version that a product offers; empty if it offers none.
func (p *Stamper) Newest(ctx context.Context, product string) (version string, err error) {
	versions, err := p.store.Versions(ctx, product)
	if err != nil || len(versions) == 0 {
		return "", err
	}
	return versions[0].Version, nil
}

// Inspect holds a package to what can be published, and says what it is: it
// must parse, carry a public key that tokens can be signed for, and read back
// once it is stamped. Errors are *pbiviz.Error and *billing.Error
// package_without_key.
func (p *Stamper) Inspect(pkg []byte) (billing.Build, error) {
	p.inspecting.Lock()
	defer p.inspecting.Unlock()
	t, err := pbiviz.Parse(pkg)
	if err != nil {
		return billing.Build{}, err
	}
	kids := p.keys.KnownTo(t.Contains)
	if _, err := p.keys.Signer(kids...); len(kids) == 0 || err != nil {
		return billing.Build{}, &billing.Error{Code: billing.CodePackageWithoutKey, Field: "package", Detail: "the visual's code contains none of the public signing keys, so it could never verify a licence"}
	}
	if err := t.Check(); err != nil {
		return billing.Build{}, err
	}
	return billing.Build{GUID: t.GUID(), Kids: kids}, nil
}

func (p *Stamper) form(ctx context.Context, product string, v billing.Version) (form, error) {
	key := product + " " + v.Version
	p.mu.Lock()
	f, known := p.forms[key]
	p.mu.Unlock()
	if known && f.released.Equal(v.ReleasedAt) {
		return f, nil
	}
	pkg, err := p.store.Package(ctx, product, v.Version)
	if err != nil {
		return f, fmt.Errorf("package %s: %w", key, err)
	}
	f = form{released: v.ReleasedAt, kids: v.Build.Kids}
	if f.template, err = pbiviz.Parse(pkg); err != nil {
		return f, fmt.Errorf("package %s: %w", key, err)
	}
	p.mu.Lock()
	p.forms[key] = f
	p.mu.Unlock()
	return f, nil
}
