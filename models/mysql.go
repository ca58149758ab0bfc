package models

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
)

// mysqlConfig is how the server of `mysql://user:password@host:port/name` is
// connected to. Parameters: tls (verify-identity or true, verify-ca), and with it
// ssl-ca, ssl-cert and ssl-key, PEM files that are read now.
func mysqlConfig(u *url.URL) (*mysqldriver.Config, error) {
	c := mysqldriver.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	c.ParseTime, c.Loc = true, time.UTC
	// What does not fit is an error and is never cut, however the server is set up.
	c.Params = map[string]string{"time_zone": "'+00:00'", "sql_mode": "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"}
	c.Collation = "utf8mb4_bin"
	var err error
	if c.TLS, err = mysqlTLS(u.Query()); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	// Instants are cut to the second; MySQL by itself would round them.
	return c, c.Apply(mysqldriver.TimeTruncate(time.Second))
}

// mysqlTLS is nil for a connection in clear text.
func mysqlTLS(q url.Values) (*tls.Config, error) {
	for name := range q {
		switch name {
		case "tls":
		case "ssl-ca", "ssl-cert", "ssl-key":
			if !q.Has("tls") {
				return nil, errors.New(name + " needs tls")
			}
		default:
			return nil, errors.New("its parameters are tls, ssl-ca, ssl-cert and ssl-key")
		}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12} // the driver adds the host as ServerName
	if file := q.Get("ssl-ca"); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ssl-ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool() // these alone
		if !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("ssl-ca names a file without a certificate (PEM)")
		}
	}
	if certificate, key := q.Get("ssl-cert"), q.Get("ssl-key"); certificate != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("ssl-cert and ssl-key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	switch q.Get("tls") {
	case "":
		return nil, nil
	case "true", "verify-identity":
	case "verify-ca":
		c.InsecureSkipVerify = true //nolint:gosec // of the name: VerifyConnection checks the rest
		c.VerifyConnection = func(s tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, by := range s.PeerCertificates[1:] {
				between.AddCert(by)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: c.RootCAs, Intermediates: between})
			return err
		}
	default:
		return nil, errors.New("tls is verify-identity (or true), verify-ca, or absent")
	}
	return c, nil
}
