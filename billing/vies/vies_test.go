package vies_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/billing/vies"
)

// service answers every question alike, and keeps the last one.
func service(t *testing.T, status int, answer string) (address string, asked *map[string]string) {
	t.Helper()
	asked = &map[string]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/rest-api/check-vat-number" {
			t.Errorf("asked with %s %s", r.Method, r.URL.Path)
		}
		if err := json.NewDecoder(r.Body).Decode(asked); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/rest-api/", asked
}

func TestAKnownVATIDHasItsConsultationNumberAndCompany(t *testing.T) {
	address, asked := service(t, 200, `{"countryCode":"DE","vatNumber":"136695976","requestDate":"2026-03-01T10:00:00.000Z","valid":true,
 "requestIdentifier":"WAPIAAAAW1","name":"ACME\n  GmbH","address":"---"}`)
	r, err := vies.New(address, "IT00743110157")
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Lookup(t.Context(), "DE136695976")
	if want := (billing.VATEntry{Exists: true, Consultation: "WAPIAAAAW1", Company: "ACME GmbH"}); err != nil || got != want {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
	for field, want := range map[string]string{"countryCode": "DE", "vatNumber": "136695976", "requesterMemberStateCode": "IT", "requesterNumber": "00743110157"} {
		if (*asked)[field] != want {
			t.Errorf("asked with %s %q, want %q", field, (*asked)[field], want)
		}
	}
}

func TestAnswersOfTheRegister(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		answer string
		want   billing.VATEntry
		away   bool
	}{
		"a number that was not given out":             {200, `{"valid":false,"name":"---","requestIdentifier":"WAPIAAAAW2"}`, billing.VATEntry{}, false},
		"a number that cannot be one":                 {400, `{"actionSucceed":false,"errorWrappers":[{"error":"INVALID_INPUT"}]}`, billing.VATEntry{}, false},
		"a state that names nobody":                   {200, `{"valid":true,"name":"---"}`, billing.VATEntry{Exists: true}, false},
		"a state that is away":                        {500, `{"actionSucceed":false,"errorWrappers":[{"error":"MS_UNAVAILABLE"}]}`, billing.VATEntry{}, true},
		"too many questions, with a good status":      {200, `{"actionSucceed":false,"errorWrappers":[{"error":"MS_MAX_CONCURRENT_REQ"}]}`, billing.VATEntry{}, true},
		"a state that is away, said beside an answer": {200, `{"valid":false,"errorWrappers":[{"error":"MS_UNAVAILABLE"}]}`, billing.VATEntry{}, true},
		"a page of a proxy":                           {502, `<html>`, billing.VATEntry{}, true},
		"another document":                            {200, `{}`, billing.VATEntry{}, true},
		"the service elsewhere":                       {302, `{"valid":true}`, billing.VATEntry{}, true},
		"an answer that is larger than any of it":     {200, `{"name":"` + strings.Repeat("x", 100_000) + `","valid":true}`, billing.VATEntry{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := service(t, c.status, c.answer)
			r, err := vies.New(address, "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Lookup(t.Context(), "DE136695976")
			if got != c.want || (err != nil) != c.away {
				t.Errorf("got %+v and %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "136695976") {
				t.Errorf("the error repeats the id: %v", err)
			}
		})
	}
}

func TestASilentRegisterIsNotWaitedForLong(t *testing.T) {
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(over) })
	r, err := vies.New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := r.Lookup(t.Context(), "DE136695976"); err == nil || time.Since(begun) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}
