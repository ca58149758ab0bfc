package billing

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// WebhookEndpoint is where an account, or the vendor, has events sent to.
type WebhookEndpoint struct {
	ID          string    // whe_…
	Account     AccountID // empty: the vendor's, which gets all events
	Member      AccountID // who made it for an account of others; empty: the account's own address, or an operator
	URL         string
	Types       []FeedPattern
	Description string
	Disabled    WebhookDisabled
	CreatedAt   time.Time
	// FailingSince is when the first delivery failed since one succeeded; zero: the
	// last one did.
	FailingSince time.Time
	// Secret and Former are sealed; Former signs, too, until FormerUntil.
	Secret, Former string
	FormerUntil    time.Time
}

// WebhookDisabled says why an endpoint is sent nothing; empty: it is.
type WebhookDisabled string

const (
	WebhookByOwner WebhookDisabled = "owner"
	WebhookGone    WebhookDisabled = "gone"    // it answered 410
	WebhookFailing WebhookDisabled = "failing" // for a week
)

// What belongs to webhooks by Standard Webhooks 1.0.
const (
	// WebhookSeal is what secrets are sealed for.
	WebhookSeal = "webhook"
	// WebhookOverlap is how long a replaced secret still signs.
	WebhookOverlap = 24 * time.Hour
	// WebhookPatience is how long an endpoint may fail before it is disabled.
	WebhookPatience = 7 * 24 * time.Hour
	// WebhookEndpoints is how many an account may have, and the vendor.
	WebhookEndpoints = 16
	// WebhookReplay is how many events one replay sends at most.
	WebhookReplay = 1000

	webhookSecret    = "whsec_"
	webhookPublicKey = "whpk_"
)

// WebhookTest is the type of what is sent to try an endpoint out.
const WebhookTest FeedType = "endpoint.test"

// webhookWaits are how long a delivery waits after each try that failed: three days
// in all.
var webhookWaits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 20 * time.Hour,
}

// WebhookWait is how long a delivery waits that was tried a number of times; again
// is false where it is given up. A test is tried once.
func WebhookWait(tries int64, t FeedType) (wait time.Duration, again bool) {
	if t == WebhookTest || tries > int64(len(webhookWaits)) {
		return 0, false
	}
	return webhookWaits[max(tries, 1)-1], true
}

// WebhookDelivery is an event on its way to an endpoint, and what became of it.
type WebhookDelivery struct {
	ID           string // whd_…
	Endpoint     string
	Event        string // evt_…
	Type         FeedType
	Subscription SubscriptionID
	Status       WebhookStatus
	Tries        int64
	CreatedAt    time.Time
	TriedAt      time.Time // zero: not yet
	NextAt       time.Time // zero: it is done with
	WebhookAnswer
}

// WebhookAnswer is what an endpoint answered to a try.
type WebhookAnswer struct {
	Code  int           // HTTP's; 0: none came
	Body  string        // its beginning
	Error string        // why none came
	Took  time.Duration // in milliseconds
}

// Taken tells whether the endpoint has taken the event.
func (a WebhookAnswer) Taken() bool { return a.Code >= 200 && a.Code < 300 }

// WebhookStatus is where a delivery stands.
type WebhookStatus string

const (
	WebhookPending   WebhookStatus = "pending"
	WebhookDelivered WebhookStatus = "delivered"
	WebhookFailed    WebhookStatus = "failed" // given up
)

// WebhookSecret is a secret as its endpoint's owner is shown it.
func WebhookSecret(secret []byte) string {
	return webhookSecret + base64.StdEncoding.EncodeToString(secret)
}

// WebhookPublicKey verifies the Ed25519 signatures of a secret.
func WebhookPublicKey(secret []byte) string {
	return webhookPublicKey + base64.StdEncoding.EncodeToString(webhookKey(secret).Public().(ed25519.PublicKey))
}

// WebhookSignatures are the value of the header webhook-signature: of each secret an
// HMAC-SHA256 (v1) and an Ed25519 signature (v1a) over id, time and body.
func WebhookSignatures(secrets [][]byte, id string, at time.Time, body []byte) string {
	signed := append([]byte(id+"."+strconv.FormatInt(at.Unix(), 10)+"."), body...)
	var list []string
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(signed)
		list = append(list, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)),
			"v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(webhookKey(secret), signed)))
	}
	return strings.Join(list, " ")
}

// webhookKey is the Ed25519 key that belongs to a secret.
func webhookKey(secret []byte) ed25519.PrivateKey {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("v1a"))
	return ed25519.NewKeyFromSeed(mac.Sum(nil))
}
