package engine

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/okviz/licensing/api"
	"github.com/okviz/licensing/backoffice/signin"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/billing/vies"
	"github.com/okviz/licensing/licensing/entra"
	"github.com/okviz/licensing/payments/stripe"
)

// Config is the engine's configuration, from the environment. Temporal's own
// TEMPORAL_… variables come with it.
type Config struct {
	Env              string                 `env:"OKVIZ_ENV" envDefault:"production"` // or development
	DatabaseURL      string                 `env:"DATABASE_URL"`                      // mysql://user:password@host:port/name or sqlite:///path
	HTTP             string                 `env:"OKVIZ_HTTP" envDefault:"127.0.0.1:8080"`
	Metrics          string                 `env:"OKVIZ_METRICS" envDefault:"127.0.0.1:9464"`        // where api tells Prometheus; off: nowhere
	WorkerMetrics    string                 `env:"OKVIZ_WORKER_METRICS" envDefault:"127.0.0.1:9465"` // where worker does
	PublicURL        string                 `env:"OKVIZ_PUBLIC_URL"`                                 // of the pages, as customers reach them
	RateLimits       string                 `env:"OKVIZ_RATE_LIMITS"`                                // on: also in development; production always has them
	Secret           billing.Secret         `env:"OKVIZ_SECRET"`                                     // signs checkout tokens and mailed links: the current value and former ones, ≥ 32 characters each
	SigningKeys      []string               `env:"OKVIZ_SIGNING_KEYS"`                               // files, or the PEM texts themselves: the current key, the next, and former ones
	SMTPURL          string                 `env:"OKVIZ_SMTP_URL"`
	MailFrom         string                 `env:"OKVIZ_MAIL_FROM"`      // "OKVIZ <licences@okviz.example>"
	OperatorEmail    string                 `env:"OKVIZ_OPERATOR_EMAIL"` // is told what needs a person; empty: MailFrom's address
	Brand            string                 `env:"OKVIZ_BRAND" envDefault:"OKVIZ"`
	SupportURL       string                 `env:"OKVIZ_SUPPORT_URL"`
	TermsURL         string                 `env:"OKVIZ_TERMS_URL"`                       // of the terms of sale
	PrivacyURL       string                 `env:"OKVIZ_PRIVACY_URL"`                     // of the privacy notice
	Logo             string                 `env:"OKVIZ_LOGO"`                            // a file of the pages: SVG or PNG
	Style            string                 `env:"OKVIZ_STYLE"`                           // a file of the pages: CSS after ours, for their colours
	VendorAddress    []string               `env:"OKVIZ_VENDOR_ADDRESS" envSeparator:"|"` // lines, as invoices print them
	VendorBank       []string               `env:"OKVIZ_VENDOR_BANK" envSeparator:"|"`    // lines, as open invoices print them
	VendorVATID      string                 `env:"OKVIZ_VENDOR_VAT_ID"`
	VIES             string                 `env:"OKVIZ_VIES_URL"`                           // of the Commission's service; empty: VAT ids are held to their form alone
	Unverified       billing.WhenUnverified `env:"OKVIZ_VAT_UNVERIFIED" envDefault:"accept"` // or tax: an id that VIES could not be asked about
	SellerCountry    string                 `env:"OKVIZ_SELLER_COUNTRY" envDefault:"IT"`
	BlockedCountries []string               `env:"OKVIZ_BLOCKED_COUNTRIES"`            // nothing new is sold there
	Gateway          string                 `env:"OKVIZ_GATEWAY" envDefault:"sandbox"` // or stripe
	StripeKey        string                 `env:"OKVIZ_STRIPE_KEY"`                   // the secret key, or a restricted one
	StripeWebhook    string                 `env:"OKVIZ_STRIPE_WEBHOOK_SECRET"`        // of the endpoint at Stripe: whsec_…
	FileDays         int                    `env:"OKVIZ_FILE_DAYS" envDefault:"400"`   // how long a delivered file lasts at most; 0: the default
	FirstFileDays    int                    `env:"OKVIZ_FIRST_FILE_DAYS"`              // how long one does after the money-back window that it was signed in; 0: as any other
	OperatorKey      string                 `env:"OKVIZ_OPERATOR_KEY"`                 // development only
	TestClocks       bool                   `env:"OKVIZ_TEST_CLOCKS"`                  // development only
	TrustedProxies   []string               `env:"OKVIZ_TRUSTED_PROXIES"`
	Origins          []string               `env:"OKVIZ_ORIGINS"`                              // of your other pages, which portal sessions may lead back to
	WebhookNetworks  []netip.Prefix         `env:"OKVIZ_WEBHOOK_NETWORKS"`                     // networks that webhooks are sent to though they are not public, also without https
	AcceptRisks      []string               `env:"OKVIZ_ACCEPT_RISKS"`                         // what production otherwise refuses
	Deployment       string                 `env:"OKVIZ_DEPLOYMENT"`                           // of the workers, as Temporal's Worker Deployment Versioning names it; empty: no versioning
	BuildID          string                 `env:"OKVIZ_BUILD_ID"`                             // of this worker in it
	Connections      int                    `env:"OKVIZ_DATABASE_CONNECTIONS" envDefault:"40"` // of each process; 0: the default
	Activities       int                    `env:"OKVIZ_ACTIVITIES" envDefault:"40"`           // at once, of each worker; 0: the default
	CachedWorkflows  int                    `env:"OKVIZ_CACHED_WORKFLOWS" envDefault:"2000"`   // of each worker; 0: the default
	MailMegabytes    int                    `env:"OKVIZ_MAIL_MEGABYTES" envDefault:"5"`        // a larger mail has a link to its file; 0: the default
	EntraAuthority   string                 `env:"OKVIZ_ENTRA_AUTHORITY"`                      // https://login.microsoftonline.com/organizations/v2.0; empty: no activation
	EntraAudience    string                 `env:"OKVIZ_ENTRA_AUDIENCE"`                       // for whom its tokens are: the application's id

	TemporalUI string `env:"OKVIZ_TEMPORAL_UI"` // its address, to which the console links; empty: no links

	// Where operators sign in to the console by OpenID Connect; without an issuer, with their keys.
	OIDCIssuer string   `env:"OKVIZ_OIDC_ISSUER"`
	OIDCClient string   `env:"OKVIZ_OIDC_CLIENT_ID"`
	OIDCSecret string   `env:"OKVIZ_OIDC_CLIENT_SECRET"`
	OIDCClaim  string   `env:"OKVIZ_OIDC_CLAIM" envDefault:"roles"` // of the ID token: a text or a list
	OIDCRoles  []string `env:"OKVIZ_OIDC_ROLES"`                    // VALUE=ROLE, such as okviz-admins=admin

	// For how many days what is over is kept; 0: for ever.
	RetainRequests      int `env:"OKVIZ_RETENTION_REQUESTS" envDefault:"400"`
	RetainMails         int `env:"OKVIZ_RETENTION_MAILS" envDefault:"400"`
	RetainLogins        int `env:"OKVIZ_RETENTION_LOGINS" envDefault:"30"`
	RetainGatewayEvents int `env:"OKVIZ_RETENTION_GATEWAY_EVENTS" envDefault:"400"`
	RetainEvents        int `env:"OKVIZ_RETENTION_EVENTS" envDefault:"400"`
	RetainDeliveries    int `env:"OKVIZ_RETENTION_DELIVERIES" envDefault:"31"`
	RetainOrders        int `env:"OKVIZ_RETENTION_ORDERS" envDefault:"90"`
	RetainInvoices      int `env:"OKVIZ_RETENTION_INVOICES" envDefault:"4018"` // ten years after the end of the year of issue
}

// FromEnvironment reads the configuration and checks it.
func FromEnvironment() (Config, error) {
	var c Config
	if err := env.Parse(&c); err != nil {
		return c, errors.New("configuration: " + err.Error())
	}
	return c, c.Check()
}

// limited tells whether what guests do is limited.
func (c Config) limited() bool { return !c.Development() || c.RateLimits == "on" }

// Development tells whether this is a development system. Production is the
// default.
func (c Config) Development() bool { return c.Env == "development" }

// retention is for how long what is over is kept.
func (c Config) retention() billing.Retention {
	return billing.Retention{
		billing.RetainRequests: c.RetainRequests, billing.RetainMails: c.RetainMails, billing.RetainLogins: c.RetainLogins,
		billing.RetainGatewayEvents: c.RetainGatewayEvents, billing.RetainEvents: c.RetainEvents, billing.RetainDeliveries: c.RetainDeliveries, billing.RetainOrders: c.RetainOrders,
		billing.RetainInvoices: c.RetainInvoices,
	}
}

// shortestRetention is how many days anything is kept: answers are given again
// for a week, and gateways repeat what they told for a month.
const shortestRetention = 31

// developmentKeys are the ids of the signing keys in dev/keys, whose private
// halves everybody can read.
var developmentKeys = []string{
	"MxA4nO0KWLlfkCKzeIiIAuEvZEY8f0LBd5N-HjMx7Jk",
	"K-uLQKbGPBdP0UAFYcXF0zk9WMpdktXlp0-NFSD5whE",
}

// Check names everything that is wrong with the configuration. No value is
// repeated.
func (c Config) Check() error {
	var wrong faults
	c.checkService(&wrong)
	c.checkMail(&wrong)
	c.checkPages(&wrong)
	c.checkGateway(&wrong)
	if !c.Development() {
		c.checkProduction(&wrong)
	}
	return errors.Join(wrong...)
}

// faults are what is wrong with a configuration.
type faults []error

func (f *faults) add(name, why string) { *f = append(*f, fmt.Errorf("%s %s", name, why)) }

// checkService checks what every process needs to run.
func (c Config) checkService(wrong *faults) {
	if c.Env != "production" && c.Env != "development" {
		wrong.add("OKVIZ_ENV", "must be production or development")
	}
	if c.DatabaseURL == "" {
		wrong.add("DATABASE_URL", "is missing")
	}
	if len(c.Secret) == 0 || slices.ContainsFunc(c.Secret, func(s string) bool { return len(s) < 32 }) {
		wrong.add("OKVIZ_SECRET", "has fewer than 32 characters")
	}
	for kind, days := range c.retention() {
		least := shortestRetention
		if kind == billing.RetainLogins { // counted from their end, when nobody can sign in with them any more
			least = 1
		}
		if days < 0 || days > 0 && days < least {
			wrong.add("OKVIZ_RETENTION_"+strings.ToUpper(string(kind)), fmt.Sprintf("must be 0 (for ever) or at least %d days", least))
		}
	}
	if slices.ContainsFunc(c.BlockedCountries, func(country string) bool { return !billing.ValidCountry(country) }) {
		wrong.add("OKVIZ_BLOCKED_COUNTRIES", "is not a list of countries such as CU,IR,KP")
	}
	if len(c.SigningKeys) == 0 {
		wrong.add("OKVIZ_SIGNING_KEYS", "is missing: it names the file of the signing keys, which okviz signing-keys generate creates")
	}
	if _, err := c.tenants(); err != nil {
		wrong.add("OKVIZ_ENTRA_AUTHORITY and OKVIZ_ENTRA_AUDIENCE", "must both be set and valid: "+err.Error())
	}
	if _, err := c.issuer(); err != nil {
		wrong.add("OKVIZ_OIDC_ISSUER", "and the other OKVIZ_OIDC_ variables do not fit: "+err.Error())
	}
	if _, err := c.vatRegister(); err != nil {
		wrong.add("OKVIZ_VIES_URL", "does not fit: "+err.Error())
	}
	if c.Unverified != "" && c.Unverified != billing.AcceptUnverified && c.Unverified != billing.TaxUnverified {
		wrong.add("OKVIZ_VAT_UNVERIFIED", "must be accept or tax")
	}
	if u, err := url.Parse(c.TemporalUI); err != nil || c.TemporalUI != "" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		wrong.add("OKVIZ_TEMPORAL_UI", "is not a URL such as https://temporal.okviz.example/namespaces/default/workflows/")
	}
	if c.FileDays != 0 && c.FileDays < 60 {
		wrong.add("OKVIZ_FILE_DAYS", "must be at least 60, since a fresh file is mailed 30 days before one ends")
	}
	if c.Connections != 0 && c.Connections < 5 {
		wrong.add("OKVIZ_DATABASE_CONNECTIONS", "must be at least 5")
	}
	for name, n := range map[string]int{"OKVIZ_ACTIVITIES": c.Activities, "OKVIZ_CACHED_WORKFLOWS": c.CachedWorkflows, "OKVIZ_MAIL_MEGABYTES": c.MailMegabytes} {
		if n < 0 {
			wrong.add(name, "must be a number above 0")
		}
	}
	if c.FirstFileDays < 0 {
		wrong.add("OKVIZ_FIRST_FILE_DAYS", "must be a number of days, or absent")
	}
	if (c.Deployment == "") != (c.BuildID == "") {
		wrong.add("OKVIZ_DEPLOYMENT and OKVIZ_BUILD_ID", "must both be set, or neither")
	}
	if strings.Contains(c.Deployment, ".") {
		wrong.add("OKVIZ_DEPLOYMENT", "must not have a dot")
	}
	if c.RateLimits != "" && c.RateLimits != "on" {
		wrong.add("OKVIZ_RATE_LIMITS", "must be on or absent")
	}
	if c.OperatorKey != "" && len(c.OperatorKey) < 32 {
		wrong.add("OKVIZ_OPERATOR_KEY", "has fewer than 32 characters")
	}
}

func (c Config) checkMail(wrong *faults) {
	if c.SMTPURL == "" || c.MailFrom == "" {
		wrong.add("OKVIZ_SMTP_URL and OKVIZ_MAIL_FROM", "are needed to send mail")
	}
	if _, err := c.operatorEmail(); err != nil {
		wrong.add("OKVIZ_OPERATOR_EMAIL or OKVIZ_MAIL_FROM", "is not an e-mail address")
	}
}

// checkPages checks the addresses and the name that customers see.
func (c Config) checkPages(wrong *faults) {
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.HasSuffix(c.PublicURL, "/") {
		wrong.add("OKVIZ_PUBLIC_URL", "is not a URL such as https://licences.okviz.example, without a slash at its end")
	}
	for _, o := range c.Origins {
		if u, err := url.Parse(o); err != nil || u.Host == "" || o != u.Scheme+"://"+u.Host || u.Scheme != "https" && (u.Scheme != "http" || !c.Development()) {
			wrong.add("OKVIZ_ORIGINS", "is not a list of origins such as https://www.okviz.example")
			break
		}
	}
	if c.Brand == "" {
		wrong.add("OKVIZ_BRAND", "is missing")
	}
	for name, address := range map[string]string{"OKVIZ_TERMS_URL": c.TermsURL, "OKVIZ_PRIVACY_URL": c.PrivacyURL, "OKVIZ_SUPPORT_URL": c.SupportURL} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "mailto") {
			wrong.add(name, "is not a URL such as https://okviz.example/terms")
		}
	}
}

func (c Config) checkGateway(wrong *faults) {
	switch c.Gateway {
	case "sandbox":
		if c.StripeKey != "" {
			wrong.add("OKVIZ_STRIPE_KEY", "is set, but OKVIZ_GATEWAY is not stripe")
		}
		if c.StripeWebhook != "" {
			wrong.add("OKVIZ_STRIPE_WEBHOOK_SECRET", "is set, but OKVIZ_GATEWAY is not stripe")
		}
	case "stripe":
		switch mode := stripe.ModeOf(c.StripeKey); {
		case mode == "":
			wrong.add("OKVIZ_STRIPE_KEY", "is not a secret key of Stripe: sk_live_… or rk_live_…, in development sk_test_… or rk_test_…")
		case mode == stripe.Live && c.Development():
			wrong.add("OKVIZ_STRIPE_KEY", "moves real money, which development must not")
		case mode == stripe.Test && !c.Development():
			wrong.add("OKVIZ_STRIPE_KEY", "is a test key, which moves no money, and must not be used in production")
		}
		if !strings.HasPrefix(c.StripeWebhook, "whsec_") {
			wrong.add("OKVIZ_STRIPE_WEBHOOK_SECRET", "is not the secret of a webhook endpoint at Stripe: whsec_…")
		}
	default:
		wrong.add("OKVIZ_GATEWAY", "must be sandbox or stripe")
	}
}

// checkProduction refuses what only development may have.
func (c Config) checkProduction(wrong *faults) {
	if c.Gateway == "sandbox" {
		wrong.add("OKVIZ_GATEWAY", "is the sandbox, which moves no money, and must not be used in production")
	}
	if c.TestClocks {
		wrong.add("OKVIZ_TEST_CLOCKS", "must not be set in production")
	}
	if c.OperatorKey != "" {
		wrong.add("OKVIZ_OPERATOR_KEY", "must not be set in production: use okviz api-keys create")
	}
	if strings.HasPrefix(strings.ToLower(c.PublicURL), "http:") {
		wrong.add("OKVIZ_PUBLIC_URL", "is not https")
	}
	if strings.HasPrefix(strings.ToLower(c.EntraAuthority), "http:") {
		wrong.add("OKVIZ_ENTRA_AUTHORITY", "is not https")
	}
	if strings.HasPrefix(strings.ToLower(c.VIES), "http:") {
		wrong.add("OKVIZ_VIES_URL", "is not https")
	}
	if strings.HasPrefix(strings.ToLower(c.OIDCIssuer), "http:") {
		wrong.add("OKVIZ_OIDC_ISSUER", "is not https")
	}
	if slices.ContainsFunc(c.Secret, guessable) {
		wrong.add("OKVIZ_SECRET", "is not random: openssl rand -hex 32 makes one that is")
	}
	if c.Gateway == "stripe" && len(c.StripeWebhook) < len("whsec_")+24 {
		wrong.add("OKVIZ_STRIPE_WEBHOOK_SECRET", "is too short to be Stripe's")
	}
	if slices.ContainsFunc(c.TrustedProxies, anybody) {
		wrong.add("OKVIZ_TRUSTED_PROXIES", "trusts whole parts of the internet: name your proxies")
	}
	c.checkRisks(wrong)
}

// tenants verifies Entra tokens; nil if no authority is configured.
func (c Config) tenants() (api.Tenants, error) {
	if c.EntraAuthority == "" && c.EntraAudience == "" {
		return nil, nil
	}
	return entra.New(c.EntraAuthority, c.EntraAudience)
}

// vatRegister is VIES, which is told the vendor's own VAT id if it has one; nil if
// it is not configured.
func (c Config) vatRegister() (api.VATRegister, error) {
	if c.VIES == "" {
		return nil, nil
	}
	own, err := billing.NormalVATID(c.SellerCountry, c.VendorVATID)
	if err != nil || !billing.InEuropeanUnion(c.SellerCountry) {
		own = "" // without it there are no consultation numbers
	}
	return vies.New(c.VIES, own)
}

// issuer signs operators in; nil if none is configured.
func (c Config) issuer() (api.Issuer, error) {
	if c.OIDCIssuer == "" && c.OIDCClient == "" && c.OIDCSecret == "" && len(c.OIDCRoles) == 0 {
		return nil, nil
	}
	roles := map[string]billing.OperatorRole{}
	for _, pair := range c.OIDCRoles {
		value, role, _ := strings.Cut(strings.TrimSpace(pair), "=")
		roles[value] = billing.OperatorRole(role)
	}
	return signin.New(signin.Config{Issuer: c.OIDCIssuer, ClientID: c.OIDCClient, ClientSecret: c.OIDCSecret, Claim: c.OIDCClaim, Roles: roles}, c.PublicURL+api.CallbackPath)
}

// sandboxSecret signs the sandbox gateway's webhooks: the same one in every
// process of an engine.
func (c Config) sandboxSecret() string {
	return "whsec_" + hex.EncodeToString(c.Secret.Sign("sandbox webhook", nil))
}

// operatorEmail is the address to which reports for the operator are sent.
func (c Config) operatorEmail() (string, error) {
	from := c.OperatorEmail
	if from == "" {
		from = c.MailFrom
	}
	address, err := mail.ParseAddress(from)
	if err != nil {
		return "", err
	}
	return address.Address, nil
}

// distinct counts the different characters of a text.
func distinct(s string) int {
	r := []rune(s)
	slices.Sort(r)
	return len(slices.Compact(r))
}
