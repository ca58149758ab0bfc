package engine

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/delivery/packages"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/licensing/pbiviz"
)

var rotated = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// vendor is an engine with its keys in a file, and a catalogue.
type vendor struct {
	*testing.T
	config Config
	file   string
	first  licensing.KeyRing
}

func newVendor(t *testing.T) vendor {
	t.Helper()
	v := vendor{T: t, config: production(t), file: filepath.Join(t.TempDir(), "signing-keys.pem")}
	for _, k := range []*licensing.Key{&v.first.Current, &v.first.Next} {
		var err error
		if *k, err = licensing.GenerateKey(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	v.must(os.WriteFile(v.file, v.first.PEM(), 0o600))
	v.config.SigningKeys = []string{v.file}
	v.config.DatabaseURL = "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "okviz.db"))
	v.must(Migrate(t.Context(), v.config))
	store, err := OpenStore(v.config)
	v.must(err)
	catalogue, err := billing.ParseCatalogue(billing.DefaultCatalogue())
	v.must(err)
	_, err = store.ApplyCatalogue(t.Context(), catalogue, false)
	v.must(err)
	v.must(store.Close())
	return v
}

func (v vendor) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

// publish publishes a version of Calendar Pro whose code knows these keys.
func (v vendor) publish(version string, keys ...licensing.Key) {
	v.Helper()
	var literals []string
	for _, k := range keys {
		literals = append(literals, k.Public().String())
	}
	pkg := activitiestest.Package(v, literals...)
	build, err := InspectPackage(v.config, pkg)
	v.must(err)
	store, err := OpenStore(v.config)
	v.must(err)
	v.must(store.PutVersion(v.Context(), "calendar-pro", billing.Version{Version: version, Build: build}, pkg))
	v.must(store.Close())
}

func (v vendor) rotate(anyway bool) (Rotation, error) {
	v.Helper()
	return RotateKeys(billing.As(v.Context(), billing.Actor{Name: "cli:anna"}), v.config, anyway, rotated)
}

// text is the keys' file.
func (v vendor) text() string {
	v.Helper()
	text, err := os.ReadFile(v.file)
	v.must(err)
	return string(text)
}

func TestKeysAreRotatedInTheirFile(t *testing.T) {
	v := newVendor(t)
	v.publish("1.0.0", v.first.Current) // forgotten by its customers, one hopes
	v.publish("2.0.0", v.first.Current, v.first.Next)
	r, err := v.rotate(true)
	v.must(err)
	ring, err := v.config.keys()
	v.must(err)
	if ring.Current.ID() != v.first.Next.ID() || ring.Next.ID() != r.Keys.Next.ID() || len(ring.Former) != 1 || ring.Former[0].ID() != v.first.Current.ID() {
		t.Errorf("the file holds %v", ring)
	}
	// Two times three years and 72 hours after the last process was restarted.
	if got := ring.Former[0].Until.Format(time.RFC3339); got != "2032-03-11T12:00:00Z" {
		t.Errorf("the former key is published until %s", got)
	}
	if diff := cmp.Diff([]string{"calendar-pro 1.0.0"}, r.Unsigned); diff != "" {
		t.Errorf("versions that know neither key (-want +got):\n%s", diff)
	}
	store, err := OpenStore(v.config)
	v.must(err)
	log, err := store.AuditLog(t.Context(), billing.AuditSelection{Subject: "signing-keys"}, 10)
	v.must(errors.Join(err, store.Close()))
	if len(log) != 1 || log[0].Actor != "cli:anna" || log[0].Action != "signing_keys.rotate" || !strings.Contains(string(log[0].After), v.first.Next.ID()) {
		t.Errorf("the audit log says %+v", log)
	}
	if info, err := os.Stat(v.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(v.file)); err != nil || len(left) != 1 {
		t.Errorf("other files: %v, %v", left, err)
	}
	// What signs was built into what is published; what comes next was not yet.
	before := v.text()
	if _, err := v.rotate(false); err == nil || !strings.Contains(err.Error(), "calendar-pro 2.0.0") {
		t.Errorf("a second rotation at once: %v", err)
	}
	if v.text() != before {
		t.Error("a rotation that was refused has changed the file")
	}
	v.publish("3.0.0", ring.Current, ring.Next)
	store, err = OpenStore(v.config)
	v.must(err)
	v.must(store.WithdrawVersion(t.Context(), "calendar-pro", "2.0.0")) // 3.0.0 replaces it
	v.must(store.Close())
	if _, err := v.rotate(false); err != nil {
		t.Error(err)
	}
}

// A visual carries the two keys of its time; files of it go on working, and are
// made anew, over a rotation.
func TestFilesAreGoodBeforeAndAfterARotation(t *testing.T) {
	v := newVendor(t)
	v.publish("1.0.0", v.first.Current)
	v.publish("2.0.0", v.first.Current, v.first.Next)
	build := v.first // what 2.0.0 was built with
	l := licensing.Issued{License: licensing.License{
		ID: "lic_1", Product: "calendar-pro", PlanID: "p", Type: licensing.Users, Quantity: 1,
		State: licensing.StateActive, ValidUntil: rotated.Add(time.Hour), PeriodEnd: rotated.Add(time.Hour), Revision: 1,
	}}
	store, err := OpenStore(v.config)
	v.must(err)
	t.Cleanup(func() { v.must(store.Close()) })
	signer := func(version string) (kid string, err error) {
		t.Helper()
		ring, err := v.config.keys()
		v.must(err)
		file, _, err := packages.NewStamper(store, ring, billing.DefaultPolicy().File).Stamp(t.Context(), l, version, rotated)
		if err != nil {
			return "", err
		}
		_, token, err := pbiviz.Token(file.Data)
		v.must(err)
		if _, err := licensing.Verify(token, build.Public(), rotated, "calendar-pro"); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		head, err := base64.RawURLEncoding.DecodeString(token[:strings.Index(token, ".")])
		v.must(err)
		return string(head), nil
	}
	want := func(version string, k licensing.Key) {
		t.Helper()
		if head, err := signer(version); err != nil || !strings.Contains(head, k.ID()) {
			t.Errorf("%s is signed with %s, %v", version, head, err)
		}
	}
	want("1.0.0", v.first.Current)
	want("2.0.0", v.first.Current)
	_, err = v.rotate(true)
	v.must(err)
	want("2.0.0", v.first.Next)
	var refused *licensing.Error
	if _, err := signer("1.0.0"); !errors.As(err, &refused) || refused.Code != licensing.UnknownKey {
		t.Errorf("a version that knows the former key only: %v", err)
	}
}

func TestRotationIsRefusedWhereAnOlderVersionOnOfferWouldBeOutdated(t *testing.T) {
	v := newVendor(t)
	v.publish("1.0.0", v.first.Current)
	v.publish("2.0.0", v.first.Current, v.first.Next)
	before := v.text()
	if _, err := v.rotate(false); err == nil || !strings.Contains(err.Error(), "calendar-pro 1.0.0") || strings.Contains(err.Error(), "2.0.0") {
		t.Errorf("got %v", err)
	}
	if v.text() != before {
		t.Error("the file was changed")
	}
}

func TestRotationIsRefusedWhereTheNewestVersionDoesNotKnowTheNextKey(t *testing.T) {
	v := newVendor(t)
	v.publish("1.0.0", v.first.Current, v.first.Next)
	v.publish("2.0.0", v.first.Current)
	before := v.text()
	_, err := v.rotate(false)
	if err == nil || !strings.Contains(err.Error(), "calendar-pro 2.0.0") || strings.Contains(err.Error(), "1.0.0") {
		t.Errorf("got %v", err)
	}
	if v.text() != before {
		t.Error("the file was changed")
	}
	r, err := v.rotate(true)
	v.must(err)
	if diff := cmp.Diff([]string{"calendar-pro 2.0.0"}, r.Unsigned); diff != "" {
		t.Errorf("versions that know neither key (-want +got):\n%s", diff)
	}
	if v.text() == before {
		t.Error("nothing was written")
	}
}

func TestRotationNeedsOneFile(t *testing.T) {
	v := newVendor(t)
	second := filepath.Join(t.TempDir(), "next.pem")
	v.must(os.WriteFile(second, v.first.Next.PEM(), 0o600))
	first := filepath.Join(t.TempDir(), "current.pem")
	v.must(os.WriteFile(first, v.first.Current.PEM(), 0o600))
	for name, files := range map[string][]string{
		"two files": {first, second}, "a text": {string(v.first.PEM())}, "no next key": {first}, "no file": {second + ".none"},
	} {
		v.config.SigningKeys = files
		if _, err := v.rotate(true); err == nil || strings.Contains(err.Error(), "PRIVATE") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTwoFilesAreReadAsOneRing(t *testing.T) {
	v := newVendor(t)
	v.config.SigningKeys = []string{string(v.first.Current.PEM()), string(v.first.Next.PEM())}
	ring, err := v.config.keys()
	v.must(err)
	if ring.Current.ID() != v.first.Current.ID() || ring.Next.ID() != v.first.Next.ID() {
		t.Errorf("%v", ring)
	}
}

// The database is dumped, backed up and read by many: no private key may be in
// it, in any spelling.
func TestThePrivateKeysAreNotInTheDatabase(t *testing.T) {
	v := newVendor(t)
	v.publish("1.0.0", v.first.Current, v.first.Next)
	r, err := v.rotate(false)
	v.must(err)
	v.publish("2.0.0", r.Keys.Current, r.Keys.Next)
	file := strings.TrimPrefix(v.config.DatabaseURL, "sqlite://")
	var stored []byte
	for _, suffix := range []string{"", "-wal"} {
		part, err := os.ReadFile(file + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		stored = append(stored, part...)
	}
	if !bytes.Contains(stored, []byte(r.Keys.Next.ID())) {
		t.Fatal("the kids are not found either: this looks in the wrong place")
	}
	for name, k := range map[string]licensing.Key{"former": v.first.Current, "current": r.Keys.Current, "next": r.Keys.Next} {
		block, _ := pem.Decode(k.PEM())
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		v.must(err)
		seed := parsed.(interface{ Seed() []byte }).Seed()
		for _, spelled := range []string{string(seed), hex.EncodeToString(seed), base64.StdEncoding.EncodeToString(seed)[:40],
			base64.RawURLEncoding.EncodeToString(seed), base64.StdEncoding.EncodeToString(block.Bytes)} {
			if bytes.Contains(stored, []byte(spelled)) {
				t.Errorf("the %s private key is in the database", name)
			}
		}
	}
}
