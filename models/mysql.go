package models

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
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
	// One statement instead of prepare, execute and close. The driver escapes values
	// as the server says that it reads them; it refuses this with the collations of
	// character sets in which a quote may be half of a character, which utf8mb4 is not.
	c.InterpolateParams = true
	// What is longer, such as a package, is prepared and sent in parts: in one piece, and
	// escaped, it might be more than the server takes.
	c.MaxAllowedPacket = 4 << 20
	var err error
	if c.TLS, err = mysqlTLS(u.Query()); err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	// Instants are cut to the second; MySQL by itself would round them.
	return c, c.Apply(mysqldriver.TimeTruncate(time.Second))
}

// readCommitted makes connections whose transactions are READ COMMITTED, without a
// statement before each of them. MySQL and MariaDB know no common variable for it.
type readCommitted struct{ driver.Connector }

func (c readCommitted) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
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
