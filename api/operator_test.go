package api_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/visual"
)

// form is a multipart body: a changelog and a file, each where it is not empty.
func form(changelogField, changelog, fileField string, file []byte) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if changelogField != "" {
		_ = w.WriteField(changelogField, changelog)
	}
	if fileField != "" {
		part, _ := w.CreateFormFile(fileField, marker+".pbiviz")
		_, _ = part.Write(file)
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func (s *shop) put(product, version, changelog string, file []byte) answer {
	s.t.Helper()
	body, contentType := form("changelog", changelog, "package", file)
	a := s.ask("PUT", "/v1/operator/products/"+product+"/versions/"+version, body, asOperator, "Content-Type: "+contentType)
	a.what = "PUT " + version
	return a
}

func zipped(t *testing.T, entries int, name string, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range entries {
		f, err := w.Create(fmt.Sprintf("%s%d", name, i))
		check(t, err)
		_, err = f.Write(make([]byte, size))
		check(t, err)
	}
	check(t, w.Close())
	return b.Bytes()
}

func TestPublishingAVersion(t *testing.T) {
	s := newShop(t)
	pkg := visual.Packages()[0].Data
	a := s.put("calendar-pro", "2.10.0", "Line one.\nLine two 😀.", pkg).want(200, "")
	hasForm(t, "version", a.body, map[string]any{"version": "text", "released_at": "instant", "changelog": "text", "guid": "text", "kids": []any{"text"}, "withdrawn_at": "?instant"})
	if got := s.ask("GET", "/v1/products", "").at("data").([]any)[0].(map[string]any)["version"]; got != "2.10.0" {
		t.Errorf("the newest version is %v", got)
	}
	s.put("calendar-pro", "2.10.0", "Again.", pkg).want(200, "")
	s.put("calendar-pro", "2.10.1", "", pkg).want(422, "invalid") // what is new belongs to a version
	license := s.buy().want(201, "").text("license.id")
	file := s.ask("GET", "/v1/licenses/"+license+"/download?version=2.4.2", "", asOperator).want(200, "")
	if file.header.Get("Content-Disposition") != `attachment; filename="calendar-pro-2.4.2.pbiviz"` || file.header.Get("Cache-Control") != "no-store" || len(file.body) <= len(pkg) {
		t.Errorf("a file of %d bytes with %v", len(file.body), file.header)
	}
	s.ask("GET", "/v1/licenses/"+license+"/download?version="+marker, "", asOperator).want(409, "no_version")

	for _, version := range []string{marker, "1", "v1.2", "1.2.3.4.5", "1..2", "123456.1", "-1.2", "1.2%20", "1.2.x"} {
		s.put("calendar-pro", version, "x", pkg).want(422, "invalid")
	}
	s.put(marker, "1.0.0", "x", pkg).want(404, "not_found")
	s.put("calendar-pro", "3.0.0", strings.Repeat("x", 4097), pkg).want(422, "invalid")
	s.put("calendar-pro", "3.0.0", "a\x00b", pkg).want(422, "invalid")
	for name, c := range map[string]struct {
		pkg  []byte
		code string
	}{
		"no zip":            {[]byte(marker), ""},
		"empty":             {nil, ""},
		"no package":        {zipped(t, 1, marker, 10), ""},
		"too many entries":  {zipped(t, 65, marker, 1), "package_too_large"},
		"inflates too much": {zipped(t, 2, "a", 40<<20), "package_too_large"},
		"without our key":   {activitiestest.Package(t, "another-key-"+marker), "package_without_key"},
		"cut":               {pkg[:len(pkg)/2], ""},
		"more than 16 MiB":  {append(bytes.Clone(pkg), make([]byte, 16<<20)...), "package_too_large"},
		"an entry twice":    {twice(t), ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			a := s.put("calendar-pro", "3.0.0", "x", c.pkg).want(422, c.code)
			if got := a.text("code"); !strings.HasPrefix(got, "package_") && got != "invalid" {
				t.Errorf("code %s", got)
			}
		})
	}
	s.t = t
	s.put("calendar-pro", "3.0.0", "x", make([]byte, 18<<20)).want(413, "too_large")
	path := "/v1/operator/products/calendar-pro/versions/3.0.0"
	s.ask("PUT", path, `{"package":"x"}`, asOperator).want(415, "unsupported_media_type")
	s.ask("PUT", path, marker, asOperator, "Content-Type: multipart/form-data").want(400, "malformed")
	s.ask("PUT", path, marker, asOperator, "Content-Type: multipart/form-data; boundary="+marker).want(400, "malformed")
	s.ask("PUT", path, "--x\r\n"+marker, asOperator, "Content-Type: multipart/form-data; boundary=x").want(400, "malformed")
	s.ask("PUT", path, "", asOperator).want(415, "unsupported_media_type")
	body, contentType := form("changelog", "x", "", nil)
	s.ask("PUT", path, body, asOperator, "Content-Type: "+contentType).want(422, "invalid")
	body, contentType = form("changelog", "x", marker, pkg)
	s.ask("PUT", path, body, asOperator, "Content-Type: "+contentType).want(422, "invalid")
	for _, p := range s.ask("GET", "/v1/licenses/"+license, "", asOperator).at("versions").([]any) {
		if v := p.(map[string]any)["version"]; v != "2.4.2" && v != "2.10.0" {
			t.Errorf("%v has been published", v)
		}
	}
}

// twice is a zip with an entry that is there twice.
func twice(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for range 2 {
		_, err := w.Create(marker)
		check(t, err)
	}
	check(t, w.Close())
	return b.Bytes()
}

func TestTheCatalogueOverHTTP(t *testing.T) {
	s := newShop(t)
	apply := func(query, doc string) answer {
		t.Helper()
		return s.ask("POST", "/v1/operator/catalog"+query, doc, asOperator, "Content-Type: application/yaml")
	}
	yaml := "products:\n- id: new-visual\n  name: New Visual\n  plans:\n  - {type: users, tier: 1-20, covers: 20, cycle: monthly, prices: [{amount: 500, currency: USD}]}\n"
	json := `{"products":[{"id":"new-visual","name":"New Visual","plans":[{"type":"users","tier":"1-20","covers":20,"cycle":"monthly","prices":[{"amount":600,"currency":"USD"}]}]}]}`
	changes := func(a answer) int { t.Helper(); return len(a.want(200, "").at("changes").([]any)) }
	products := func() int { return len(s.ask("GET", "/v1/products", "").at("data").([]any)) }
	if changes(apply("?dry_run=true", yaml)) == 0 || products() != 5 {
		t.Error("a dry run tells nothing, or changes something")
	}
	if changes(apply("", yaml)) != 3 || products() != 6 {
		t.Error("the document was not brought in")
	}
	if changes(apply("?dry_run=false", yaml)) != 0 {
		t.Error("the same document changes something")
	}
	if changes(apply("", json)) != 1 {
		t.Error("a changed price is not one change")
	}
	if changes(apply("", "products: []")) != 0 || products() != 6 {
		t.Error("what a document does not name does not stay")
	}
	for doc, field := range map[string]string{
		"products:\n- id: " + marker:                           "products[0].id",
		"products:\n- {id: a, name: A, " + marker + ": 1}":     "line 2",
		"products:\n- {id: a, name: A, trial: " + marker + "}": "line 2",
		"products: " + marker:                                  "line 1",
		marker:                                                 "line 1",
		"[]":                                                   "line 1",
		"null":                                                 "line 1",
		"a: *" + marker:                                        "",
		"{\"products\":[{\"id\":\"" + marker + "\"":                            "",
		"products:\n- {id: a, name: A, plans: [{type: " + marker + "}]}":       "products[0].plans[0].type",
		"products:\n- {id: a, name: A, plans: [{type: site, cycle: monthly}]}": "products[0].plans[0].prices",
		"products: []\n---\nproducts: []":                                      "",
		strings.Replace(yaml, "500", "5.00", 1):                                "",
		strings.Replace(yaml, "500", "-5", 1):                                  "products[0].plans[0].prices[0].amount",
		strings.Replace(yaml, "500", "99999999999999999999999"+marker, 1):      "",
		strings.Replace(yaml, "USD", marker[:3], 1):                            "products[0].plans[0].prices[0].currency",
		strings.Replace(yaml, "users", "users, type: "+marker, 1):              "",
		"products:\n- {id: a, name: A}\n- {id: a, name: B}":                    "products[1].id",
		"\t" + marker + ": [":                                                  "",
		"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nproducts: *c":              "",
		strings.Repeat("[", 5000):                                              "",
	} {
		a := apply("", doc).want(422, "invalid")
		errors, _ := a.at("errors").([]any)
		if field == "" {
			continue
		}
		if len(errors) != 1 || errors[0].(map[string]any)["field"] != field {
			t.Errorf("%q: errors %v, want one of %s", short(doc), errors, field)
		}
	}
	apply("", "").want(400, "malformed")
	apply("", "products: [\xff]").want(400, "malformed")
	s.ask("POST", "/v1/operator/catalog", "products: [\xff]", asOperator, "Content-Type: multipart/form-data; boundary=x").want(400, "malformed")
	apply("", "#"+strings.Repeat("x", 1<<20)).want(413, "too_large")
	apply("?dry_run="+marker, yaml).want(422, "invalid")
}

func TestWhatEndingAtOnceGivesBackIsToldBefore(t *testing.T) {
	s := newShop(t)
	id := s.buy().want(201, "").text("subscription.id")
	at := "/v1/operator/subscriptions/" + id + "/cancel-now"
	preview := s.ask("GET", at, "", asOperator).want(200, "")
	if preview.at("full.card.amount") != 990.0 || preview.at("full.balance.amount") != 0.0 {
		t.Errorf("all is %s", preview.body)
	}
	s.ask("POST", at, `{"refund":"full"}`, asOperator, withKey()).want(200, "")
	s.ask("GET", at, "", asOperator).want(409, "not_possible_now")
}
