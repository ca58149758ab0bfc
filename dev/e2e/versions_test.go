package e2e

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/okviz/licensing/activities/activitiestest"
	"github.com/okviz/licensing/dev/keys"
	"github.com/okviz/licensing/licensing"
)

// publish uploads a version as an operator.
func (s *shop) publish(t *testing.T, product, version string, pkg []byte) answer {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	must(t, w.WriteField("changelog", "What is new in "+version+"."))
	part, err := w.CreateFormFile("package", "visual.pbiviz")
	must(t, err)
	_, err = part.Write(pkg)
	must(t, err)
	must(t, w.Close())
	h := s.asOperator()
	h["Content-Type"] = w.FormDataContentType()
	return s.send(t, http.MethodPut, "/v1/operator/products/"+product+"/versions/"+version, body.Bytes(), h)
}

func TestAVisualIsSoldBeforeItIsBuiltAndABadVersionIsTakenBack(t *testing.T) {
	t.Parallel()
	s := start(t, 0)
	s.send(t, http.MethodPost, "/v1/operator/catalog", object{"products": []object{{"id": "early-bird", "name": "Early Bird", "plans": []object{
		{"type": "users", "tier": "1-20", "covers": 20, "cycle": "monthly", "prices": []object{{"amount": 500, "currency": "USD"}}},
	}}}}, s.asOperator()).want(t, http.StatusOK)
	who := newCustomer()
	c := s.buy(t, who.order(object{"product": "early-bird"}))
	if l := s.awaitEmails(t, who.licenseeEmail, 1)[0]; len(l.Attachments) != 0 {
		t.Errorf("a file before there is one: %+v", l.Attachments)
	}
	download := "/v1/licenses/" + c.License.ID + "/download"
	s.send(t, http.MethodGet, download, nil, s.asOperator()).wantProblem(t, http.StatusConflict, "no_version")

	signing, err := licensing.ParsePrivateKey(keys.Signing)
	must(t, err)
	pkg := func(more string) []byte { return activitiestest.Package(t, signing.Public().String(), more) }
	s.publish(t, "early-bird", "1.0.0", activitiestest.Package(t, "no key")).wantProblem(t, http.StatusUnprocessableEntity, "package_without_key")
	s.publish(t, "early-bird", "1.0.0", pkg("first")).want(t, http.StatusOK)
	s.command(t, c.Subscription.ID, "cancel", nil).want(t, http.StatusOK) // its mail takes the other one along
	mail := s.awaitEmails(t, who.licenseeEmail, 2)[1]
	if mail.Subject != "Early Bird is ready for you" {
		t.Errorf("subject %q", mail.Subject)
	}
	if got := s.claims(t, stamped(t, s.attached(t, mail))); got["sub"] != c.License.ID || got["aud"] != "early-bird" {
		t.Errorf("the mailed file is for %v", got)
	}

	given := func(want string) {
		t.Helper()
		a := s.send(t, http.MethodGet, download, nil, s.asOperator()).want(t, http.StatusOK)
		if got := a.header.Get("Content-Disposition"); !strings.Contains(got, "early-bird-"+want+".pbiviz") {
			t.Errorf("the file is %s, want %s", got, want)
		}
	}
	s.publish(t, "early-bird", "1.1.0", pkg("second")).want(t, http.StatusOK)
	given("1.1.0")
	s.send(t, http.MethodDelete, "/v1/operator/products/early-bird/versions/1.1.0", nil, s.asOperator()).want(t, http.StatusOK)
	given("1.0.0")
	if n := len(s.emails(t, who.licenseeEmail)); n != 2 {
		t.Errorf("the licensee has %d letters, want 2", n)
	}
}
