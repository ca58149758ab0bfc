// Package signin signs operators in to the console by OpenID Connect: the
// authorization code flow with PKCE, a state and a nonce. The issuer is
// configured; nothing that a browser sends decides where anything is looked up.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/okviz/licensing/billing"
)

// patience is how long the issuer may take to answer.
const patience = 10 * time.Second

// Config names an issuer and what it says of operators.
type Config struct {
	Issuer       string // its address, below which its OpenID configuration is found
	ClientID     string
	ClientSecret string // empty: a public client, which PKCE alone protects
	Claim        string // of the ID token: a text or a list of texts
	Roles        map[string]billing.OperatorRole
}

// Check says what is wrong with a configuration.
func (c Config) Check() error {
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the issuer is not an address")
	case c.ClientID == "" || c.Claim == "":
		return errors.New("the client or the claim is missing")
	case len(c.Roles) == 0:
		return errors.New("no value of the claim has a role")
	}
	for _, role := range c.Roles {
		if !role.Valid() {
			return errors.New("a role is not read, support, finance or admin")
		}
	}
	return nil
}

// Issuer signs operators in. It asks its provider for its configuration when
// the first of them comes.
type Issuer struct {
	config   Config
	callback string
	client   *http.Client

	asking   singleflight.Group // one at a time reads and writes what follows
	provider *oidc.Provider     // nil: it has not answered yet
	failure  error              // of asking it
	failed   time.Time
}

// failureLife is how long nobody asks an issuer again that did not answer.
const failureLife = 5 * time.Second

// New makes an issuer that sends browsers back to an address. It calls nobody.
func New(c Config, callback string) (*Issuer, error) {
	return &Issuer{config: c, callback: callback, client: &http.Client{Timeout: patience}}, c.Check()
}

// connect finds the provider's addresses and keys. One asks for all who come meanwhile,
// and those who come soon after a failure are told of it at once.
func (i *Issuer) connect(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	asked, err, _ := i.asking.Do("provider", func() (any, error) {
		if i.provider != nil || i.failure != nil && time.Since(i.failed) < failureLife {
			return i.provider, i.failure
		}
		p, err := oidc.NewProvider(ctx, i.config.Issuer)
		if err != nil {
			err = fmt.Errorf("asking the issuer for its configuration: %w", err)
		}
		i.provider, i.failure, i.failed = p, err, time.Now()
		return p, err
	})
	if err != nil {
		return nil, nil, err
	}
	provider := asked.(*oidc.Provider)
	return provider, &oauth2.Config{
		ClientID: i.config.ClientID, ClientSecret: i.config.ClientSecret, RedirectURL: i.callback,
		Endpoint: provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
	}, nil
}

// Begin says where a browser signs in, and what it must keep until it comes
// back.
func (i *Issuer) Begin(ctx context.Context) (address, kept string, err error) {
	_, flow, err := i.connect(oidc.ClientContext(context.WithoutCancel(ctx), i.client))
	if err != nil {
		return "", "", err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	return flow.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), strings.Join([]string{state, nonce, verifier}, "."), nil
}

// ErrRefused is a sign-in that does not make anybody an operator.
var ErrRefused = errors.New("nobody was signed in")

// Finish tells who has come back with a code, and in which role. Errors:
// ErrRefused; any other says that the issuer is away.
func (i *Issuer) Finish(ctx context.Context, kept, state, code string) (name string, role billing.OperatorRole, err error) {
	parts := strings.Split(kept, ".")
	if len(parts) != 3 || state == "" || code == "" || subtle.ConstantTimeCompare([]byte(parts[0]), []byte(state)) != 1 {
		return "", "", fmt.Errorf("%w: this sign-in was not begun here", ErrRefused)
	}
	ctx = oidc.ClientContext(ctx, i.client)
	provider, flow, err := i.connect(oidc.ClientContext(context.WithoutCancel(ctx), i.client))
	if err != nil {
		return "", "", err
	}
	token, err := flow.Exchange(ctx, code, oauth2.VerifierOption(parts[2]))
	var rejected *oauth2.RetrieveError
	switch {
	case errors.As(err, &rejected) && rejected.Response.StatusCode < 500:
		return "", "", fmt.Errorf("%w: the issuer did not take the code", ErrRefused)
	case err != nil:
		return "", "", errors.New("the issuer did not answer for the code") // its error has the code in it
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: i.config.ClientID}).Verify(ctx, raw)
	if err != nil || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(parts[1])) != 1 {
		return "", "", fmt.Errorf("%w: the ID token is not valid", ErrRefused)
	}
	var claims map[string]json.RawMessage
	if err := id.Claims(&claims); err != nil {
		return "", "", fmt.Errorf("%w: the ID token has no claims", ErrRefused)
	}
	name, role = nameOf(claims), i.roleOf(claims)
	if !billing.ValidOperatorName(name) || role == "" {
		return "", "", fmt.Errorf("%w: the ID token names no operator, or no role", ErrRefused)
	}
	return name, role, nil
}

// nameOf is the person's verified address, or else the name that they sign in
// with at the issuer.
func nameOf(claims map[string]json.RawMessage) string {
	var verified *bool
	_ = json.Unmarshal(claims["email_verified"], &verified)
	for _, claim := range []string{"email", "preferred_username"} {
		if claim == "email" && verified != nil && !*verified {
			continue
		}
		var name string
		if json.Unmarshal(claims[claim], &name) == nil && name != "" {
			return strings.ToLower(name)
		}
	}
	return ""
}

// roleOf is the role of the claim's values: of several the one that comes last
// in billing.OperatorRoles. Empty: none of them has one.
func (i *Issuer) roleOf(claims map[string]json.RawMessage) billing.OperatorRole {
	var values []string
	var one string
	if json.Unmarshal(claims[i.config.Claim], &one) == nil {
		values = []string{one}
	} else if json.Unmarshal(claims[i.config.Claim], &values) != nil {
		return ""
	}
	for _, role := range slices.Backward(billing.OperatorRoles) {
		if slices.ContainsFunc(values, func(value string) bool { return i.config.Roles[value] == role }) {
			return role
		}
	}
	return ""
}
