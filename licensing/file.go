package licensing

import "time"

// FileTerm is how long a delivered file lasts at most, whatever its licence
// (docs/rules.md, Licences). A file that never gets online hears of no
// revocation and no refund: this is what ends it.
type FileTerm struct {
	Life time.Duration // from its signing
	// AfterMoneyBack is how long a file lasts after the end of the money-back
	// window in which it was signed; 0: as any other.
	AfterMoneyBack time.Duration
}

// Ends is when a file ends that is signed now, of a licence that is valid until
// an instant. moneyBackUntil is the last instant of the money-back window; zero:
// there is none.
func (t FileTerm) Ends(validUntil, moneyBackUntil, now time.Time) time.Time {
	ends := now.Add(t.Life)
	if t.Short(moneyBackUntil, now) {
		ends = earlier(ends, moneyBackUntil.Add(t.AfterMoneyBack))
	}
	return earlier(ends, validUntil)
}

// Short tells whether a file that is signed now is one that ends soon after the
// money-back window.
func (t FileTerm) Short(moneyBackUntil, now time.Time) bool {
	return t.AfterMoneyBack > 0 && !now.After(moneyBackUntil)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
