package licensing_test

import (
	"bytes"
	"fmt"
	"time"

	"github.com/okviz/licensing/licensing"
)

// The vendor signs the token of a licence; everybody with the public keys
// (/.well-known/jwks.json) can verify it.
func ExampleVerify() {
	key, err := licensing.GenerateKey(bytes.NewReader(make([]byte, 32))) // for real keys: crypto/rand.Reader
	if err != nil {
		panic(err)
	}
	ring := licensing.KeyRing{Current: key}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	license := licensing.License{
		ID: "lic_1", Product: "calendar-pro", PlanID: "calendar-pro_users_1-20_monthly", Type: licensing.Users, Quantity: 1,
		State: licensing.StateActive, PeriodEnd: now.AddDate(0, 1, 0), ValidUntil: now.AddDate(0, 1, 3),
	}
	token, err := ring.Sign(licensing.Lease(license, now))
	if err != nil {
		panic(err)
	}

	claims, err := licensing.Verify(token, ring.Public(), now, "calendar-pro")
	fmt.Println(claims.Subject, time.Unix(claims.ExpiresAt, 0).UTC().Format(time.DateOnly), err)
	_, err = licensing.Verify(token, ring.Public(), now.AddDate(0, 0, 14), "calendar-pro")
	fmt.Println(err)
	// Output:
	// lic_1 2026-01-15 <nil>
	// token_expired: has expired
}
