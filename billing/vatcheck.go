package billing

import "time"

// VATEntry is what the member states' register has of a VAT id.
type VATEntry struct {
	Exists       bool
	Consultation string // the number under which the register proves that it was asked; empty: it gives none
	Company      string // empty: the state keeps it to itself
}

// VATStatus is what is known of a customer's VAT id besides its form.
type VATStatus string

const (
	VATVerified   VATStatus = "verified"   // the member state knows it
	VATUnverified VATStatus = "unverified" // the register could not be asked
)

// VATCheck is the evidence for the tax of documents with a VAT id. Zero: no
// register was asked.
type VATCheck struct {
	Status       VATStatus `json:"status"`
	Consultation string    `json:"consultation,omitempty"`
	At           time.Time `json:"at"`
	Taxed        bool      `json:"taxed,omitempty"` // as a consumer's, for the id is unverified
}

// WhenUnverified says what a vendor does where the register cannot be asked.
type WhenUnverified string

const (
	AcceptUnverified WhenUnverified = "accept" // the form is enough
	TaxUnverified    WhenUnverified = "tax"    // taxed as a consumer
)

// Checked is the evidence of an entry, or of having had no answer.
func (w WhenUnverified) Checked(e *VATEntry, at time.Time) (VATCheck, error) {
	switch {
	case e == nil:
		return VATCheck{Status: VATUnverified, At: at, Taxed: w == TaxUnverified}, nil
	case !e.Exists:
		return VATCheck{}, refuse(CodeInvalidVATID, "billing.vat_id", "is not known to the member state")
	}
	return VATCheck{Status: VATVerified, Consultation: e.Consultation, At: at}, nil
}

// taxID is the VAT id that counts for the tax.
func (d BillingDetails) taxID() string {
	if d.VATCheck.Taxed {
		return ""
	}
	return d.VATID
}

// sameAs tells whether documents come out alike with other details. A second
// look at the register with the same answer makes no difference.
func (d BillingDetails) sameAs(other BillingDetails) bool {
	if d.VATCheck.Status == other.VATCheck.Status && d.VATCheck.Taxed == other.VATCheck.Taxed {
		d.VATCheck = other.VATCheck
	}
	return d == other
}
