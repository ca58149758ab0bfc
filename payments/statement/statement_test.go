package statement

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/billing"
)

func TestAmountsAreReadAsBanksWriteThem(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		want           int64
	}{
		{"4950.00", "USD", 495000}, {"4950", "USD", 495000}, {"4950.5", "USD", 495050}, {"4,950.00", "USD", 495000}, {"4.950,00", "EUR", 495000},
		{"4950,00", "EUR", 495000}, {"4 950,00", "EUR", 495000}, {"4\u00a0950,00", "EUR", 495000}, {"4'950.00", "CHF", 495000}, {"4’950.00", "CHF", 495000},
		{"1.234.567,89", "EUR", 123456789}, {"1,234,567", "USD", 123456700}, {"4.950", "EUR", 495000}, {"4,950", "USD", 495000},
		{"0,05", "EUR", 5}, {"-12.50", "USD", -1250}, {"- 12.50", "USD", -1250}, {"\u221212,50", "EUR", -1250}, {"+12.50", "USD", 1250}, {"0.00", "USD", 0},
		{"75000", "JPY", 75000}, {"75,000", "JPY", 75000}, {"75.000", "JPY", 75000}, {"75000.00", "JPY", 75000}, {"12.5000", "USD", 1250},
		{"4.950", "KWD", 4950}, {"4,950.000", "KWD", 4950000}, {"4.95", "KWD", 4950}, {"4.950.000", "KWD", 4950000000},
		{"999999999999.99", "USD", 99999999999999},
	} {
		if got, ok := minorUnits(c.text, c.currency); !ok || got != c.want {
			t.Errorf("%q %s is %d (%t), want %d", c.text, c.currency, got, ok, c.want)
		}
	}
}

func TestWhatIsNoAmountIsRefused(t *testing.T) {
	for _, c := range [][2]string{
		{"", "USD"}, {"-", "USD"}, {".", "USD"}, {"5.", "USD"}, {".50", "USD"}, {"12.3456", "KWD"}, {"1,234.567", "USD"}, {"4950.001", "USD"},
		{"7,5", "JPY"}, {"75000.50", "JPY"}, {"12,34,567.00", "USD"}, {"1,23", "JPY"}, {"1.2.3", "USD"}, {"0.950", "USD"}, {"0,950,000", "USD"},
		{"--5", "USD"}, {"+-5", "USD"}, {"5-", "USD"}, {"1e3", "USD"}, {"0x10", "USD"}, {"12 34", "USD"}, {"USD 5", "USD"}, {"٥.٠٠", "USD"},
		{"1000000000000.00", "USD"}, {"99999999999999999999", "JPY"}, {"4'950,00.00", "CHF"}, {"4,950.00.00", "USD"}, {"5.00", ""},
	} {
		if got, ok := minorUnits(c[0], c[1]); ok {
			t.Errorf("%q %s was read as %d", c[0], c[1], got)
		}
	}
}

// What is read has the text's own digits in their order, and both ways of
// writing an amount give it back.
func FuzzAmounts(f *testing.F) {
	for _, text := range []string{"4950.00", "4.950,00", "4 950,00", "-0,05", "75,000", "1'000'000", "12.5000", "0.950", "1e3"} {
		for _, code := range []string{"USD", "JPY", "KWD"} {
			f.Add(text, code)
		}
	}
	decimals := map[string]int{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
	f.Fuzz(func(t *testing.T, text, code string) {
		places, known := decimals[code]
		got, ok := minorUnits(text, code)
		if !ok || !known {
			return
		}
		only := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, text)
		size := max(got, -got)
		read, given := strings.TrimRight(fmt.Sprint(size), "0"), strings.Trim(only, "0")
		if read != given {
			t.Fatalf("%q %s was read as %d", text, code, got)
		}
		if got < 0 && !strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "\u2212") || size >= 100_000_000_000_000 {
			t.Fatalf("%q %s was read as %d", text, code, got)
		}
		plain := fmt.Sprintf("%0*d", places+1, size)
		whole, rest := plain[:len(plain)-places], plain[len(plain)-places:]
		for _, mark := range []string{".", ","} {
			again := whole
			if places > 0 {
				again += mark + rest
			}
			if n, ok := minorUnits(again, code); !ok || n != size {
				t.Fatalf("%q %s was read as %d, and %q as %d (%t)", text, code, got, again, n, ok)
			}
		}
	})
}

func day(s string) time.Time {
	at, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return at
}

func TestStatementsAreReadHoweverTheBankWritesThem(t *testing.T) {
	want := []billing.StatementLine{
		{Line: 2, Date: day("2026-02-03"), Amount: billing.Money{Amount: 495000, Currency: "EUR"}, Text: "Contoso; INV-2026-000123", ID: "B1"},
		{Line: 3, Date: day("2026-02-04"), Amount: billing.Money{Amount: -1250, Currency: "EUR"}, Text: `bank "fees"`},
	}
	for name, file := range map[string]string{
		"commas":             "Date,Amount,Currency,Reference,ID\n2026-02-03,4950.00,EUR,Contoso; INV-2026-000123,B1\n2026-02-04,-12.50,EUR,\"bank \"\"fees\"\"\",\n",
		"semicolons, German": "Buchungstag;Betrag;Währung;Verwendungszweck;Transaction ID\r\n03.02.2026;4.950,00;eur;\"Contoso; INV-2026-000123\";B1\r\n04.02.2026;-12,50;EUR;\"bank \"\"fees\"\"\";\r\n",
		"Latin 1":            "Buchungstag;Betrag;W\xe4hrung;Verwendungszweck;Transaction ID\n03.02.2026;4.950,00;EUR;\"Contoso; INV-2026-000123\";B1\n04.02.2026;-12,50;EUR;\"bank \"\"fees\"\"\";\n",
		"tabs":               "booking_date\tamount\tcurrency\treference\tbank-id\n2026-02-03\t4950\tEUR\tContoso; INV-2026-000123\tB1\n2026-02-04\t-12.5\tEUR\t\"bank \"\"fees\"\"\"\t\n",
		"a byte order mark":  "\ufeffdate,amount,currency,reference,id\n2026-02-03,\"4,950.00\",EUR,Contoso; INV-2026-000123,B1\n2026-02-04,-12.50,EUR,\"bank \"\"fees\"\"\",\n",
		"another order, columns that nobody asked for, a text in two": "currency,IBAN,description,amount,date,id,reference\nEUR,DE00,Contoso;,4950.00,2026-02-03,B1,INV-2026-000123\nEUR,,bank,-12.50,2026-02-04,,\"\"\"fees\"\"\"\n",
	} {
		got, err := Parse([]byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if lines, err := Parse([]byte("date,amount,currency,reference\n\n")); err != nil || lines == nil || len(lines) != 0 {
		t.Errorf("a statement of nothing: %v, %v", lines, err)
	}
}

func TestAnErrorNamesTheLineAndRepeatsNothingOfIt(t *testing.T) {
	const head = "date,amount,currency,reference\n2026-02-03,1.00,USD,fine\n"
	for file, field := range map[string]string{
		"":                                    "line 1",
		"marker":                              "line 1",
		"date,amount,reference\n":             "line 1",
		"date,date,amount,currency,reference": "line 1",
		"da\"te,amount,currency,reference\n":  "line 1",
		head + "2026-02-30,1.00,USD,marker\n": "line 3",
		head + "03/02/2026,1.00,USD,marker\n": "line 3",
		head + "2026-02-03,1.0x,USD,marker\n": "line 3",
		head + "2026-02-03,,USD,marker\n":     "line 3",
		head + "2026-02-03,1.00,XYZ,marker\n": "line 3",
		head + "2026-02-03,1.00,,marker\n":    "line 3",
		head + "2026-02-03,1.00,USD\n":        "line 3",
		head + "2026-02-03,1.00,USD,a,b\n":    "line 3",
		head + "2026-02-03,1.00,USD,\"mar\nker\"\n2026-02-03,1.00,USD,a \"marker\" here\n": "line 5",
		head + "2026-02-03,1.00,USD,\"marker\n\n":                                          "line 3",
	} {
		lines, err := Parse([]byte(file))
		var e *billing.Error
		if !errors.As(err, &e) || e.Code != billing.CodeInvalid || e.Field != field || strings.Contains(e.Detail, "mark") && !strings.Contains(e.Detail, "quotation marks") || lines != nil {
			t.Errorf("%q: %v, %v, want an error of %s", file, lines, err, field)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("date;amount;currency;reference\n03.02.2026;4.950,00;EUR;\"a;b\"\n"))
	f.Add([]byte("\ufeffdate,amount,currency,reference,id\n2026-02-03,1,USD,x,1\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		lines, err := Parse(file)
		var e *billing.Error
		if err != nil && (!errors.As(err, &e) || !strings.HasPrefix(e.Field, "line ") || lines != nil) {
			t.Fatalf("%v, %v", lines, err)
		}
		for i, l := range lines {
			if l.Line < 2 || i > 0 && l.Line <= lines[i-1].Line || l.Date.IsZero() || !billing.ValidCurrency(l.Amount.Currency) {
				t.Fatalf("%+v", l)
			}
		}
	})
}

func TestAHostileStatementIsRefusedInTime(t *testing.T) {
	const header = "date,amount,currency,reference\n"
	for name, file := range map[string]string{
		"too many lines": header + strings.Repeat("2026-02-03,1.00,EUR,x\n", MaxLines+1),
		"many columns":   "date,amount,currency,reference" + strings.Repeat(",x", 1<<19) + "\n",
		"open quotes":    header + strings.Repeat(`"`, 1<<20),
		"quoted quotes":  header + strings.Repeat(`"""a""",`, 1<<17),
		"one long field": header + "2026-02-03," + strings.Repeat("1", 1<<20) + ",EUR,x\n",
		"not UTF-8":      header + strings.Repeat("\xff", 1<<20),
		"empty lines":    strings.Repeat("\n", 1<<20),
	} {
		began := time.Now()
		_, err := Parse([]byte(file))
		if took := time.Since(began); err == nil && name != "many columns" || took > 5*time.Second {
			t.Errorf("%s: %v after %s", name, err, took)
		}
	}
	if lines, err := Parse([]byte(header + strings.Repeat("2026-02-03,1.00,EUR,x\n", MaxLines))); err != nil || len(lines) != MaxLines {
		t.Errorf("%d lines: %v", len(lines), err)
	}
}
