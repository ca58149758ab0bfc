package api

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg" // the kinds of pictures
	_ "image/png"
	"net/http"
	"regexp"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	_ "golang.org/x/image/webp"

	"github.com/okviz/licensing/billing"
)

const (
	productPath  = "/v1/products/{id}"
	picturePath  = "/v1/operator/products/{id}/pictures/{name}"
	pictureRoute = "/v1/operator/products/:id/pictures/:name" // the same, as Gin spells it
)

// ProductPage is a product with all that its page shows.
type ProductPage struct {
	Product
	About     string            `json:"about" doc:"HTML: headings, paragraphs, lists, emphasis and links, and nothing else."`
	Pictures  []billing.Picture `json:"pictures"`
	Features  []billing.Feature `json:"features"`
	Questions []billing.FAQ     `json:"questions" doc:"With the answers as HTML, as about is."`
	Links     []billing.Link    `json:"links"`
	Demo      *string           `json:"demo" doc:"The address of a report to try."`
}

func (s *shop) presentationRoutes(h huma.API) {
	huma.Register(h, route(http.MethodGet, productPath, "get-product", "A product with all that its page shows", "Catalogue"), s.product)
	huma.Register(h, route(http.MethodGet, productPath+"/pictures/{name}", "get-picture", "A picture of a product", "Catalogue", file("image/webp", "image/png", "image/jpeg")), s.picture)
}

func (s *operators) pictureRoutes(h huma.API) {
	huma.Register(h, route(http.MethodPut, picturePath, "put-picture", "Store a picture of a product, or replace it", "Operator", operator(billing.OperatorAdmin)), s.putPicture)
	huma.Register(h, route(http.MethodDelete, picturePath, "delete-picture", "Remove a picture of a product", "Operator", operator(billing.OperatorAdmin), status(http.StatusNoContent)), s.deletePicture)
}

func (s *shop) product(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*struct{ Body ProductPage }, error) {
	p, err := s.Store.Product(ctx, in.ID)
	if err != nil {
		return nil, s.answer(err)
	}
	v, err := s.viewProduct(ctx, p, "")
	if err != nil {
		return nil, s.answer(err)
	}
	out := ProductPage{
		Product: v, Pictures: append([]billing.Picture{}, p.Pictures...), Features: append([]billing.Feature{}, p.Features...),
		Questions: append([]billing.FAQ{}, p.Questions...), Links: append([]billing.Link{}, p.Links...), Demo: text(p.Demo),
	}
	if out.About, err = prose(p.About); err != nil {
		return nil, s.answer(err)
	}
	for i, q := range p.Questions {
		if out.Questions[i].Answer, err = prose(q.Answer); err != nil {
			return nil, s.answer(err)
		}
	}
	return &struct{ Body ProductPage }{out}, nil
}

// allowed is what may be in a product's texts, whatever Markdown lets through.
var allowed = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h2", "h3", "h4", "p", "br", "hr", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http", "mailto")
	p.AllowRelativeURLs(false)
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(false)
	p.RequireNoReferrerOnLinks(true)
	return p
})

// prose is Markdown as clean HTML.
func prose(markdown string) (string, error) {
	var b bytes.Buffer
	if err := goldmark.Convert([]byte(markdown), &b); err != nil {
		return "", err
	}
	return allowed().Sanitize(b.String()), nil
}

// PictureInput names a picture of a product.
type PictureInput struct {
	ID   string `path:"id" maxLength:"64"`
	Name string `path:"name" maxLength:"80"`
}

type pictureOutput struct {
	ContentType  string `header:"Content-Type"`
	CacheControl string `header:"Cache-Control"`
	Policy       string `header:"Content-Security-Policy"`
	Body         []byte
}

func (s *shop) picture(ctx context.Context, in *PictureInput) (*pictureOutput, error) {
	kind, data, err := s.Store.Picture(ctx, in.ID, in.Name)
	if err != nil {
		return nil, s.answer(err)
	}
	return &pictureOutput{kind, "public, max-age=3600", "default-src 'none'; sandbox", data}, nil
}

// Limits of pictures.
const (
	maxPicture = 1 << 20 // bytes
	maxSide    = 4000    // pixels
)

var pictureName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,59}\.(png|jpg|webp)$`)

// pictureKinds are content types by what a picture is found to be.
var pictureKinds = map[string]string{"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

// PictureBody is a picture.
type PictureBody struct {
	Data []byte `json:"data" contentEncoding:"base64" doc:"PNG, JPEG or WebP, at most 1 MiB and 4000 pixels a side."`
}

// StoredPicture is what the catalogue says of a picture, but for its alt text.
type StoredPicture struct {
	Image  string `json:"image"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func (s *operators) putPicture(ctx context.Context, in *struct {
	PictureInput
	Body PictureBody
}) (*struct{ Body StoredPicture }, error) {
	if !pictureName.MatchString(in.Name) {
		return nil, invalid("name", "is not a name such as overview.webp: lower-case letters, digits, - and _, and png, jpg or webp")
	}
	if len(in.Body.Data) > maxPicture {
		return nil, invalid("data", "is larger than 1 MiB")
	}
	is, format, err := image.DecodeConfig(bytes.NewReader(in.Body.Data))
	if err != nil || pictureKinds[format] == "" || is.Width > maxSide || is.Height > maxSide {
		return nil, invalid("data", "is not a PNG, JPEG or WebP picture of at most 4000 pixels a side")
	}
	if err := s.Store.PutPicture(ctx, in.ID, in.Name, pictureKinds[format], in.Body.Data); err != nil {
		return nil, s.answer(err)
	}
	return &struct{ Body StoredPicture }{StoredPicture{fmt.Sprintf("/v1/products/%s/pictures/%s", in.ID, in.Name), is.Width, is.Height}}, nil
}

func (s *operators) deletePicture(ctx context.Context, in *PictureInput) (*struct{}, error) {
	if err := s.Store.DeletePicture(ctx, in.ID, in.Name); err != nil {
		return nil, s.answer(err)
	}
	return nil, nil
}
