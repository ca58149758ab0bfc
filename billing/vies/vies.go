// Package vies asks the European Commission's VIES, which asks the member
// states, whether a VAT id has been given out.
package vies

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
)

const (
	patience  = 4 * time.Second // a customer waits
	maxAnswer = 64 << 10
)

// Register is VIES.
type Register struct {
	address   string
	requester string // the vendor's VAT id, which gets consultation numbers; empty: none
	client    *http.Client
}

// New makes a register of the service's address, such as
// https://ec.europa.eu/taxation_customs/vies/rest-api, and of the VAT id of who
// asks, if it has one. It calls nobody.
func New(address, requester string) (*Register, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("the address is not a URL such as https://ec.europa.eu/taxation_customs/vies/rest-api")
	}
	return &Register{address: strings.TrimSuffix(address, "/") + "/check-vat-number", requester: requester, client: &http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

type question struct {
	Country          string `json:"countryCode"`
	Number           string `json:"vatNumber"`
	RequesterCountry string `json:"requesterMemberStateCode,omitempty"`
	RequesterNumber  string `json:"requesterNumber,omitempty"`
}

type answer struct {
	Valid      *bool  `json:"valid"`
	Identifier string `json:"requestIdentifier"`
	Name       string `json:"name"`
	Errors     []struct {
		Error string `json:"error"`
	} `json:"errorWrappers"`
}

// undisclosed is what states send in place of a name that they keep to
// themselves.
const undisclosed = "---"

// Lookup asks for a VAT id as billing.NormalVATID writes it. An error says that
// no answer was to be had; it repeats nothing of the id.
func (r *Register) Lookup(ctx context.Context, id string) (billing.VATEntry, error) {
	if len(id) < 3 {
		return billing.VATEntry{}, errors.New("VIES: not a VAT id")
	}
	q := question{Country: id[:2], Number: id[2:]}
	if len(r.requester) > 2 {
		q.RequesterCountry, q.RequesterNumber = r.requester[:2], r.requester[2:]
	}
	body, err := json.Marshal(q)
	if err != nil {
		return billing.VATEntry{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address, bytes.NewReader(body))
	if err != nil {
		return billing.VATEntry{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := r.client.Do(req)
	if err != nil {
		return billing.VATEntry{}, fmt.Errorf("VIES: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	var a answer
	read := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a)
	switch {
	case read != nil:
		return billing.VATEntry{}, fmt.Errorf("VIES answers %d, and no JSON", res.StatusCode)
	case len(a.Errors) > 0 && a.Errors[0].Error == "INVALID_INPUT":
		return billing.VATEntry{}, nil
	case len(a.Errors) > 0:
		return billing.VATEntry{}, fmt.Errorf("VIES answers %d: %.60q", res.StatusCode, a.Errors[0].Error) // a code such as MS_UNAVAILABLE
	case res.StatusCode != http.StatusOK || a.Valid == nil:
		return billing.VATEntry{}, fmt.Errorf("VIES answers %d", res.StatusCode)
	}
	e := billing.VATEntry{Exists: *a.Valid}
	if e.Exists {
		e.Consultation = a.Identifier
		if name := strings.Join(strings.Fields(a.Name), " "); name != undisclosed {
			e.Company = name
		}
	}
	return e, nil
}
