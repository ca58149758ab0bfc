package keys

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
	"testing"
)

func TestTheVisualAndTheReadmeCarryThesePublicKeys(t *testing.T) {
	source, err := os.ReadFile("../../visual/src/license.ts")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"signing-dev.pem": Signing, "signing-dev-next.pem": Next} {
		block, _ := pem.Decode(text)
		if block == nil || !strings.HasPrefix(string(text), "Development only") {
			t.Fatalf("%s: no PEM, or it does not say that it is for development only", name)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		x := base64.RawURLEncoding.EncodeToString(key.(ed25519.PrivateKey).Public().(ed25519.PublicKey))
		hash := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`)) // RFC 7638, 3.2
		kid := base64.RawURLEncoding.EncodeToString(hash[:])
		if !strings.Contains(string(source), `"`+kid+`": "`+x+`"`) {
			t.Errorf("%s: license.ts has not %s: %s", name, kid, x)
		}
		if !strings.Contains(string(readme), "`"+name+"` | `"+kid+"`") {
			t.Errorf("%s: README.md has not its kid %s", name, kid)
		}
	}
}
