package billing

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// StatementLine is a line of a bank's statement.
type StatementLine struct {
	Line   int       // of the file, from 1
	Date   time.Time // booked; midnight UTC
	Amount Money     // negative: it went out
	Text   string    // what the payer wrote, as the bank shows it
	ID     string    // the bank's own; empty where the statement has none
}

// statementReference begins the reference of a transfer from a statement. It tells
// it apart from one that was marked by hand.
const statementReference = "statement:"

// Key is what the line is known by in every statement that has it: the bank's
// id, else its text, with date and amount. (Some banks number the lines of each
// statement again from 1, so an id alone is not enough.)
func (l StatementLine) Key() string {
	by := "id " + l.ID
	if l.ID == "" {
		by = "text " + strings.ToUpper(strings.Join(strings.Fields(l.Text), " "))
	}
	hash := sha256.Sum256([]byte(date(l.Date) + " " + l.Amount.String() + " " + by))
	return statementReference + hex.EncodeToString(hash[:16])
}

// invoiceNumber finds our numbers as banks hand them on: in any case, and with
// other marks than ours between their parts, or none.
var invoiceNumber = regexp.MustCompile(`(?i)INV[-–/._ ]*([0-9]{4})[-–/._ ]*([0-9]{6,})`)

// Invoices are the numbers of the invoices that the line's text names, each
// once.
func (l StatementLine) Invoices() []string {
	var numbers []string
	for _, found := range invoiceNumber.FindAllStringSubmatch(l.Text, -1) {
		numbers = append(numbers, fmt.Sprintf("INV-%s-%s", found[1], found[2]))
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// markedByHand tells whether one of an invoice's transfers had this amount, and
// was recorded by hand.
func (t Transferred) markedByHand(amount int64) bool {
	for i, key := range t.Keys {
		if t.Amounts[i] == amount && !strings.HasPrefix(key, TransferKeys(t.Invoice.ID)+statementReference) {
			return true
		}
	}
	return false
}

// KeptLine is a line of a statement that a person must settle.
type KeptLine struct {
	ID      string // stl_…
	Key     string
	Date    time.Time
	Amount  Money
	Text    string // the bank's; empty once it is settled
	Why     string // it was not certain
	Invoice InvoiceID
	Settled Settled
}

// Settled is how a line was settled; empty: it is not.
type Settled string

// How a line may be settled.
const (
	SettledAssigned  Settled = "assigned"  // by hand, to an invoice
	SettledDismissed Settled = "dismissed" // by hand: it is for no invoice
	SettledRecorded  Settled = "recorded"  // by a later upload, which knew its invoice
)
