// Package keys holds the development signing keys, private halves and all. The
// demonstration visuals trust them; production refuses them.
package keys

import _ "embed"

// Signing and Next are PEM texts.
var (
	//go:embed signing-dev.pem
	Signing []byte
	//go:embed signing-dev-next.pem
	Next []byte
)
