package mail

import (
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"strings"
	"sync"
	texttemplate "text/template"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

//go:embed templates
var templates embed.FS

// template is that of a kind of email, twice: as HTML and as plain text.
type template struct {
	html *htmltemplate.Template
	text *texttemplate.Template
}

// languages are the templates of each language, which are parsed once.
var languages = sync.OnceValues(func() (map[string]map[billing.NoticeKind]template, error) {
	read := map[string]map[billing.NoticeKind]template{}
	for _, tag := range words.Tags() {
		kinds, err := readTemplates(tag)
		if err != nil {
			return nil, err
		}
		read[tag] = kinds
	}
	return read, nil
})

// written is the template of an email: mails to the operator are in the default
// language.
func (s *Sender) written(l billing.Email) (template, bool) {
	byKind, ok := s.templates[l.Language]
	if !ok || l.To == billing.RoleOperator {
		byKind = s.templates[words.Default]
	}
	t, ok := byKind[l.Kind]
	return t, ok
}

// readTemplates parses every kind's template of a language.
func readTemplates(language string) (map[billing.NoticeKind]template, error) {
	dir := path.Join("templates", language)
	in := words.In(language)
	said := map[string]any{"money": in.Money, "date": in.Instant, "day": in.Day, "plan": in.PlanOf, "language": func() string { return language }}
	read := func(name string) (source string) {
		b, err := templates.ReadFile(name)
		if err != nil {
			panic("mail: " + err.Error()) // it is in the binary, or the build is broken
		}
		return string(b)
	}
	kinds, err := fs.Glob(templates, path.Join(dir, "*.tmpl"))
	if err != nil || len(kinds) == 0 {
		return nil, fmt.Errorf("mail: there are no templates in %s", dir)
	}
	byKind := map[billing.NoticeKind]template{}
	for _, file := range kinds {
		kind := strings.TrimSuffix(path.Base(file), ".tmpl")
		if kind == "parts" {
			continue
		}
		source := oneLine(read(path.Join(dir, "parts.tmpl")) + read(file))
		html, err := htmltemplate.New("layout").Funcs(said).Parse(read("templates/layout.html"))
		if err == nil {
			html, err = html.Parse(htmlElements.Replace(source))
		}
		if err != nil {
			return nil, fmt.Errorf("mail: reading the template %s as HTML: %w", kind, err)
		}
		text, err := texttemplate.New("layout").Funcs(said).Parse(read("templates/layout.txt"))
		if err == nil {
			text, err = text.Parse(textElements.Replace(source))
		}
		if err != nil {
			return nil, fmt.Errorf("mail: reading the template %s as text: %w", kind, err)
		}
		byKind[billing.NoticeKind(kind)] = template{html, text}
	}
	return byKind, nil
}

// page is what a template sees.
type page struct {
	billing.Email
	Brand    Brand
	Greeted  string // the name to greet by, or nothing
	Attached bool   // there is a file in the mail
}

// render writes an email. Its errors name the template, nothing of the email.
func (t template) render(l billing.Email, b Brand) (subject, text, html string, err error) {
	for _, s := range []*string{&l.Name, &l.ProductName, &l.InvoiceNumber, &l.QuoteNumber, (*string)(&l.LicenseID), &l.Licensee, &l.Version, &l.Link, &l.Account, &l.Member} {
		*s = clean(*s)
	}
	p := page{Email: l, Brand: b, Attached: len(l.Attachments) > 0}
	if billing.LooksLikeName(l.Name) {
		p.Greeted = l.Name
	}
	var out strings.Builder
	write := func(execute func() error) string {
		out.Reset()
		if err == nil {
			err = execute()
		}
		return out.String()
	}
	subject = strings.TrimSpace(write(func() error { return t.text.ExecuteTemplate(&out, "subject", p) }))
	text = tidy(write(func() error { return t.text.Execute(&out, p) }))
	html = write(func() error { return t.html.Execute(&out, p) })
	return subject, text, html, err
}
