package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

func TestAnOperationThatGoesSaysSinceWhenAndUntilWhen(t *testing.T) {
	r := gin.New()
	h := humagin.New(r, humaConfig())
	h.UseMiddleware(announce)
	since, sunset := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 31, 10, 0, 0, 0, time.UTC)
	answer := func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }
	huma.Register(h, route(http.MethodGet, "/v1/old", "old", "Goes", "Account", deprecate(since, sunset), bySession()), answer)
	huma.Register(h, route(http.MethodGet, "/v1/new", "new", "Stays", "Account", bySession()), answer)
	completeDescription(h.OpenAPI())
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	old := ask("/v1/old").Header()
	if old.Get("Deprecation") != "@1801353600" || old.Get("Sunset") != "Mon, 31 Jan 2028 10:00:00 GMT" || !strings.Contains(old.Get("Link"), `rel="deprecation"`) {
		t.Errorf("its headers are %v", old)
	}
	if stays := ask("/v1/new").Header(); stays.Get("Deprecation") != "" || stays.Get("Sunset") != "" {
		t.Errorf("one that stays has %v", stays)
	}
	described := ask("/openapi.json").Body.String()
	if strings.Count(described, `"deprecated":true`) != 1 || !strings.Contains(described, `"x-sunset":"2028-01-31"`) {
		t.Error("the description does not say that it goes")
	}
}
