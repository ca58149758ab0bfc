package mail

import "crypto/x509"

// Trust makes the sender trust a test's own certificates.
func (s *Sender) Trust(roots *x509.CertPool) { s.roots = roots }
