package api_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

// dot is a PNG of one pixel.
const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"

const presented = `products:
  - id: calendar-pro
    name: Calendar Pro
    trial: true
    demo: https://okviz.example/demo
    about: |
      Pick **days**, [see](javascript:alert(1)) [more](https://okviz.example/more "x").

      <script>alert(1)</script><img src=x onerror=alert(1)> ![p](https://evil.example/p.png)

      - one
    pictures: [{image: /v1/products/calendar-pro/pictures/year.png, alt: A year, width: 1, height: 1}]
    features: [{title: Fast, text: "<b>Very</b>"}]
    questions: [{question: "Why?", answer: "Because *so*. <iframe src=x></iframe>"}]
    links: [{label: Manual, url: "https://okviz.example/manual"}]
    plans: []
`

func TestAProductsPageHasCleanedTextsFromTheCatalogue(t *testing.T) {
	s := newShop(t)
	s.ask("POST", "/v1/operator/catalog", presented, asOperator, "Content-Type: application/yaml").want(200, "")
	p := s.ask("GET", "/v1/products/calendar-pro", "").want(200, "")
	about := p.text("about")
	for _, want := range []string{"<strong>days</strong>", `href="https://okviz.example/more"`, "<li>one</li>"} {
		if !strings.Contains(about, want) {
			t.Errorf("%s is missing: %s", want, about)
		}
	}
	for _, text := range []string{about, p.at("questions").([]any)[0].(map[string]any)["answer"].(string)} {
		for _, bad := range []string{"<script", "javascript:", "onerror", "<img", "<iframe", "title="} {
			if strings.Contains(text, bad) {
				t.Errorf("%s is left: %s", bad, text)
			}
		}
	}
	if a := p.at("questions").([]any)[0].(map[string]any)["answer"]; a != "<p>Because <em>so</em>. </p>\n" {
		t.Errorf("the answer is %q", a)
	}
	if p.text("demo") != "https://okviz.example/demo" || fmt.Sprint(p.at("features")) != "[map[text:<b>Very</b> title:Fast]]" || len(p.at("plans").([]any)) == 0 {
		t.Errorf("the product is %s", p.body)
	}
	// What a later document does not say stays.
	s.ask("POST", "/v1/operator/catalog", "products: [{id: calendar-pro, name: Calendar Pro, trial: true, features: [{title: Faster}], plans: []}]", asOperator, "Content-Type: application/yaml").want(200, "")
	after := s.ask("GET", "/v1/products/calendar-pro", "").want(200, "")
	if after.text("about") != about || fmt.Sprint(after.at("features")) != "[map[title:Faster]]" {
		t.Errorf("then it is %s", after.body)
	}
	s.ask("GET", "/v1/products/none", "").want(404, "not_found")
}

func TestACatalogueMustNotShowWhatThePagesCannot(t *testing.T) {
	s := newShop(t)
	for field, at := range map[string]string{
		"demo: 'javascript:alert(1)'": "demo",
		"pictures: [{image: 'https://cdn.example/a.png', alt: A, width: 1, height: 1}]": "pictures[0].image",
		"pictures: [{image: '//cdn.example/a.png', alt: A, width: 1, height: 1}]":       "pictures[0].image",
		"pictures: [{image: /a.png, width: 1, height: 1}]":                              "pictures[0].alt",
		"pictures: [{image: /a.png, alt: A}]":                                           "pictures[0].width",
		"links: [{label: A, url: 'data:text/html,x'}]":                                  "links[0]",
		"features: [{text: A}]":                                                         "features[0]",
		"questions: [{question: A}]":                                                    "questions[0]",
		"about: '" + strings.Repeat("x", 10_001) + "'":                                  "about",
	} {
		a := s.ask("POST", "/v1/operator/catalog", "products: [{id: a, name: A, plans: [], "+field+"}]", asOperator, "Content-Type: application/yaml").want(422, "invalid")
		if got := a.at("errors").([]any)[0].(map[string]any)["field"]; got != "products[0]."+at {
			t.Errorf("%.60s: it speaks of %v", field, got)
		}
	}
}

func TestAPictureIsStoredAndServedAsWhatItIs(t *testing.T) {
	s := newShop(t)
	const at, to = "/v1/products/calendar-pro/pictures/year.png", "/v1/operator/products/calendar-pro/pictures/"
	s.ask("GET", at, "").want(404, "not_found")
	stored := s.ask("PUT", to+"year.png", `{"data":"`+dot+`"}`, asOperator).want(200, "")
	if stored.text("image") != at || stored.at("width") != 1.0 || stored.at("height") != 1.0 {
		t.Errorf("stored as %s", stored.body)
	}
	got := s.ask("GET", at, "").want(200, "")
	data, err := base64.StdEncoding.DecodeString(dot)
	check(t, err)
	if string(got.body) != string(data) {
		t.Error("another picture is served")
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff", "Cache-Control": "public, max-age=3600",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), want)
		}
	}
	for name, body := range map[string]string{
		"year.svg": dot, "Year.png": dot, "page.png": base64.StdEncoding.EncodeToString([]byte("<html><script>alert(1)</script>")),
		"drawing.png": base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)),
		"large.png":   base64.StdEncoding.EncodeToString(append(data, make([]byte, 1<<20)...)),
	} {
		s.ask("PUT", to+name, `{"data":"`+body+`"}`, asOperator).want(422, "invalid")
	}
	s.ask("PUT", "/v1/operator/products/none/pictures/year.png", `{"data":"`+dot+`"}`, asOperator).want(404, "not_found")
	s.ask("DELETE", to+"year.png", "", asOperator).want(204, "")
	s.ask("DELETE", to+"year.png", "", asOperator).want(404, "not_found")
	s.ask("GET", at, "").want(404, "not_found")
}
