package documents

import (
	"bytes"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/bojanz/currency"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/words"
)

// Where things stand on an A4 page, in millimetres.
const (
	left, right = 22.0, 188.0
	top, bottom = 20.0, 272.0
	footer      = 283.0
	column      = 82.0 // width of the address column
	second      = 118.0
	numbered    = top + 17.0 // of a stamp under the document's number
	unnumbered  = top + 10.5 // of a stamp in its place
	leading     = 4.9        // from one line of text to the next
)

// style is how text looks.
type style struct {
	bold bool
	size float64 // points
	ink  ink
}

type ink [3]int

var (
	black = ink{34, 34, 34}
	grey  = ink{110, 110, 110}
	rule  = ink{205, 205, 205}
	green = ink{30, 120, 70}
	red   = ink{165, 50, 45}

	body   = style{size: 9.5, ink: black}
	strong = style{size: 9.5, ink: black, bold: true}
	quiet  = style{size: 9, ink: grey}
	small  = style{size: 8, ink: grey}
	sender = style{size: 13, ink: black, bold: true}
	title  = style{size: 20, ink: black}
)

// sheet is a document that is being written, from the top down. Errors stay
// in its pdf until bytes asks for them.
type sheet struct {
	*Writer
	in   *words.Language
	pdf  *fpdf.Fpdf
	y    float64 // top of the next line
	head func()  // what is repeated on a page that continues a table
}

// sheet begins a document. at, which may be zero, is the date in its
// properties: never the clock's, so that the same document gives the same bytes.
func (w *Writer) sheet(in *words.Language, name string, at time.Time) *sheet {
	if at.IsZero() {
		at = time.Unix(0, 0) // a draft; fpdf would take the clock
	}
	s := &sheet{Writer: w, in: in, pdf: fpdf.New("P", "mm", "A4", "")}
	s.pdf.SetCatalogSort(true)
	s.pdf.SetCreationDate(at.UTC())
	s.pdf.SetModificationDate(at.UTC())
	s.pdf.SetTitle(string(w.printable(name)), true)
	s.pdf.SetAuthor(string(w.printable(w.vendor.Name)), true)
	s.pdf.SetLang(in.Tag)
	s.pdf.SetAutoPageBreak(false, 0)
	// fpdf writes into the font that it cuts, hence a copy each time.
	s.pdf.AddUTF8FontFromBytes("text", "", bytes.Clone(w.regular))
	if w.bold != nil {
		s.pdf.AddUTF8FontFromBytes("text", "B", bytes.Clone(w.bold))
	}
	s.page()
	return s
}

// bytes ends the document with a footer on every page.
func (s *sheet) bytes(name string) ([]byte, error) {
	pages := s.pdf.PageCount()
	for n := 1; n <= pages; n++ {
		s.pdf.SetPage(n)
		s.write(left, footer, small, s.vendor.Name+" · "+name)
		if pages > 1 {
			s.writeRight(right, footer, small, fmt.Sprintf(s.in.Document.Page, n, pages))
		}
	}
	var b bytes.Buffer
	if err := s.pdf.Output(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (s *sheet) page() {
	s.pdf.AddPage()
	s.y = top
}

// room turns to a new page where height does not fit on this one.
func (s *sheet) room(height float64) {
	if s.y+height <= bottom {
		return
	}
	s.page()
	if s.head != nil {
		s.head()
	}
}

func (s *sheet) use(st style) {
	weight := ""
	if st.bold && s.bold != nil {
		weight = "B"
	}
	s.pdf.SetFont("text", weight, st.size)
	s.pdf.SetTextColor(st.ink[0], st.ink[1], st.ink[2])
}

func (s *sheet) width(p printable) float64 { return s.pdf.GetStringWidth(string(p)) }

func (s *sheet) draw(x, y float64, p printable) { s.pdf.Text(x, y, p.visual()) }

// write puts text on the baseline y, beginning at x.
func (s *sheet) write(x, y float64, st style, text string) {
	s.use(st)
	s.draw(x, y, s.printable(text))
}

// writeRight puts text on the baseline y, ending at x.
func (s *sheet) writeRight(x, y float64, st style, text string) {
	s.use(st)
	p := s.printable(text)
	s.draw(x-s.width(p), y, p)
}

// wrap breaks text into lines of a width: between words, or inside a word
// that is wider than a line.
func (s *sheet) wrap(st style, width float64, text string) []printable {
	s.use(st)
	p := []rune(s.printable(text))
	room := int(width * 72 / 25.4 * 1000 / st.size) // thousandths of an em
	var lines []printable
	for len(p) > 0 {
		used, end, space := 0, 0, 0
		for end < len(p) {
			used += s.pdf.GetStringSymbolWidth(string(p[end]))
			if used > room && end > 0 {
				break
			}
			if p[end] == ' ' {
				space = end
			}
			end++
		}
		next := end
		if end < len(p) && p[end] == ' ' {
			next = end + 1
		} else if end < len(p) && space > 0 {
			end, next = space, space+1
		}
		lines = append(lines, printable(p[:end]))
		p = p[next:]
	}
	return lines
}

// paragraph writes text in lines from s.y on, over as many pages as it takes.
func (s *sheet) paragraph(x, width float64, st style, text string) {
	for _, line := range s.wrap(st, width, text) {
		s.room(leading)
		s.use(st)
		s.y += leading
		s.draw(x, s.y-1.3, line)
	}
}

// hairline draws a rule at s.y.
func (s *sheet) hairline(from float64) {
	s.pdf.SetLineWidth(0.2)
	s.pdf.SetDrawColor(rule[0], rule[1], rule[2])
	s.pdf.Line(from, s.y, right, s.y)
}

// stamp puts a word in a frame whose top is at y and whose right edge is the
// margin.
func (s *sheet) stamp(y float64, word string, colour ink) {
	s.use(style{size: 12, ink: colour, bold: true})
	p := s.printable(word)
	width := s.width(p) + 8
	s.pdf.SetLineWidth(0.5)
	s.pdf.SetDrawColor(colour[0], colour[1], colour[2])
	s.pdf.RoundedRect(right-width-0.25, y, width, 8, 1.2, "1234", "D")
	s.draw(right-width+3.75, y+5.6, p)
}

// fact is a label and its value.
type fact struct{ label, value string }

// heading writes what stands above the lines: the vendor and what the document
// is, the customer and the facts.
func (s *sheet) heading(what, number string, to []string, facts []fact) {
	s.writeRight(right, top+6, title, what)
	s.writeRight(right, top+12.5, style{size: 11, ink: grey}, number)

	s.paragraph(left, column, sender, s.vendor.Name)
	s.y += 1
	for _, line := range s.sender() {
		s.paragraph(left, column, quiet, line)
	}
	s.y = max(s.y+10, top+42)
	s.room(40)

	baseline := s.y + leading - 1.3
	for _, f := range facts {
		s.write(second, baseline, quiet, f.label)
		s.writeRight(right, baseline, body, f.value)
		baseline += leading + 0.6
	}
	page := s.pdf.PageNo()
	s.paragraph(left, column, quiet, s.in.Document.Customer)
	for i, line := range to {
		st := body
		if i == 0 {
			st = strong
		}
		s.paragraph(left, column, st, line)
	}
	if s.pdf.PageNo() == page {
		s.y = max(s.y, baseline)
	}
	s.y += 9
}

// columns begins the table of lines. Amounts end at the margin.
func (s *sheet) columns(quantity, amount string) {
	s.head = func() {
		s.y += leading
		s.write(left, s.y-1.3, quiet, s.in.Document.Description)
		s.writeRight(amounts, s.y-1.3, quiet, quantity)
		s.writeRight(right, s.y-1.3, quiet, amount)
		s.y += 0.8
		s.hairline(left)
		s.y += 1.6
	}
	s.room(24)
	s.head()
}

const (
	amounts = 143.0 // where quantities end and amounts may begin
	gutter  = 22.0  // for quantities
	whole   = 8     // so many lines of one row are kept on one page
)

// row writes one line of the table.
func (s *sheet) row(description, quantity, amount string, period billing.Period) {
	width := amounts - gutter - left
	lines := s.wrap(body, width, description)
	if len(lines) == 0 {
		lines = []printable{"-"}
	}
	if len(lines) < whole {
		s.room(float64(len(lines)+1)*leading + 3)
	}
	for i, line := range lines {
		s.room(leading)
		s.y += leading
		if i == 0 {
			s.writeRight(amounts, s.y-1.3, body, quantity)
			s.writeRight(right, s.y-1.3, body, amount)
		}
		s.use(body)
		s.draw(left, s.y-1.3, line)
	}
	if !period.Start.IsZero() {
		s.paragraph(left, width, small, s.in.ShortDay(period.Start)+" – "+s.in.ShortDay(period.End))
	}
	s.y += 1.6
	s.hairline(left)
	s.y += 1.6
}

// totals ends the table. The last one is what matters.
func (s *sheet) totals(sums []fact) {
	s.head = nil
	s.room(float64(len(sums)) * 6.4)
	s.y += 1
	for i, f := range sums {
		st := body
		if i == len(sums)-1 {
			st = style{size: 11, ink: black, bold: true}
			s.y += 1.4
			s.hairline(second)
			s.y += 1.4
		}
		s.y += leading + 0.6
		s.write(second, s.y-1.6, st, f.label)
		s.writeRight(right, s.y-1.6, st, f.value)
	}
	s.y += 8
}

// money formats an amount; where the fonts lack the
// currency's sign, its code stands instead.
func (s *sheet) money(m billing.Money) string {
	amount, err := currency.NewAmountFromInt64(m.Amount, m.Currency)
	if err != nil {
		s.pdf.SetError(err)
		return ""
	}
	format := s.in.Formatter()
	text := format.Format(amount)
	for _, r := range text {
		if r > '~' && r != '\u00a0' && !s.shows(r) {
			format.CurrencyDisplay = currency.DisplayCode
			return format.Format(amount)
		}
	}
	return text
}
