package licensing_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "github.com/okviz/licensing/licensing"
)

// kids are the ids of a ring's published keys.
func kids(r KeyRing) []string {
	var list []string
	for _, k := range r.Public().Keys {
		list = append(list, k.KeyID)
	}
	return list
}

func rotate(t *testing.T, r KeyRing, until time.Time) KeyRing {
	t.Helper()
	r, err := r.Rotate(rand.Reader, until)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestARotationLetsTheNextKeySignAndPublishesTheFormerOne(t *testing.T) {
	first := ring(t)
	until := now.AddDate(2, 0, 0)
	second := rotate(t, first, until)
	if second.Current.ID() != first.Next.ID() {
		t.Error("the next key does not sign")
	}
	if second.Next.IsZero() || second.Next.ID() == first.Current.ID() || second.Next.ID() == first.Next.ID() {
		t.Error("no new key comes after it")
	}
	want := []string{first.Next.ID(), second.Next.ID(), first.Current.ID()}
	if diff := cmp.Diff(want, kids(second)); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	// A token that was signed before is good to its end, and new ones are good too.
	for _, r := range []KeyRing{first, second} {
		if _, err := Verify(sign(t, r, Lease(bought(), now)), second.Public(), now, "calendar-pro"); err != nil {
			t.Error(err)
		}
	}
	// The former key signs nothing any more.
	if _, err := second.Sign(Lease(bought(), now), first.Current.ID()); err == nil {
		t.Error("the former key has signed")
	}
	third := rotate(t, second, until.AddDate(1, 0, 0))
	want = []string{second.Next.ID(), third.Next.ID(), first.Next.ID(), first.Current.ID()}
	if diff := cmp.Diff(want, kids(third)); diff != "" {
		t.Errorf("published after another one (-want +got):\n%s", diff)
	}
}

func TestAFormerKeyIsPublishedUntilItsLastTokenHasEnded(t *testing.T) {
	first := ring(t)
	until := now.AddDate(2, 0, 0)
	r := rotate(t, first, until.Add(time.Nanosecond))
	if got := kids(r.At(until.Add(-time.Second))); len(got) != 3 {
		t.Errorf("a second before: %v", got)
	}
	if diff := cmp.Diff([]string{r.Current.ID(), r.Next.ID()}, kids(r.At(until))); diff != "" {
		t.Errorf("at its end (-want +got):\n%s", diff)
	}
	if len(kids(r)) != 3 {
		t.Error("looking at a ring has changed it")
	}
}

func TestARotationNeedsANextKeyAndRandom(t *testing.T) {
	_, err := KeyRing{Current: key(t, rfcSeed)}.Rotate(rand.Reader, now)
	wantCode(t, err, NoNextKey)
	if _, err := ring(t).Rotate(bytes.NewReader(make([]byte, 31)), now); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestARingSurvivesItsPEM(t *testing.T) {
	for name, r := range map[string]KeyRing{
		"one key":     {Current: key(t, rfcSeed)},
		"two keys":    ring(t),
		"former keys": rotate(t, rotate(t, ring(t), now), now.AddDate(6, 0, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			again, err := ParseKeyRing(r.PEM())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.PEM(), r.PEM()) || again.Current.ID() != r.Current.ID() || again.Next.ID() != r.Next.ID() {
				t.Error("another ring came back")
			}
			if diff := cmp.Diff(r.Former, again.Former); diff != "" && len(r.Former) > 0 {
				t.Error(diff)
			}
		})
	}
	// As it was before there were rings: one file after the other, words and all.
	two := ring(t)
	got, err := ParseKeyRing(append([]byte("Development only, never to be used.\n"+string(two.Current.PEM())+"words\n"), two.Next.PEM()...))
	if err != nil || got.Current.ID() != two.Current.ID() || got.Next.ID() != two.Next.ID() {
		t.Errorf("%v, %v", got, err)
	}
}

func TestARingHoldsThePrivateHalvesOfTwoKeysOnly(t *testing.T) {
	text := string(rotate(t, ring(t), now).PEM())
	if n := strings.Count(text, "BEGIN PRIVATE KEY"); n != 2 {
		t.Errorf("%d private keys", n)
	}
	raw, _ := hex.DecodeString(rfcSeed)
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if bytes.Contains(block.Bytes, raw) {
			t.Error("the former key's private half is still there")
		}
	}
}

func TestParseKeyRingRefuses(t *testing.T) {
	two := ring(t)
	former := func(headers map[string]string) string {
		der, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(key(t, strings.Repeat("08", 32)).Public()))
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Headers: headers, Bytes: der}))
	}
	whole := string(two.PEM())
	if _, err := ParseKeyRing([]byte(whole + former(map[string]string{"Published-Until": "2032-01-01T00:00:00Z"}))); err != nil {
		t.Fatal(err)
	}
	cut := strings.Replace(whole, "\nMC4C", "\nMC!C", 1) // the current key's block
	if cut == whole {
		t.Fatal("nothing was cut")
	}
	for name, text := range map[string]string{
		"nothing":                   "",
		"no PEM":                    "a key",
		"a block that is damaged":   cut,
		"a block that is cut off":   whole[:len(whole)-40],
		"a third private key":       whole + string(key(t, strings.Repeat("08", 32)).PEM()),
		"the same key twice":        string(two.Current.PEM()) + string(two.Current.PEM()),
		"a former key without end":  whole + former(nil),
		"a former key that is none": whole + "-----BEGIN PUBLIC KEY-----\nPublished-Until: 2032-01-01T00:00:00Z\n\nAAAA\n-----END PUBLIC KEY-----\n",
		"former keys only":          former(map[string]string{"Published-Until": "2032-01-01T00:00:00Z"}),
		"a certificate":             whole + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := ParseKeyRing([]byte(text))
			wantCode(t, err, InvalidKey)
			if !r.Current.IsZero() || !r.Next.IsZero() {
				t.Error("keys were returned")
			}
		})
	}
}

func TestABuildKnowsTheKeysWhoseBytesItCarries(t *testing.T) {
	r := rotate(t, ring(t), now)
	public := r.Current.Public()
	spki, err := x509.MarshalPKIXPublicKey(ed25519.PublicKey(public))
	if err != nil {
		t.Fatal(err)
	}
	code := func(literal string) func(string) bool {
		return func(s string) bool { return strings.Contains(`var k="`+literal+`";`, s) }
	}
	for name, literal := range map[string]string{
		"base64url":   public.String(),
		"base64":      base64.StdEncoding.EncodeToString(public),
		"PEM":         base64.StdEncoding.EncodeToString(spki),
		"hexadecimal": hex.EncodeToString(public),
		"HEXADECIMAL": strings.ToUpper(hex.EncodeToString(public)),
	} {
		if diff := cmp.Diff([]string{r.Current.ID()}, r.KnownTo(code(literal))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// A key's name alone verifies nothing.
	if got := r.KnownTo(code(r.Current.ID())); got != nil {
		t.Errorf("a build with the kid alone knows %v", got)
	}
	all := r.Former[0].String() + " " + r.Next.Public().String() + " " + public.String()
	if diff := cmp.Diff([]string{r.Current.ID(), r.Next.ID(), r.Former[0].ID()}, r.KnownTo(code(all))); diff != "" {
		t.Errorf("all of them (-want +got):\n%s", diff)
	}
}
