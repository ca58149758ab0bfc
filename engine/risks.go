package engine

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"go.temporal.io/sdk/client"
)

// Risks that production refuses unless OKVIZ_ACCEPT_RISKS names them
// (docs/operators.md, Accepted risks).
const (
	riskMail     = "clear-text-mail"
	riskMySQL    = "clear-text-mysql"
	riskTemporal = "clear-text-temporal"
	riskMetrics  = "open-metrics"
	riskKeyFile  = "readable-key-file"
)

var risks = []string{riskMail, riskMySQL, riskTemporal, riskMetrics, riskKeyFile}

// accepts tells whether a risk does not count: in development, or where the
// operator has accepted it.
func (c Config) accepts(risk string) bool {
	return c.Development() || slices.Contains(c.AcceptRisks, risk)
}

// checkRisks refuses what may be right in a private network only.
func (c Config) checkRisks(wrong *faults) {
	for _, name := range c.AcceptRisks {
		if !slices.Contains(risks, name) {
			wrong.add("OKVIZ_ACCEPT_RISKS", "must be of "+strings.Join(risks, ", "))
		}
	}
	risky := func(risk, variable, why string) {
		if !c.accepts(risk) {
			wrong.add(variable, why+"; "+acceptance(risk))
		}
	}
	if u, err := url.Parse(c.SMTPURL); err == nil && u.Query().Get("starttls") != "" && u.Query().Get("starttls") != "required" && !loopback(u.Hostname()) {
		risky(riskMail, "OKVIZ_SMTP_URL", "may send mail in clear text")
	}
	if u, err := url.Parse(c.DatabaseURL); err == nil && u.Scheme == "mysql" && u.Query().Get("tls") == "" && !loopback(u.Hostname()) {
		risky(riskMySQL, "DATABASE_URL", "reaches another machine in clear text: add ?tls=verify-identity")
	}
	for _, m := range []struct{ variable, address string }{{"OKVIZ_METRICS", c.Metrics}, {"OKVIZ_WORKER_METRICS", c.WorkerMetrics}} {
		host, _, err := net.SplitHostPort(m.address)
		if ip, isIP := netip.ParseAddr(host); err == nil && !loopback(host) && (isIP != nil || !ip.IsPrivate()) {
			risky(riskMetrics, m.variable, "serves metrics without a login outside of this machine and of private addresses")
		}
	}
	for _, file := range c.SigningKeys {
		if info, err := os.Stat(strings.TrimSpace(file)); !inlined(file) && err == nil && info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" {
			risky(riskKeyFile, "OKVIZ_SIGNING_KEYS", "names a file that every user of this machine may open: chmod 600")
		}
	}
}

// checkTemporal refuses to tell Temporal everything in clear text. Its
// variables are Temporal's own, read when it is connected to.
func (c Config) checkTemporal(o client.Options) error {
	host, _, err := net.SplitHostPort(o.HostPort)
	if err != nil {
		host = o.HostPort
	}
	if o.HostPort == "" || loopback(host) || o.ConnectionOptions.TLS != nil || c.accepts(riskTemporal) {
		return nil
	}
	return fmt.Errorf("TEMPORAL_ADDRESS reaches another machine in clear text: set TEMPORAL_TLS=true; %s", acceptance(riskTemporal))
}

func acceptance(risk string) string { return "OKVIZ_ACCEPT_RISKS=" + risk + " accepts it" }

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// anybody tells whether a trusted proxy is so large a network that every caller
// could choose the address that limits count.
func anybody(proxy string) bool {
	p, err := netip.ParsePrefix(proxy)
	return err == nil && (p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 16)
}

// guessable tells whether a secret was made up rather than drawn at random: few
// different characters, digits alone, words without a digit, a common word, or a
// repetition.
func guessable(s string) bool {
	low := strings.ToLower(s)
	capitals := 0
	for _, r := range s {
		if unicode.IsUpper(r) {
			capitals++
		}
	}
	if distinct(s) < 10 || !strings.ContainsFunc(s, unicode.IsLetter) || !strings.ContainsFunc(s, unicode.IsDigit) && capitals < 8 {
		return true
	}
	rest := low // a random secret may hold a short word, and is long enough without it
	for _, word := range []string{"secret", "password", "passwort", "changeme", "development", "production", "licens", "licenc", "okviz", "powerbi", "example", "default", "0123456", "1234567", "abcdefg", "qwert"} {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if len(rest) < min(32, len(low)) {
		return true
	}
	const repeated = 8 // 64 random hexadecimal digits repeat so many once in a million times
	for i := range len(low) - repeated {
		if strings.Contains(low[i+repeated:], low[i:i+repeated]) {
			return true
		}
	}
	return false
}
