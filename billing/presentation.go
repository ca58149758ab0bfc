package billing

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Presentation is what the page of a product shows besides its prices. Texts
// that are Markdown say so; the others are plain.
type Presentation struct {
	About     string    `json:"about,omitempty" yaml:"about"` // Markdown
	Pictures  []Picture `json:"pictures,omitempty" yaml:"pictures"`
	Features  []Feature `json:"features,omitempty" yaml:"features"`
	Questions []FAQ     `json:"questions,omitempty" yaml:"questions"`
	Links     []Link    `json:"links,omitempty" yaml:"links"`
	Demo      string    `json:"demo,omitempty" yaml:"demo"` // the address of a report to try
}

// Picture is one that this engine serves.
type Picture struct {
	Image  string `json:"image" yaml:"image"` // its address: /v1/products/calendar-pro/pictures/year.webp
	Alt    string `json:"alt" yaml:"alt"`     // what it shows, for who does not see it
	Width  int64  `json:"width" yaml:"width"` // pixels, as Height: the page keeps room for it
	Height int64  `json:"height" yaml:"height"`
}

// Feature is what a product can do.
type Feature struct {
	Title string `json:"title" yaml:"title"`
	Text  string `json:"text,omitempty" yaml:"text"`
}

// FAQ is a question that customers ask, with its answer in Markdown.
type FAQ struct {
	Question string `json:"question" yaml:"question"`
	Answer   string `json:"answer" yaml:"answer"`
}

// Link leads to more about a product.
type Link struct {
	Label string `json:"label" yaml:"label"`
	URL   string `json:"url" yaml:"url"`
}

// Over is the presentation with what it does not say taken from an earlier one.
func (p Presentation) Over(was Presentation) Presentation {
	if p.About == "" {
		p.About = was.About
	}
	if p.Pictures == nil {
		p.Pictures = was.Pictures
	}
	if p.Features == nil {
		p.Features = was.Features
	}
	if p.Questions == nil {
		p.Questions = was.Questions
	}
	if p.Links == nil {
		p.Links = was.Links
	}
	if p.Demo == "" {
		p.Demo = was.Demo
	}
	return p
}

// Limits of a presentation: bytes of a text, and entries of a list.
const (
	maxProse   = 10_000
	maxLine    = 300
	maxEntries = 20
)

// picturePath is an address of this engine's own, which the policy of the pages
// lets them show.
var picturePath = regexp.MustCompile(`^/([a-z0-9._-]+/)*[a-z0-9_-][a-z0-9._-]*$`)

func (p Presentation) check(at string) error {
	for name, n := range map[string]int{"pictures": len(p.Pictures), "features": len(p.Features), "questions": len(p.Questions), "links": len(p.Links)} {
		if n > maxEntries {
			return refuse(CodeInvalid, at+"."+name, fmt.Sprintf("has more than %d entries", maxEntries))
		}
	}
	if len(p.About) > maxProse {
		return refuse(CodeInvalid, at+".about", fmt.Sprintf("is longer than %d", maxProse))
	}
	if p.Demo != "" && !webAddress(p.Demo) {
		return refuse(CodeInvalid, at+".demo", "is not an address such as https://okviz.example/demo")
	}
	for i, x := range p.Pictures {
		at := fmt.Sprintf("%s.pictures[%d]", at, i)
		switch {
		case len(x.Image) > maxLine || !picturePath.MatchString(x.Image):
			return refuse(CodeInvalid, at+".image", "is not the path of a picture on this host")
		case !line(x.Alt):
			return refuse(CodeInvalid, at+".alt", "says in one line what the picture shows")
		case x.Width < 1 || x.Height < 1 || x.Width > maxProse || x.Height > maxProse:
			return refuse(CodeInvalid, at+".width", "and height are pixels")
		}
	}
	for i, x := range p.Features {
		if !line(x.Title) || len(x.Text) > maxLine {
			return refuse(CodeInvalid, fmt.Sprintf("%s.features[%d]", at, i), "has a title of one line, and a short text")
		}
	}
	for i, x := range p.Questions {
		if !line(x.Question) || strings.TrimSpace(x.Answer) == "" || len(x.Answer) > maxProse {
			return refuse(CodeInvalid, fmt.Sprintf("%s.questions[%d]", at, i), "has a question of one line, and an answer")
		}
	}
	for i, x := range p.Links {
		if !line(x.Label) || !webAddress(x.URL) {
			return refuse(CodeInvalid, fmt.Sprintf("%s.links[%d]", at, i), "has a label of one line, and a url such as https://okviz.example/docs")
		}
	}
	return nil
}

func line(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= maxLine && !strings.ContainsAny(s, "\r\n")
}

// webAddress tells whether a link may lead there.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxLine && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http")
}
