package api

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/okviz/licensing/billing"
)

const (
	versionsPath = "/v1/operator/products/{id}/versions"
	versionPath  = versionsPath + "/{version}"
	versionRoute = "/v1/operator/products/:id/versions/:version" // the same, as Gin spells it
	// maxChangelog is the most bytes that a version's changelog may have.
	maxChangelog = 4 << 10
)

func (s *server) versionRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, versionsPath, "list-versions", "A visual's packages, the newest first, including withdrawn ones", "Operator", operator), s.listVersions)
	huma.Register(h, route(http.MethodPut, versionPath, "put-version", "Publish a visual's package", "Operator", operator), s.putVersion)
	huma.Register(h, route(http.MethodDelete, versionPath, "withdraw-version", "Withdraw a package; the one before it becomes the newest", "Operator", operator), s.withdrawVersion)
}

// PublishedVersion is a version as the operator sees it.
type PublishedVersion struct {
	billing.Version
	GUID        string     `json:"guid" doc:"The visual's GUID, as stated in its package."`
	Kids        []string   `json:"kids" doc:"Ids of the signing keys that the visual's code knows."`
	WithdrawnAt *time.Time `json:"withdrawn_at" doc:"When it was withdrawn; null while it is offered. Publishing it again clears this."`
}

func viewVersion(v billing.Version) PublishedVersion {
	return PublishedVersion{Version: v, GUID: v.Build.GUID, Kids: append([]string{}, v.Build.Kids...), WithdrawnAt: v.WithdrawnAt}
}

// VersionInput names a version of a product.
type VersionInput struct {
	ID      string `path:"id" maxLength:"64"`
	Version string `path:"version" maxLength:"30"`
}

func (s *server) listVersions(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body List[PublishedVersion] }, error) {
	if _, err := s.Store.Product(ctx, in.ID); err != nil {
		return nil, s.answer(err)
	}
	versions, err := s.Store.AllVersions(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	list := List[PublishedVersion]{Data: make([]PublishedVersion, len(versions))}
	for i, v := range versions {
		list.Data[i] = viewVersion(v)
	}
	return &struct{ Body List[PublishedVersion] }{list}, nil
}

var versionName = regexp.MustCompile(`^[0-9]{1,5}(\.[0-9]{1,5}){1,3}$`)

func (s *server) putVersion(ctx context.Context, in *struct {
	VersionInput
	RawBody huma.MultipartFormFiles[struct {
		Package   huma.FormFile `form:"package" contentType:"application/octet-stream" required:"true"`
		Changelog string        `form:"changelog"`
	}]
}) (*struct{ Body PublishedVersion }, error) {
	if !versionName.MatchString(in.Version) {
		return nil, invalid("version", "is not a version such as 2.4.2")
	}
	form := in.RawBody.Data()
	defer func() { // what did not fit into memory lies in files
		if err := in.RawBody.Form.RemoveAll(); err != nil {
			s.Log.Warn("a form's files were not removed", "error", err)
		}
	}()
	if len(form.Changelog) > maxChangelog || !printable(form.Changelog, '\n', '\r', '\t') {
		return nil, invalid("changelog", "is longer than 4 KiB, or has characters that cannot be printed")
	}
	pkg, err := io.ReadAll(form.Package)
	if err != nil {
		return nil, s.answer(err)
	}
	build, err := s.Files.Inspect(pkg)
	if err == nil {
		err = s.Store.PutVersion(ctx, in.ID, billing.Version{Version: in.Version, Changelog: form.Changelog, Build: build}, pkg)
	}
	if err != nil {
		return nil, s.answer(err)
	}
	s.builds.forget(in.ID)
	return s.version(ctx, in.VersionInput)
}

func (s *server) withdrawVersion(ctx context.Context, in *VersionInput) (*struct{ Body PublishedVersion }, error) {
	if err := s.Store.WithdrawVersion(ctx, in.ID, in.Version); err != nil {
		return nil, s.answer(err)
	}
	return s.version(ctx, *in)
}

// version reads what a version has become.
func (s *server) version(ctx context.Context, in VersionInput) (*struct{ Body PublishedVersion }, error) {
	versions, err := s.Store.AllVersions(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	i := slices.IndexFunc(versions, func(v billing.Version) bool { return v.Version == in.Version })
	if i < 0 {
		return nil, s.answer(billing.ErrNotFound)
	}
	return &struct{ Body PublishedVersion }{viewVersion(versions[i])}, nil
}

// buildsLife is how long it may take until a check knows of a new version.
const buildsLife = 30 * time.Second

// builds keeps which signing keys each version of a product knows, for the
// leases of checks. What gets old is read again aside.
type builds struct {
	store interface {
		AllVersions(ctx context.Context, product string) ([]billing.Version, error)
	}
	now func() time.Time

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
// not; none where nobody has published it, as where it came from elsewhere.
// While the database is away, what was read before is good. The product must
// be one of the catalogue's.
func (b *builds) kids(product, version string) []string {
	b.mu.Lock()
	k, known := b.kept[product]
	switch {
	case !known: // whoever asks first waits, and so does everybody else
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
			return v.Build.Kids
		}
	}
	return nil
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

// forget has a product's versions read again before the next lease, because
// they have just been changed here.
func (b *builds) forget(product string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.kept, product)
}
