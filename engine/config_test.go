package engine

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// production is a configuration with nothing wrong.
func production(t *testing.T) Config {
	t.Helper()
	key, err := licensing.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Env: "production", DatabaseURL: "mysql://okviz:secret@db:3306/okviz?tls=true", PublicURL: "https://licences.okviz.example",
		Secret: billing.Secret{"kR7vQ2mZx9TpWb4NcYh6LdFs8GjEa3Uu"}, SigningKeys: []string{string(key.PEM())},
		SMTPURL: "smtps://mail.okviz.example", MailFrom: "OKVIZ <licences@okviz.example>", Brand: "OKVIZ",
		Gateway: "stripe", StripeKey: "sk_live_kR7vQ2mZx9", StripeWebhook: "whsec_kR7vQ2mZx9TpWb4NcYh6LdFs8GjEa3Uu",
	}
}

func TestProductionRefusesWhatOnlyDevelopmentMayHave(t *testing.T) {
	development, err := filepath.Abs("../dev/keys/signing-dev.pem")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spoil func(*Config)
		names string
	}{
		"the sandbox gateway":                  {func(c *Config) { c.Gateway, c.StripeKey, c.StripeWebhook = "sandbox", "", "" }, "OKVIZ_GATEWAY is the sandbox"},
		"a key of Stripe's test mode":          {func(c *Config) { c.StripeKey = "sk_test_kR7vQ2mZx9" }, "OKVIZ_STRIPE_KEY is a test key"},
		"a restricted key of its test mode":    {func(c *Config) { c.StripeKey = "rk_test_kR7vQ2mZx9" }, "OKVIZ_STRIPE_KEY is a test key"},
		"a key that pages may show":            {func(c *Config) { c.StripeKey = "pk_live_kR7vQ2mZx9" }, "OKVIZ_STRIPE_KEY is not a secret key"},
		"no key of Stripe's":                   {func(c *Config) { c.StripeKey = "" }, "OKVIZ_STRIPE_KEY is not a secret key"},
		"no secret of the webhook endpoint":    {func(c *Config) { c.StripeWebhook = "" }, "OKVIZ_STRIPE_WEBHOOK_SECRET is not the secret"},
		"a gateway that nobody knows":          {func(c *Config) { c.Gateway = "acme" }, "OKVIZ_GATEWAY must be sandbox or stripe"},
		"test clocks":                          {func(c *Config) { c.TestClocks = true }, "OKVIZ_TEST_CLOCKS"},
		"an operator key from the environment": {func(c *Config) { c.OperatorKey = strings.Repeat("k3y", 12) }, "OKVIZ_OPERATOR_KEY"},
		"an http public URL":                   {func(c *Config) { c.PublicURL = "http://licences.okviz.example" }, "OKVIZ_PUBLIC_URL is not https"},
		"a month that is too short to keep":    {func(c *Config) { c.RetainMails = 30 }, "OKVIZ_RETENTION_MAILS must be 0 (for ever) or at least 31"},
		"sign-in links for less than nothing":  {func(c *Config) { c.RetainLogins = -1 }, "OKVIZ_RETENTION_LOGINS must be 0 (for ever) or at least 1 days"},
		"a secret that is not random":          {func(c *Config) { c.Secret[0] = strings.Repeat("ab", 20) }, "OKVIZ_SECRET is not random"},
		"a short secret":                       {func(c *Config) { c.Secret[0] = "kR7vQ2mZx9" }, "OKVIZ_SECRET has fewer"},
		"no database":                          {func(c *Config) { c.DatabaseURL = "" }, "DATABASE_URL is missing"},
		"no signing key":                       {func(c *Config) { c.SigningKeys = nil }, "OKVIZ_SIGNING_KEYS"},
		"an operator who has no address":       {func(c *Config) { c.OperatorEmail = "the desk" }, "OKVIZ_OPERATOR_EMAIL"},
		"a former secret that is not random":   {func(c *Config) { c.Secret = append(c.Secret, strings.Repeat("ab", 20)) }, "OKVIZ_SECRET is not random"},
		"a secret of words":                    {func(c *Config) { c.Secret[0] = "correct-horse-battery-staple-and-more" }, "OKVIZ_SECRET is not random"},
		"a word and a year":                    {func(c *Config) { c.Secret[0] = "the-signing-secret-of-our-shop-2026" }, "OKVIZ_SECRET is not random"},
		"a repeated secret":                    {func(c *Config) { c.Secret[0] = strings.Repeat("kR7vQ2mZx9T", 3) }, "OKVIZ_SECRET is not random"},
		"whsec_ alone":                         {func(c *Config) { c.StripeWebhook = "whsec_" }, "OKVIZ_STRIPE_WEBHOOK_SECRET is too short"},
		"a deployment without a build":         {func(c *Config) { c.Deployment = "okviz" }, "OKVIZ_DEPLOYMENT and OKVIZ_BUILD_ID must both"},
		"a deployment with a dot":              {func(c *Config) { c.Deployment, c.BuildID = "okviz.example", "1.4.0" }, "OKVIZ_DEPLOYMENT must not"},
		"any IPv4 proxy":                       {func(c *Config) { c.TrustedProxies = []string{"10.0.0.7", "0.0.0.0/0"} }, "OKVIZ_TRUSTED_PROXIES"},
		"any IPv6 proxy":                       {func(c *Config) { c.TrustedProxies = []string{"::/0"} }, "OKVIZ_TRUSTED_PROXIES"},
		"half of all proxies":                  {func(c *Config) { c.TrustedProxies = []string{"0.0.0.0/1", "128.0.0.0/1"} }, "OKVIZ_TRUSTED_PROXIES"},
		"an unknown risk":                      {func(c *Config) { c.AcceptRisks = []string{"everything"} }, "OKVIZ_ACCEPT_RISKS"},
		"a country that is none":               {func(c *Config) { c.BlockedCountries = []string{"Cuba"} }, "OKVIZ_BLOCKED_COUNTRIES"},
		"another environment":                  {func(c *Config) { c.Env = "staging" }, "OKVIZ_ENV"},
	} {
		t.Run(name, func(t *testing.T) {
			config := production(t)
			c.spoil(&config)
			err := config.Check()
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Errorf("got %v, want it to name %s", err, c.names)
			}
		})
	}
	t.Run("the development signing key", func(t *testing.T) {
		config := production(t)
		config.SigningKeys = []string{development}
		if _, err := config.keys(); err == nil || !strings.Contains(err.Error(), "development key") {
			t.Errorf("got %v", err)
		}
		config.Env = "development"
		if _, err := config.keys(); err != nil {
			t.Errorf("development must take it: %v", err)
		}
	})
}

func TestAnEntraAuthorityComesWithItsAudienceAndByHTTPS(t *testing.T) {
	const authority, audience = "https://login.microsoftonline.com/organizations/v2.0", "6f1c2f2e-0000-4000-8000-000000000001"
	for _, c := range []struct {
		authority, audience string
		good                bool
	}{
		{"", "", true}, {authority, audience, true}, {authority, "", false}, {"", audience, false},
		{"login.microsoftonline.com", audience, false}, {"http://login.microsoftonline.com", audience, false}, {"HTTP://login.microsoftonline.com", audience, false},
	} {
		config := production(t)
		config.EntraAuthority, config.EntraAudience = c.authority, c.audience
		err := config.Check()
		if (err == nil) != c.good || err != nil && !strings.Contains(err.Error(), "OKVIZ_ENTRA_AUTHORITY") {
			t.Errorf("%q for %q: %v", c.authority, c.audience, err)
		}
		if tenants, err := config.tenants(); c.good && (err != nil || (tenants != nil) != (c.authority != "")) {
			t.Errorf("%q for %q: verified by %v, %v", c.authority, c.audience, tenants, err)
		}
	}
}

func TestProductionStartsWithStripe(t *testing.T) {
	for _, key := range []string{"sk_live_kR7vQ2mZx9", "rk_live_kR7vQ2mZx9"} {
		c := production(t)
		c.StripeKey = key
		if err := c.Check(); err != nil {
			t.Error(err)
		}
		if _, err := c.keys(); err != nil {
			t.Error(err)
		}
	}
}

func TestDevelopmentTakesStripesTestModeOnly(t *testing.T) {
	c := production(t)
	c.Env = "development"
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "OKVIZ_STRIPE_KEY moves real money") {
		t.Errorf("a live key: %v", err)
	}
	c.StripeKey = "sk_test_kR7vQ2mZx9"
	if err := c.Check(); err != nil {
		t.Errorf("a test key: %v", err)
	}
	c.Gateway = "sandbox"
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "OKVIZ_GATEWAY is not stripe") {
		t.Errorf("a key that nobody uses: %v", err)
	}
	c.StripeKey = ""
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), "OKVIZ_STRIPE_WEBHOOK_SECRET is set") {
		t.Errorf("a secret that nobody uses: %v", err)
	}
}

func TestConfigurationChoosesTheGateway(t *testing.T) {
	for gateway, ledger := range map[string]bool{"stripe": false, "sandbox": true} {
		c := production(t)
		c.Gateway, c.DatabaseURL = gateway, "sqlite://"+filepath.ToSlash(filepath.Join(t.TempDir(), "okviz.db"))
		store, err := OpenStore(c)
		if err != nil {
			t.Fatal(err)
		}
		e := &Engine{config: c, Store: store}
		if err := e.openGateway(); err != nil {
			t.Fatal(err)
		}
		if e.gateway.Name() != gateway || (e.sandbox != nil) != ledger {
			t.Errorf("%s: the gateway is %s, with the sandbox's ledger: %t", gateway, e.gateway.Name(), e.sandbox != nil)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestErrorsOfTheConfigurationRepeatNoSecret(t *testing.T) {
	const marker = "s3cr3t-marker"
	c := production(t)
	c.Secret[0], c.OperatorKey, c.DatabaseURL, c.StripeKey = marker, marker, "postgres://u:"+marker+"@h/d", marker
	c.StripeWebhook = marker
	c.SigningKeys = []string{"-----BEGIN PRIVATE KEY-----\n" + marker + "\n-----END PRIVATE KEY-----\n"}
	if err := c.Check(); err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("Check: %v", err)
	}
	if _, err := c.keys(); err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("keys: %v", err)
	}
	if _, err := OpenStore(c); err == nil || strings.Contains(err.Error(), marker) {
		t.Errorf("OpenStore: %v", err)
	}
}

func TestMetricsAreToldOnLoopbackOnlyUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	for _, name := range []string{"OKVIZ_METRICS", "OKVIZ_WORKER_METRICS"} {
		t.Setenv(name, "") // restored at the end
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	c, _ := FromEnvironment() // which lacks the rest
	if !strings.HasPrefix(c.Metrics, "127.0.0.1:") || !strings.HasPrefix(c.WorkerMetrics, "127.0.0.1:") || c.Metrics == c.WorkerMetrics {
		t.Errorf("api at %s, worker at %s", c.Metrics, c.WorkerMetrics)
	}
}

func TestEnvironmentIsProductionUnlessItSaysOtherwise(t *testing.T) {
	for _, name := range []string{"OKVIZ_ENV", "DATABASE_URL"} {
		t.Setenv(name, "") // restored at the end
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	c, err := FromEnvironment()
	if err == nil || c.Development() {
		t.Errorf("an empty environment: development %v, %v", c.Development(), err)
	}
}

func TestOperatorIsToldWhereMailComesFromUnlessAnotherAddressIsGiven(t *testing.T) {
	c := production(t)
	if got, err := c.operatorEmail(); err != nil || got != "licences@okviz.example" {
		t.Errorf("%q, %v", got, err)
	}
	c.OperatorEmail = "desk@okviz.example"
	if got, err := c.operatorEmail(); err != nil || got != c.OperatorEmail {
		t.Errorf("%q, %v", got, err)
	}
}

// Every variable that the engine reads is explained to operators.
func TestTheOperatorsPageExplainsEveryVariable(t *testing.T) {
	page, err := os.ReadFile("../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		if name := f.Tag.Get("env"); !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/operators.md does not explain %s", name)
		}
	}
}
