package api_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/visual"
)

// versionsOf reads the versions of an answer by their names.
func versionsOf(list any) []string {
	names := []string{}
	for _, v := range list.([]any) {
		names = append(names, v.(map[string]any)["version"].(string))
	}
	return names
}

func TestAnUploadLeavesNoFilesBehindWhateverIsAnswered(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	s := newShop(t)
	s.put("calendar-pro", "2.10.0", "Better.", visual.Packages()[0].Data).want(200, "")
	s.put("calendar-pro", "newest", "Better.", visual.Packages()[0].Data).want(422, "invalid")
	s.put("calendar-pro", "2.11.0", "Better.", make([]byte, 64<<10)).want(422, "package_damaged")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left behind: %v", len(left), err)
	}
}

func TestAnOperatorTakesAVersionBack(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	pkg := visual.Packages()[0].Data
	s.put("calendar-pro", "2.10.0", "It is broken.", pkg).want(200, "")
	newest := func(want ...string) {
		t.Helper()
		if got := s.ask("GET", "/v1/products", "").at("data").([]any)[0].(map[string]any)["version"]; got != want[0] {
			t.Errorf("the newest version is %v, want %s", got, want[0])
		}
		if diff := cmp.Diff(want, versionsOf(s.ask("GET", "/v1/licenses/"+license, "", asOperator).at("versions"))); diff != "" {
			t.Errorf("the licence's versions (-want +got):\n%s", diff)
		}
		file := s.ask("GET", "/v1/licenses/"+license+"/download", "", asOperator).want(200, "")
		if got := file.header.Get("Content-Disposition"); !strings.Contains(got, want[0]) {
			t.Errorf("the file is %s, want %s", got, want[0])
		}
	}
	newest("2.10.0", "2.4.2")
	path := "/v1/operator/products/calendar-pro/versions"
	for range 2 { // may be said again
		if s.ask("DELETE", path+"/2.10.0", "", asOperator).want(200, "").at("withdrawn_at") == nil {
			t.Error("it is not withdrawn")
		}
	}
	newest("2.4.2")
	s.ask("GET", "/v1/licenses/"+license+"/download?version=2.10.0", "", asOperator).want(409, "no_version")
	all := s.ask("GET", path, "", asOperator).want(200, "")
	hasForm(t, "versions", all.body, map[string]any{"data": []any{map[string]any{
		"version": "text", "released_at": "instant", "changelog": "text", "guid": "text", "kids": []any{"text"}, "withdrawn_at": "?instant",
	}}, "next_cursor": "?text"})
	if diff := cmp.Diff([]string{"2.10.0", "2.4.2"}, versionsOf(all.at("data"))); diff != "" {
		t.Errorf("all versions (-want +got):\n%s", diff)
	}
	for _, wrong := range []string{path + "/9.9.9", path + "/" + marker, "/v1/operator/products/" + marker + "/versions/2.4.2"} {
		s.ask("DELETE", wrong, "", asOperator).want(404, "not_found")
	}
	s.ask("GET", "/v1/operator/products/"+marker+"/versions", "", asOperator).want(404, "not_found")
	s.put("calendar-pro", "2.10.0", "It is repaired.", pkg).want(200, "")
	newest("2.10.0", "2.4.2")
	s.ask("DELETE", path+"/2.10.0", "", asOperator).want(200, "")
	s.ask("DELETE", path+"/2.4.2", "", asOperator).want(200, "")
	if s.ask("GET", "/v1/products", "").at("data").([]any)[0].(map[string]any)["version"] != nil {
		t.Error("a version is offered after all were withdrawn")
	}
	s.ask("GET", "/v1/licenses/"+license+"/download", "", asOperator).want(409, "no_version")
}

func TestAVersionIsRecordedWithItsVisualAndTheKeysThatItKnows(t *testing.T) {
	s := newShop(t)
	s.ask("DELETE", "/v1/operator/products/calendar-pro/versions/2.4.2", "", asOperator).want(200, "")
	a := s.put("calendar-pro", "3.0.0", "New.", activitiestest.Package(t, s.keys.Next.Public().String())).want(200, "")
	if diff := cmp.Diff([]any{s.keys.Next.ID()}, a.at("kids")); diff != "" || a.text("guid") != "shopVisual0123456789ABCDEF" {
		t.Errorf("guid %s, kids (-want +got):\n%s", a.text("guid"), diff)
	}
	// Another visual than the one that is offered, and than another product's.
	s.put("calendar-pro", "3.1.0", "New.", visual.Packages()[0].Data).want(422, "package_wrong_guid")
	s.put("calendar-pro", "3.1.0", "New.", visual.Packages()[1].Data).want(422, "package_wrong_guid")
	s.put(visual.Packages()[1].Product, "99.0.0", "New.", activitiestest.Package(t, s.keys.Current.Public().String())).want(422, "package_wrong_guid")
	// The kid alone, without the key, verifies nothing.
	s.put("calendar-pro", "3.1.0", "New.", activitiestest.Package(t, s.keys.Current.ID())).want(422, "package_without_key")
}

// kidOf is the key that a token names.
func kidOf(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	check(t, err)
	var header struct{ Kid string }
	check(t, json.Unmarshal(text, &header))
	return header.Kid
}

func TestALeaseIsSignedWithAKeyThatTheAskingVersionKnows(t *testing.T) {
	s := newShop(t)
	s.now = time.Now().UTC().Truncate(time.Second)
	license := s.buy().want(201, "").text("license.id")
	current, next := s.keys.Current.ID(), s.keys.Next.ID()
	publish := func(version string, kids ...string) {
		t.Helper()
		check(t, s.store.PutVersion(t.Context(), "calendar-pro", billing.Version{Version: version, Build: billing.Build{Kids: kids}}, []byte("x")))
	}
	check(t, s.store.WithdrawVersion(t.Context(), "calendar-pro", "2.4.2"))
	publish("2.3.0", "before-it", current)
	publish("2.5.0", next, "after-it")
	publish("2.2.0", "long-ago", "before-it")
	asked := func(version string) answer {
		t.Helper()
		a := s.ask("POST", "/v1/licenses/check", strings.Replace(question(license, ""), "2.4.2", version, 1), frame...).want(200, "")
		if a.text("code") != "ACTIVE" {
			t.Errorf("%s: %s", version, a.body)
		}
		return a
	}
	for version, want := range map[string]string{
		"2.3.0": current, "2.5.0": next, "2.5.0.0": next, "2.5": next,
		"2.4.2": current, // withdrawn, and asking all the same
		"":      current, // does not say
	} {
		if got := kidOf(t, asked(version).text("token")); got != want {
			t.Errorf("version %q is answered with %s, want %s", version, got, want)
		}
	}
	// What could not be verified is not sent, and the answer itself counts.
	for _, version := range []string{"2.2.0", "7.7.7"} { // nobody published the second
		if a := asked(version); a.at("token") != nil || a.at("valid") != true || a.at("valid_until") == nil {
			t.Errorf("%s, which knows none of the keys: %s", version, a.body)
		}
	}
	outdated := map[string]bool{}
	for _, v := range s.ask("GET", "/v1/licenses/"+license, "", asOperator).want(200, "").at("versions").([]any) {
		v := v.(map[string]any)
		outdated[v["version"].(string)] = v["outdated"] == true
	}
	if !outdated["2.2.0"] || outdated["2.3.0"] || outdated["2.5.0"] {
		t.Errorf("outdated: %v", outdated)
	}
	// Another process publishes a version: it is known half a minute later, and
	// is read meanwhile.
	publish("2.6.0", next)
	if a := asked("2.6.0"); a.at("token") != nil {
		t.Errorf("a version that nobody has read of: %s", a.body)
	}
	s.now = s.now.Add(30 * time.Second)
	give := time.After(10 * time.Second)
	for asked("2.6.0").at("token") == nil {
		select {
		case <-give:
			t.Fatal("a version that was published half a minute ago is still not known")
		default:
		}
	}
	// This process publishes one: it is known at once.
	s.put("calendar-pro", "2.7.0", "New.", activitiestest.Package(t, s.keys.Next.Public().String())).want(200, "")
	if got := kidOf(t, asked("2.7.0").text("token")); got != next {
		t.Errorf("a version that was just published is answered with %s", got)
	}
}

func TestAFileOfAVersionThatKnowsNoneOfTheKeysIsRefused(t *testing.T) {
	s := newShop(t)
	license := s.buy().want(201, "").text("license.id")
	pkg := visual.Packages()[0].Data
	versions, err := s.store.Versions(t.Context(), "calendar-pro")
	check(t, err)
	old := billing.Version{Version: "1.0.0", Build: billing.Build{GUID: versions[0].Build.GUID, Kids: []string{"long-ago"}}}
	check(t, s.store.PutVersion(t.Context(), "calendar-pro", old, pkg))
	s.ask("GET", "/v1/licenses/"+license+"/download?version=1.0.0", "", asOperator).want(409, "unknown_key")
}

func TestJWKSPublishesAFormerKeyUntilItsLastTokenHasEnded(t *testing.T) {
	former, err := licensing.GenerateKey(rand.Reader)
	check(t, err)
	until := time.Date(2031, 5, 1, 0, 0, 0, 0, time.UTC)
	s := newShop(t, func(c *parts) {
		c.keys.Former = []licensing.FormerKey{{PublicKey: former.Public(), Until: until}}
	})
	published := func() (kids []string) {
		t.Helper()
		for _, k := range s.ask("GET", "/.well-known/jwks.json", "").want(200, "").at("keys").([]any) {
			kids = append(kids, fmt.Sprint(k.(map[string]any)["kid"]))
			if _, private := k.(map[string]any)["d"]; private {
				t.Error("a private key is published")
			}
		}
		return kids
	}
	want := []string{s.keys.Current.ID(), s.keys.Next.ID(), former.ID()}
	s.now = until.Add(-time.Second)
	if diff := cmp.Diff(want, published()); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
	s.now = until
	if got := published(); !slices.Equal(got, want[:2]) {
		t.Errorf("published after its last token: %v", got)
	}
}
