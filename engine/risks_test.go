package engine

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
)

func TestProductionRefusesARiskByNameUntilItIsAccepted(t *testing.T) {
	open := filepath.Join(t.TempDir(), "keys.pem")
	if err := os.WriteFile(open, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		risk, variable string
		spoil, mend    func(*Config)
	}{
		{riskMail, "OKVIZ_SMTP_URL", func(c *Config) { c.SMTPURL = "smtp://mail.okviz.example?starttls=never" }, func(c *Config) { c.SMTPURL = "smtp://127.0.0.1:25?starttls=never" }},
		{riskMail, "OKVIZ_SMTP_URL", func(c *Config) { c.SMTPURL = "smtp://mail.okviz.example?starttls=auto" }, func(c *Config) { c.SMTPURL = "smtp://mail.okviz.example" }},
		{riskMySQL, "DATABASE_URL", func(c *Config) { c.DatabaseURL = "mysql://u:p@10.0.0.3:3306/okviz" }, func(c *Config) { c.DatabaseURL = "mysql://u:p@localhost:3306/okviz" }},
		{riskMetrics, "OKVIZ_METRICS", func(c *Config) { c.Metrics = "0.0.0.0:9464" }, func(c *Config) { c.Metrics = "10.0.0.3:9464" }},
		{riskMetrics, "OKVIZ_METRICS", func(c *Config) { c.Metrics = ":9464" }, func(c *Config) { c.Metrics = "off" }},
		{riskMetrics, "OKVIZ_WORKER_METRICS", func(c *Config) { c.WorkerMetrics = "[::]:9465" }, func(c *Config) { c.WorkerMetrics = "[::1]:9465" }},
		{riskKeyFile, "OKVIZ_SIGNING_KEYS", func(c *Config) { c.SigningKeys = []string{open} }, nil},
	} {
		if c.risk == riskKeyFile && runtime.GOOS == "windows" {
			continue // which has no such permissions
		}
		config := production(t)
		c.spoil(&config)
		err := config.Check()
		if err == nil || !strings.Contains(err.Error(), c.variable) || !strings.Contains(err.Error(), "OKVIZ_ACCEPT_RISKS="+c.risk) {
			t.Errorf("%s of %s: got %v", c.risk, c.variable, err)
		}
		for _, other := range risks {
			config.AcceptRisks = []string{other}
			if err := config.Check(); (err == nil) != (other == c.risk) {
				t.Errorf("%s with %s accepted: %v", c.risk, other, err)
			}
		}
		if c.mend != nil {
			config.AcceptRisks = nil
			c.mend(&config)
			if err := config.Check(); err != nil {
				t.Errorf("%s, mended: %v", c.risk, err)
			}
		}
	}
}

func TestProductionRefusesClearTextToTemporalOnAnotherMachine(t *testing.T) {
	c := production(t)
	for _, o := range []client.Options{{}, {HostPort: "localhost:7233"}, {HostPort: "127.0.0.1:7233"}, {HostPort: "temporal.internal:7233", ConnectionOptions: client.ConnectionOptions{TLS: &tls.Config{}}}} {
		if err := c.checkTemporal(o); err != nil {
			t.Errorf("%q: %v", o.HostPort, err)
		}
	}
	remote := client.Options{HostPort: "temporal.internal:7233"}
	if err := c.checkTemporal(remote); err == nil || !strings.Contains(err.Error(), riskTemporal) {
		t.Errorf("got %v", err)
	}
	c.AcceptRisks = []string{riskTemporal}
	if err := c.checkTemporal(remote); err != nil {
		t.Error(err)
	}
}

func TestARandomSecretIsNotTakenForAWord(t *testing.T) {
	for range 2000 {
		b := make([]byte, 32)
		rand.Read(b)
		for _, s := range []string{hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), rand.Text() + rand.Text()} {
			if guessable(s) {
				t.Errorf("%s is refused", s)
			}
		}
	}
}

func TestTheOperatorsPageExplainsEveryRisk(t *testing.T) {
	page, err := os.ReadFile("../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, risk := range risks {
		if !strings.Contains(string(page), "`"+risk+"`") {
			t.Errorf("docs/operators.md does not explain %s", risk)
		}
	}
}
