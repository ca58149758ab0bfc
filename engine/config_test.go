package engine

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/okviz/licensing/licensing"
)

// production is a configuration with nothing wrong but that there is no
// gateway yet which production could use.
func production(t *testing.T) Config {
	t.Helper()
	key, err := licensing.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Env: "production", DatabaseURL: "mysql://okviz:secret@db:3306/okviz", PublicURL: "https://licences.okviz.example",
		Secret: "kR7vQ2mZx9TpWb4NcYh6LdFs8GjEa3Uu", SigningKeys: []string{string(key.PEM())},
		SMTPURL: "smtps://mail.okviz.example", MailFrom: "OKVIZ <licences@okviz.example>", Gateway: "sandbox", Brand: "OKVIZ",
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
		"the sandbox gateway":                  {func(*Config) {}, "OKVIZ_GATEWAY is the sandbox"},
		"test clocks":                          {func(c *Config) { c.TestClocks = true }, "OKVIZ_TEST_CLOCKS"},
		"an operator key from the environment": {func(c *Config) { c.OperatorKey = strings.Repeat("k3y", 12) }, "OKVIZ_OPERATOR_KEY"},
		"an http public URL":                   {func(c *Config) { c.PublicURL = "http://licences.okviz.example" }, "OKVIZ_PUBLIC_URL is not https"},
		"a secret that is not random":          {func(c *Config) { c.Secret = strings.Repeat("ab", 20) }, "OKVIZ_SECRET is not random"},
		"a short secret":                       {func(c *Config) { c.Secret = "kR7vQ2mZx9" }, "OKVIZ_SECRET has fewer"},
		"no database":                          {func(c *Config) { c.DatabaseURL = "" }, "DATABASE_URL is missing"},
		"no signing key":                       {func(c *Config) { c.SigningKeys = nil }, "OKVIZ_SIGNING_KEYS"},
		"an operator who has no address":       {func(c *Config) { c.OperatorEmail = "the desk" }, "OKVIZ_OPERATOR_EMAIL"},
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

func TestErrorsOfTheConfigurationRepeatNoSecret(t *testing.T) {
	const marker = "s3cr3t-marker"
	c := production(t)
	c.Secret, c.OperatorKey, c.DatabaseURL = marker, marker, "postgres://u:"+marker+"@h/d"
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
