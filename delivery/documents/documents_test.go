package documents_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/image/font/gofont/gomono"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/documents"
	"github.com/okviz/licensing/licensing"
)

var vendor = documents.Vendor{
	Name:    "Example Visuals Srl",
	Address: []string{"Via Roma 1", "10121 Torino TO", "Italy"},
	VATID:   "IT12345670017",
	Bank:    []string{"Banca Esempio", "IBAN IT60 X054 2811 1010 0000 0123 456"},
	Email:   "billing@example.com",
	URL:     "https://visuals.example.com",
}

func date(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 9, 30, 0, 0, time.UTC) }

var year = billing.Period{Start: date(2026, 1, 31), End: date(2027, 1, 31)}

// greek is an order of two nodes less 10 %, with VAT of 24 %, that changed
// from a monthly plan: 2 × 990.00 − 198.00; a credit of 12.34 and 2.96 VAT.
// Net 1980.00 − 198.00 − 12.34 = 1769.66; VAT 427.68 − 2.96 = 424.72;
// total 2194.38; less 94.38 of the balance: 2100.00.
func greek() (billing.Invoice, billing.BillingDetails) {
	return billing.Invoice{
			ID: "inv_1", Number: "2026-000042", Status: billing.InvoicePaid, Currency: "EUR",
			Lines: []billing.Line{
				{ID: "inv_1.1", Kind: billing.LineService, Description: "Synoptic Panel, capacity P1 or F64, yearly", Quantity: 2, Amount: 198000, Discount: 19800, Tax: 42768, Period: year},
				{ID: "inv_1.2", Kind: billing.LineCredit, Description: "Unused time: Synoptic Panel, users 1-20, monthly", Quantity: 1, Amount: -1234, Tax: -296, Period: billing.Period{Start: date(2026, 1, 10), End: date(2026, 2, 10)}},
			},
			BalanceApplied: 9438,
			IssuedAt:       date(2026, 1, 31), PaidAt: date(2026, 1, 31),
		}, billing.BillingDetails{
			Contact: billing.Contact{Name: "Ελένη Παπαδοπούλου", Email: "eleni@example.gr"},
			Company: "Παράδειγμα Α.Ε.", Line1: "Οδός Ερμού 15", Postal: "105 63", City: "Αθήνα", Country: "GR",
		}
}

// yen is a site licence whose VAT the customer accounts for.
func yen() (billing.Invoice, billing.BillingDetails) {
	return billing.Invoice{
			ID: "inv_2", Number: "2026-000043", Status: billing.InvoiceOpen, Currency: "JPY", TaxNote: billing.ReverseChargeNote,
			Lines:    []billing.Line{{ID: "inv_2.1", Kind: billing.LineService, Description: "Calendar Pro, site licence, yearly", Quantity: 12, Amount: 540000, Period: year}},
			IssuedAt: date(2026, 1, 1), DueAt: date(2026, 1, 31),
		}, billing.BillingDetails{
			Contact: billing.Contact{Name: "Иван Петров"}, Company: "Пример ЕООД", VATID: "BG175074752",
			Line1: "бул. Витоша 1", Line2: "ет. 3", Postal: "1000", City: "София", Region: "Sofia City", Country: "BG",
		}
}

func writer(t testing.TB, font []byte) *documents.Writer {
	t.Helper()
	w, err := documents.New(vendor, font)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func invoice(t testing.TB, inv billing.Invoice, to billing.BillingDetails) []byte {
	t.Helper()
	pdf, err := writer(t, nil).Invoice(inv, to)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// text is what a reader sees, each row of the page on one line with single
// spaces.
func text(t testing.TB, pdf []byte) string {
	t.Helper()
	cmd := exec.Command(tool(t, "pdftotext"), "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	var warnings bytes.Buffer
	cmd.Stderr = &warnings
	out, err := cmd.Output()
	if err != nil || warnings.Len() > 0 {
		t.Fatalf("pdftotext: %v\n%s", err, warnings.String())
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(lines, "\n")
}

func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%s (poppler-utils) is missing", name)
	default:
		t.Skipf("%s (poppler-utils) is missing", name)
	}
	return path
}

func want(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("there is no %q in\n%s", part, got)
		}
	}
}

func never(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(got, part) {
			t.Errorf("there is %q in\n%s", part, got)
		}
	}
}

func TestAPaidInvoiceShowsEveryFigure(t *testing.T) {
	inv, to := greek()
	got := text(t, invoice(t, inv, to))
	want(t, got,
		"Example Visuals Srl", "Via Roma 1", "10121 Torino TO", "Italy", "VAT IT12345670017", "billing@example.com", "https://visuals.example.com",
		"Invoice", "2026-000042", "PAID", "Issued 31 Jan 2026", "Paid 31 Jan 2026",
		"Παράδειγμα Α.Ε.", "Ελένη Παπαδοπούλου", "Οδός Ερμού 15", "105 63 Αθήνα", "Greece",
		"Description Quantity Amount (EUR)",
		"Synoptic Panel, capacity P1 or F64, yearly 2 €1,980.00", "31 Jan 2026 – 31 Jan 2027",
		"Unused time: Synoptic Panel, users 1-20, monthly 1 -€12.34", "10 Jan 2026 – 10 Feb 2026",
		"Subtotal €1,967.66", "Discount -€198.00", "VAT 24% €424.72", "Total €2,194.38",
		"From account balance -€94.38", "Amount paid €2,100.00",
	)
	never(t, got, "DRAFT", "VOID", "Due", "Page ", "eleni@", "bank", "IBAN")
}

func TestAnOpenInvoiceInYenWithReverseCharge(t *testing.T) {
	inv, to := yen()
	got := text(t, invoice(t, inv, to))
	want(t, got,
		"2026-000043", "Issued 1 Jan 2026", "Due 31 Jan 2026",
		"Пример ЕООД", "Иван Петров", "бул. Витоша 1", "ет. 3", "1000 София, Sofia City", "Bulgaria", "VAT BG175074752",
		"Calendar Pro, site licence, yearly 12 ¥540,000", "Amount (JPY)",
		"Subtotal ¥540,000", "VAT ¥0", "Total ¥540,000", "Amount due ¥540,000",
		"Reverse charge: VAT to be accounted for by the recipient", "2006/112/EC",
	)
	never(t, got, "DRAFT", "VOID", "PAID", "Discount", "balance")
}

func TestAnOpenInvoiceSaysHowItIsPaidAndWhenAnOrdersPeriodBegins(t *testing.T) {
	inv, to := yen()
	transfer := []string{"Please pay by bank transfer", "Banca Esempio", "IBAN IT60 X054 2811 1010 0000 0123 456", "Reference: 2026-000043"}
	const begins = "The period begins on the day on which the payment arrives."
	got := text(t, invoice(t, inv, to))
	want(t, got, transfer...)
	never(t, got, begins)
	inv.Lines[0].Period = billing.Period{}
	want(t, text(t, invoice(t, inv, to)), append(transfer, begins)...)
	inv.Status = billing.InvoiceVoid
	never(t, text(t, invoice(t, inv, to)), append(transfer, begins)...)
}

func TestDocumentsAreInTheLanguageOfTheirInvoice(t *testing.T) {
	inv, to := greek()
	inv.Language = "it"
	inv.Lines[0].Product, inv.Lines[0].Plan = "Synoptic Panel", billing.PlanRef{Type: licensing.Capacity, Tier: "P1 or F64", Cycle: billing.Yearly}
	inv.TaxNote = billing.ReverseChargeNote
	to.PurchaseOrder, to.CostCenter = "PO 4711", "CC 12"
	got := text(t, invoice(t, inv, to))
	want(t, got,
		"Fattura", "Emessa il 31 gen 2026", "Ordine di acquisto PO 4711", "Centro di costo CC 12", "Cliente", "Grecia", "P. IVA IT12345670017",
		"Descrizione Quantità Importo (EUR)", "Synoptic Panel – Capacità P1 o F64", "31 gen 2026 – 31 gen 2027",
		"Imponibile 1967,66 €", "Sconto -198,00 €", "IVA 24% 424,72 €", "Totale 2194,38 €", "Dal saldo del conto -94,38 €", "Importo pagato 2100,00 €", "Inversione contabile",
	)
	never(t, got, "Invoice", "Issued", "Customer", "yearly", "Greece", "Reverse charge", "€1", "Jan")

	pdf, err := writer(t, nil).CreditNote(billing.CreditNote{ID: "cn_1", Number: "CN-2026-000001", Invoice: inv.ID, Line: inv.Lines[0].ID, Currency: "EUR", Net: 1000, Tax: 240, Reason: "change", IssuedAt: date(2026, 3, 1)}, inv, to)
	if err != nil {
		t.Fatal(err)
	}
	got = text(t, pdf)
	want(t, got, "Nota di credito", "Per la fattura", "Nota emessa il 1 mar 2026", "Accredito: Synoptic Panel", "Totale accreditato 12,40 €", "cambio di piano", "PO 4711")
	never(t, got, "Credit note", "Reason", "Total ")
}

func TestAStatementListsItsMovementsInTheAccountsLanguage(t *testing.T) {
	eur := func(amount int64) billing.Money { return billing.Money{Amount: amount, Currency: "EUR"} }
	st := billing.AccountStatement{
		Currency: "EUR", From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Opening: eur(500), Closing: eur(-300),
		Rows: []billing.Movement{
			{At: date(2026, 1, 31), Kind: billing.MovedByInvoice, Document: "INV-2026-000042", Amount: eur(1208), Balance: eur(1708)},
			{At: date(2026, 2, 1), Kind: billing.MovedByPayment, Document: "INV-2026-000042", Amount: eur(-1908), Balance: eur(-200)},
			{At: date(2026, 2, 2), Kind: billing.MovedByMovingIn, Amount: eur(-100), Balance: eur(-300)},
		},
	}
	_, to := greek()
	for language, says := range map[string][]string{
		"":   {"Statement of account", "From 1 Jan 2026", "Until 31 Dec 2026", "Opening balance €5.00", "31 Jan 2026 · Invoice INV-2026-000042 €12.08 €17.08", "1 Feb 2026 · Payment of INV-2026-000042 -€19.08 -€2.00", "2 Feb 2026 · Balance from our former system -€1.00 -€3.00", "Closing balance -€3.00", "Greece"},
		"it": {"Estratto conto", "Dal 1 gen 2026", "Al 31 dic 2026", "Saldo iniziale 5,00 €", "31 gen 2026 · Fattura INV-2026-000042 12,08 € 17,08 €", "2 feb 2026 · Saldo del nostro sistema precedente -1,00 € -3,00 €", "Saldo finale -3,00 €", "Grecia"},
	} {
		pdf, err := writer(t, nil).Statement(st, language, to)
		if err != nil {
			t.Fatal(err)
		}
		want(t, text(t, pdf), says...)
	}
}

func TestStatusesAreMarked(t *testing.T) {
	inv, to := yen()
	inv.Number, inv.Status, inv.IssuedAt, inv.DueAt = "", billing.InvoiceDraft, time.Time{}, time.Time{}
	got := text(t, invoice(t, inv, to))
	want(t, got, "DRAFT", "Draft invoice", "Amount due ¥540,000")
	never(t, got, "PAID", "VOID", "Issued", "Due", "1970", "0001")
	inv, to = yen()
	inv.Status = billing.InvoiceVoid
	want(t, text(t, invoice(t, inv, to)), "VOID", "2026-000043")
}

func TestACreditNoteNamesItsInvoiceAndReason(t *testing.T) {
	inv, to := greek()
	inv.TaxNote = "A note on tax."
	n := billing.CreditNote{
		ID: "cn_1", Number: "CN-2026-000007", Invoice: "inv_1", Line: "inv_1.1", Currency: "EUR",
		Net: 10050, Tax: 2412, Reason: "change", IssuedAt: date(2026, 3, 1),
	}
	w := writer(t, nil)
	pdf, err := w.CreditNote(n, inv, to)
	if err != nil {
		t.Fatal(err)
	}
	got := text(t, pdf)
	want(t, got,
		"Credit note", "CN-2026-000007", "For invoice 2026-000042", "Invoice issued 31 Jan 2026", "Credit issued 1 Mar 2026",
		"Credit: Synoptic Panel, capacity P1 or F64, yearly €100.50", "31 Jan 2026 – 31 Jan 2027",
		"Subtotal €100.50", "VAT 24% €24.12", "Total credit €124.62", "Reason: change of plan", "A note on tax.",
		"Παράδειγμα Α.Ε.", "Greece",
	)
	never(t, got, "PAID", "DRAFT")

	n.Reason = "money_back"
	if pdf, err = w.CreditNote(n, inv, to); err != nil {
		t.Fatal(err)
	}
	want(t, text(t, pdf), "Reason: money back.")

	for name, wrong := range map[string]func(*billing.CreditNote){
		"of another invoice":      func(n *billing.CreditNote) { n.Invoice = "inv_9" },
		"of a line that is not":   func(n *billing.CreditNote) { n.Line = "inv_1.9" },
		"in no currency we know":  func(n *billing.CreditNote) { n.Currency = "ZZZ" },
		"in no currency whatever": func(n *billing.CreditNote) { n.Currency = "" },
	} {
		other := n
		wrong(&other)
		if _, err := w.CreditNote(other, inv, to); err == nil {
			t.Errorf("a note %s was written", name)
		}
	}
}

func TestTheRateIsPrintedOnlyWhereTheFiguresLeaveOne(t *testing.T) {
	line := func(net, tax int64) billing.Line {
		return billing.Line{Kind: billing.LineService, Description: "A plan", Quantity: 1, Amount: net, Tax: tax}
	}
	for name, c := range map[string]struct {
		lines []billing.Line
		want  string
	}{
		"22 % of 9.90 is 2.178":                 {[]billing.Line{line(990, 218)}, "VAT 22% $2.18"},
		"25.5 % of 9.90 is 2.5245":              {[]billing.Line{line(990, 252)}, "VAT 25.5% $2.52"},
		"9.90 with 22 % in it is 8.11 and 1.79": {[]billing.Line{line(811, 179)}, "VAT 22% $1.79"},
		"two lines of one rate":                 {[]billing.Line{line(990, 218), line(2900, 638)}, "VAT 22% $8.56"},
		"two lines of two rates":                {[]billing.Line{line(990, 218), line(2900, 290)}, "VAT $5.08"},
		"many rates give 1 on 5":                {[]billing.Line{line(5, 1)}, "VAT $0.01"},
		"nothing is taxed":                      {[]billing.Line{line(990, 0)}, "VAT $0.00"},
		"there are no lines":                    {nil, "VAT $0.00"},
	} {
		t.Run(name, func(t *testing.T) {
			inv := billing.Invoice{ID: "inv_3", Number: "1", Status: billing.InvoiceOpen, Currency: "USD", Lines: c.lines}
			want(t, text(t, invoice(t, inv, billing.BillingDetails{})), "\n"+c.want+"\n")
		})
	}
}

// The amounts that are printed in the table add up to the printed subtotal,
// over several pages too.
func TestThePrintedLinesAddUp(t *testing.T) {
	inv, to := greek()
	line := inv.Lines[0]
	for i := range 70 {
		line.Amount, line.Quantity, line.Discount = int64(i)*1_000_01, int64(i), 0
		line.Description = strings.Repeat("A long description of what was sold; ", i%5+1)
		inv.Lines = append(inv.Lines, line)
	}
	got := text(t, invoice(t, inv, to))
	want(t, got, "Page 1 of 7", "Page 7 of 7", "Subtotal €2,416,991.81") // 1,967.66 + 2415 × 1,000.01
	figure := regexp.MustCompile(`(?m)[^al] \d+ (-?)€([\d,]+)\.(\d\d)$`)
	var sum int64
	rows := figure.FindAllStringSubmatch(got, -1)
	for _, row := range rows {
		cents, err := strconv.ParseInt(row[1]+strings.ReplaceAll(row[2], ",", "")+row[3], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += cents
	}
	if len(rows) != 72 || sum != 241_699_181 {
		t.Errorf("%d rows add up to %d", len(rows), sum)
	}
}

func TestNamesOfEveryKindArePrinted(t *testing.T) {
	for name, c := range map[string]struct{ name, want string }{
		"Greek":                        {"Ελένη Παπαδοπούλου", "Ελένη Παπαδοπούλου"},
		"Cyrillic":                     {"Ђорђе Ћирић", "Ђорђе Ћирић"},
		"Latin with carons":            {"Jiří Čapek, Łódź, Ðorđe, Åse", "Jiří Čapek, Łódź, Ðorđe, Åse"},
		"decomposed":                   {"Re\u0301ne\u0301e", "Rénée"},
		"letters that the font lacks":  {"Nguyễn Thị", "Nguyen Thi"},
		"emoji":                        {"Ada 😀 Lovelace", "Ada ? Lovelace"},
		"a family of emoji":            {"A👨‍👩‍👧B", "A???B"},
		"above the plane":              {"𝔄da", "Ada"},
		"Han":                          {"株式会社 KK", "???? KK"},
		"Hebrew without a font for it": {"דנה Ltd", "??? Ltd"},
		"control characters":           {"A\x00\x07\u202eB\u200b\u2066C", "ABC"},
		"line ends":                    {"One\r\ntwo\tthree\u2028four\u00a0five", "One two three four five"},
		"not UTF-8":                    {"A\xff\xfeB\xc3", "A?B?"},
		"what PDF escapes":             {`A (B) \C\) <</X>> {nb} %`, `A (B) \C\) <</X>> {nb} %`},
		"bytes that are CR in UTF-16":  {"čučoriedka ഍ ਍ A", "čučoriedka ? ? A"},
	} {
		t.Run(name, func(t *testing.T) {
			inv, to := yen()
			to.Company, to.Name = c.name, ""
			inv.Lines[0].Description = "Licence for " + c.name
			got := text(t, invoice(t, inv, to))
			want(t, got, "\n"+c.want+" Due 31 Jan 2026\n", "Licence for "+c.want)
		})
	}
}

func TestLongTextIsWrapped(t *testing.T) {
	word := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 6)
	inv, to := yen()
	inv.IssuedAt, inv.DueAt = time.Time{}, time.Time{}
	to.Company = strings.Repeat("Wide Company Name ", 12)
	to.Name = word
	inv.Lines[0].Description = word
	got := text(t, invoice(t, inv, to))
	flat := strings.ReplaceAll(got, "\n", "")
	want(t, flat, "Wide Company Name Wide Company Name")
	if n := strings.Count(strings.ReplaceAll(flat, " ", ""), "WideCompanyName"); n != 12 {
		t.Errorf("%d of 12 repetitions are there", n)
	}
	if n := strings.Count(strings.ReplaceAll(got, "\n", ""), "¥540,000"); n != 4 {
		t.Errorf("the amount stands %d times, not 4", n)
	}
	// Every line of the word fits between the margins.
	for line := range strings.Lines(got) {
		if len(line) > 140 {
			t.Errorf("a line runs over: %s", line)
		}
	}

	to.Name = strings.Repeat("x", 1_000_000)
	to.Line1 = strings.Repeat("word ", 100_000)
	inv.Lines[0].Description = strings.Repeat("😀 ", 100_000)
	want(t, text(t, invoice(t, inv, to)), "x...", "? ...", "Page 1 of", "Amount due ¥540,000")
}

func TestTheSameDocumentGivesTheSameBytes(t *testing.T) {
	for name, doc := range map[string]func() (billing.Invoice, billing.BillingDetails){
		"paid": greek, "open": yen,
		"draft": func() (billing.Invoice, billing.BillingDetails) {
			inv, to := yen()
			inv.Number, inv.Status, inv.IssuedAt = "", billing.InvoiceDraft, time.Time{}
			return inv, to
		},
	} {
		for _, font := range [][]byte{nil, gomono.TTF} {
			inv, to := doc()
			first, err := writer(t, font).Invoice(inv, to)
			if err != nil {
				t.Fatal(err)
			}
			w := writer(t, font)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					again, err := w.Invoice(inv, to)
					if err != nil || !bytes.Equal(first, again) {
						t.Errorf("%s: the bytes differ, or %v", name, err)
					}
				})
			}
			wg.Wait()
			if !bytes.HasPrefix(first, []byte("%PDF-1.")) || bytes.Contains(first, []byte("D:"+time.Now().UTC().Format("20060102"))) {
				t.Errorf("%s: not a PDF, or today's date is in it", name)
			}
		}
	}
}

func TestFontsThatCannotServeAreRefused(t *testing.T) {
	otto := append([]byte("OTTO"), gomono.TTF[4:]...)
	for name, font := range map[string][]byte{
		"none at all": {}, "a text": []byte("a font"), "half a font": gomono.TTF[:len(gomono.TTF)/2], "PostScript outlines": otto,
	} {
		if _, err := documents.New(vendor, font); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := documents.New(documents.Vendor{}, nil); err == nil {
		t.Error("a vendor without a name was taken")
	}
}

// With a font that has the emails, a right-to-left name reads as such.
func TestARightToLeftNameWithAFontForIt(t *testing.T) {
	path, err := exec.Command("fc-match", "-f", "%{file}", "sans:lang=he").Output()
	if err != nil {
		t.Skipf("fontconfig, which finds a Hebrew font, is missing: %v", err)
	}
	font, err := os.ReadFile(string(path))
	if err != nil {
		t.Skipf("there is no Hebrew font: %v", err)
	}
	w, err := documents.New(vendor, font)
	if err != nil {
		t.Skipf("the font cannot serve: %v", err)
	}
	inv, to := yen()
	to.Company = "דנה כהן 12 Ltd"
	pdf, err := w.Invoice(inv, to)
	if err != nil {
		t.Fatal(err)
	}
	if got := text(t, pdf); !strings.Contains(got, "דנה כהן") {
		t.Skipf("the installed font has no Hebrew: %s", path)
	}
}

func TestAnErrorHoldsNoPersonalData(t *testing.T) {
	inv, to := greek()
	inv.Currency = "???"
	_, err := writer(t, nil).Invoice(inv, to)
	if err == nil || !strings.Contains(err.Error(), "inv_1") || strings.Contains(err.Error(), "Παπ") {
		t.Errorf("%v", err)
	}
}

// Whatever customers and operators type, a document comes out.
func FuzzDocuments(f *testing.F) {
	for _, name := range hostile {
		f.Add(name, int64(990), int64(218), "USD")
	}
	f.Add("", int64(-1<<63), int64(1<<63-1), "JPY")
	w := writer(f, nil)
	f.Fuzz(func(t *testing.T, name string, amount, tax int64, code string) {
		inv := billing.Invoice{
			ID: "inv_1", Number: name, Status: billing.InvoiceOpen, Currency: code, TaxNote: name,
			Lines: []billing.Line{{ID: "inv_1.1", Kind: billing.LineService, Description: name, Quantity: amount, Amount: amount, Tax: tax, Period: year}},
		}
		to := billing.BillingDetails{Contact: billing.Contact{Name: name}, Company: name, Country: code, VATID: name, Line1: name, City: name}
		note := billing.CreditNote{ID: "cn_1", Number: name, Invoice: "inv_1", Line: "inv_1.1", Currency: code, Net: amount, Tax: tax, Reason: name}
		_, err := w.Invoice(inv, to)
		if (err == nil) != billing.ValidCurrency(code) {
			t.Fatal(err)
		}
		if _, err = w.CreditNote(note, inv, to); (err == nil) != billing.ValidCurrency(code) {
			t.Fatal(err)
		}
	})
}

// hostile are names that are known to break writers of PDF.
var hostile = []string{
	"Ελένη Παπαδοπούλου", "Иван", "דנה 12 כהן (Ltd)", "محمد", "😀👨‍👩‍👧", "𝔄", "\xff\xc3(", "\x00\u202e\u2066", "\uFFFE\uFFFF\uD7FF",
	strings.Repeat("W", 300), strings.Repeat("e\u0301", 200), "\\)(\r\n", "Ԋ\u0d0d", "{nb}",
}

func BenchmarkInvoice(b *testing.B) {
	w := writer(b, nil)
	inv, to := greek()
	for b.Loop() {
		if _, err := w.Invoice(inv, to); err != nil {
			b.Fatal(err)
		}
	}
}
