package models

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models/mysqltest"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string
}

// issue writes a certificate and its key: of an authority, or by one.
func issue(t *testing.T, dir, name string, by *authority, of x509.Certificate) (a authority, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	of.SerialNumber, of.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	of.NotBefore, of.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	of.BasicConstraintsValid, of.IsCA = true, by == nil
	a = authority{&of, key, filepath.Join(dir, name+".pem")}
	if by == nil {
		of.KeyUsage, by = x509.KeyUsageCertSign, &a
	}
	der, err := x509.CreateCertificate(rand.Reader, &of, by.certificate, &key.PublicKey, by.key)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	keyFile = filepath.Join(dir, name+"-key.pem")
	for file, block := range map[string]*pem.Block{a.file: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		must(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
	return a, keyFile
}

// The server's certificate is for 127.0.0.1, and not for localhost.
func TestMySQLIsConnectedToWithTLSAsTheURLSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, _ := issue(t, dir, "ca", nil, x509.Certificate{})
	other, _ := issue(t, dir, "other-ca", nil, x509.Certificate{})
	server, serverKey := issue(t, dir, "server", &ca, x509.Certificate{IPAddresses: []net.IP{{127, 0, 0, 1}}})
	client, clientKey := issue(t, dir, "client", &ca, x509.Certificate{})
	at := mysqltest.Server(t, "--ssl-ca="+ca.file, "--ssl-cert="+server.file, "--ssl-key="+serverKey)
	admin := open(t, at.String()+"/")
	for _, q := range []string{
		"CREATE USER secure@'127.0.0.1' IDENTIFIED BY 'hunter2' REQUIRE SSL", "CREATE USER certified@'127.0.0.1' IDENTIFIED BY 'hunter2' REQUIRE X509",
		"CREATE DATABASE engine", "GRANT ALL ON engine.* TO secure@'127.0.0.1'", "GRANT ALL ON engine.* TO certified@'127.0.0.1'",
	} {
		must(t, admin.db.Exec(q).Error)
	}
	_, port, err := net.SplitHostPort(at.Host)
	must(t, err)
	wrongName := "localhost:" + port
	trust, distrust := "&ssl-ca="+ca.file, "&ssl-ca="+other.file
	certificate := "&ssl-cert=" + client.file + "&ssl-key=" + clientKey
	for _, c := range []struct {
		what, user, host, with string
		want                   string // what the error says; empty: it connects
	}{
		{"clear text", "secure", at.Host, "", "MySQL error 1045"},
		{"the system's authorities", "secure", at.Host, "?tls=true", "unknown authority"},
		{"its authority", "secure", at.Host, "?tls=verify-identity" + trust, ""},
		{"true is verify-identity", "secure", wrongName, "?tls=true" + trust, "match localhost"},
		{"another authority", "secure", at.Host, "?tls=verify-identity" + distrust, "unknown authority"},
		{"another name", "secure", wrongName, "?tls=verify-identity" + trust, "match localhost"},
		{"another name, of no interest", "secure", wrongName, "?tls=verify-ca" + trust, ""},
		{"another authority and name", "secure", wrongName, "?tls=verify-ca" + distrust, "unknown authority"},
		{"no certificate of the client", "certified", at.Host, "?tls=verify-identity" + trust, "MySQL error 1045"},
		{"its certificate", "certified", at.Host, "?tls=verify-identity" + trust + certificate, ""},
		{"its certificate, verify-ca", "certified", wrongName, "?tls=verify-ca" + trust + certificate, ""},
	} {
		s := open(t, "mysql://"+c.user+":hunter2@"+c.host+"/engine"+c.with)
		pool, err := s.db.DB()
		must(t, err)
		err = wordless(pool.PingContext(t.Context()))
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.what, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	must(t, open(t, "mysql://certified:hunter2@"+at.Host+"/engine?tls=verify-identity"+trust+certificate).Migrate(t.Context()))
}

func TestParametersOfMySQLAreRefusedWhereTheyWouldDoNothing(t *testing.T) {
	t.Parallel()
	for with, want := range map[string]string{
		"ssl-ca=ca.pem":                                     "ssl-ca needs tls",
		"sslmode=require":                                   "its parameters are",
		"tls=verify-ca&ssl-ca=no.pem":                       "no such file",
		"tls=true&ssl-ca=mysql_test.go":                     "without a certificate",
		"tls=true&ssl-cert=client.pem":                      "ssl-cert and ssl-key",
		"tls=skip-verify":                                   "tls is verify-identity",
		"tls=verify-ca&" + url.QueryEscape("ssl ca") + "=x": "its parameters are",
	} {
		_, err := Open("mysql://okviz:hunter2@127.0.0.1/engine?"+with, billing.DefaultPolicy())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", with, err, want)
		}
	}
}
