package api

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
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

func (s *operators) versionRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, versionsPath, "list-versions", "A visual's packages, the newest first, including withdrawn ones", "Operator", operator(billing.OperatorRoles...)), s.listVersions)
	huma.Register(h, route(http.MethodPut, versionPath, "put-version", "Publish a visual's package", "Operator", operator(billing.OperatorAdmin)), s.putVersion)
	huma.Register(h, route(http.MethodDelete, versionPath, "withdraw-version", "Withdraw a package; the one before it becomes the newest", "Operator", operator(billing.OperatorAdmin)), s.withdrawVersion)
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

func (s *operators) listVersions(ctx context.Context, in *struct {
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

func (s *operators) putVersion(ctx context.Context, in *struct {
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
	s.Checks.ForgetProduct(in.ID)
	return s.version(ctx, in.VersionInput)
}

func (s *operators) withdrawVersion(ctx context.Context, in *VersionInput) (*struct{ Body PublishedVersion }, error) {
	if err := s.Store.WithdrawVersion(ctx, in.ID, in.Version); err != nil {
		return nil, s.answer(err)
	}
	return s.version(ctx, *in)
}

// version reads what a version has become.
func (s *operators) version(ctx context.Context, in VersionInput) (*struct{ Body PublishedVersion }, error) {
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
