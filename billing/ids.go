package billing

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

// The ids that are passed side by side are types of their own, so that the
// compiler finds one that was given for another. The licence's is
// licensing.LicenseID. Where one comes in from outside it is a plain string,
// and is converted there.
type (
	SubscriptionID string // sub_…
	InvoiceID      string // inv_…
	AccountID      string // cus_…, the engine's
	RequestID      string // req_…, and the id of the workflow's update
	RefundID       string // re_…
	ChargeID       string // the gateway's reference of a charge
)

// crockford is the alphabet of ULIDs, whose texts compare as their bytes do.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// The parts of an id after its prefix: the first tells when, in milliseconds.
const (
	idTime = 10
	idLen  = 26
)

// derivedID is an id that follows from what it stands for: the same time and
// key give the same id, whenever and wherever it is made.
func derivedID(prefix, at, key string) string {
	sum := sha256.Sum256([]byte(prefix + "/" + key))
	return prefix + "_" + at + crockford.EncodeToString(sum[:10])
}

// timeOf is an instant as the first part of an id.
func timeOf(at time.Time) string {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli())<<14) // 50 of 64 bits
	return crockford.EncodeToString(ms[:])[:idTime]
}

// afterID is the first part of an id, one millisecond later; empty where the id
// tells no time.
func afterID[ID ~string](id ID) string {
	_, rest, _ := strings.Cut(string(id), "_")
	if len(rest) != idLen {
		return ""
	}
	ms, err := crockford.DecodeString(rest[:idTime] + "000")
	if err != nil {
		return ""
	}
	return timeOf(time.UnixMilli(int64(binary.BigEndian.Uint64(ms)>>14) + 1))
}

// invoiceID follows from the invoice's key. So after a crash, and even in an
// older copy of the database, the same bill has the same id, and the gateway
// recognises the charge that was made for it. A subscription's invoices sort in
// the order in which they were made.
func (b Snapshot) invoiceID(key, cause string, begun time.Time) InvoiceID {
	s, at := b.Subscription, timeOf(begun)
	if request, is := strings.CutPrefix(cause, "req_"); is && len(request) == idLen && s.TestClock == "" {
		at = request[:idTime]
	}
	for _, before := range []InvoiceID{s.PaidBy, s.PrepaidInvoice, s.OpenInvoice} {
		at = max(at, afterID(before))
	}
	return InvoiceID(derivedID("inv", at, key))
}

// refundID follows from the charge, from what was given back of it before, and
// from the amount, as invoiceID does from an invoice's key.
func refundID(r Receipt, amount int64) RefundID {
	return RefundID(derivedID("re", timeOf(r.PaidAt.Add(time.Duration(r.Refunded)*time.Millisecond)), fmt.Sprintf("%s/%d/%d", r.ID, r.Refunded, amount)))
}
