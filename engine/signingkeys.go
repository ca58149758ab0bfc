package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/licensing"
)

// restartWithin is how long processes may go on signing with the former key
// after a rotation, until they are restarted.
const restartWithin = 7 * 24 * time.Hour

// keys reads the signing keys.
func (c Config) keys() (licensing.KeyRing, error) {
	var text []byte
	for i, file := range c.SigningKeys {
		part, err := []byte(file), error(nil)
		if !inlined(file) {
			part, err = os.ReadFile(strings.TrimSpace(file))
		}
		if err != nil {
			return licensing.KeyRing{}, fmt.Errorf("OKVIZ_SIGNING_KEYS: file %d cannot be read", i+1)
		}
		text = append(append(text, part...), '\n')
	}
	ring, err := licensing.ParseKeyRing(text)
	if err != nil {
		return licensing.KeyRing{}, fmt.Errorf("OKVIZ_SIGNING_KEYS: %w", err)
	}
	for _, key := range ring.Public().Keys {
		if !c.Development() && slices.Contains(developmentKeys, key.KeyID) {
			return licensing.KeyRing{}, errors.New("OKVIZ_SIGNING_KEYS: the development key is known to everybody: not in production")
		}
	}
	return ring, nil
}

// inlined tells whether a value is a key's text in place of its file's name.
func inlined(value string) bool { return strings.Contains(value, "-----BEGIN") }

// SigningKeys reads the keys of a configuration.
func SigningKeys(c Config) (licensing.KeyRing, error) { return c.keys() }

// Rotation is what became of the keys.
type Rotation struct {
	Keys licensing.KeyRing
	// Unsigned are the versions that know neither key that signs from now on:
	// files and leases can be made for them no more.
	Unsigned []string
}

// RotateKeys lets the next key sign, makes a new one to come after it, and
// keeps the public half of the former one published until its last token has
// ended. It writes the one file that OKVIZ_SIGNING_KEYS names, in one step:
// after a crash it is the old file or the new one.
//
// A rotation that would leave a version on offer with neither key is refused,
// unless it is to be done anyway, as when a private key got lost.
func RotateKeys(ctx context.Context, c Config, anyway bool, now time.Time) (r Rotation, err error) {
	if len(c.SigningKeys) != 1 || inlined(c.SigningKeys[0]) {
		return r, errors.New("OKVIZ_SIGNING_KEYS does not name one file, which is what can be rewritten: put the current key and the next one into one, in this order")
	}
	ring, err := c.keys()
	if err != nil {
		return r, err
	}
	store, err := OpenStore(c)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	products, err := store.Products(ctx)
	if err != nil {
		return r, fmt.Errorf("reading the catalogue: %w", err)
	}
	if r.Keys, err = ring.At(now).Rotate(rand.Reader, billing.LongestTerm(products, c.policy(), now.Add(restartWithin))); err != nil {
		return r, err
	}
	var orphaned []string
	for _, p := range products {
		versions, err := store.Versions(ctx, p.ID)
		if err != nil {
			return r, fmt.Errorf("reading the versions of %s: %w", p.ID, err)
		}
		for _, v := range versions {
			if r.Keys.SignsFor(v.Build.Kids) {
				continue
			}
			name := p.ID + " " + v.Version
			r.Unsigned = append(r.Unsigned, name)
			if ring.SignsFor(v.Build.Kids) {
				orphaned = append(orphaned, name)
			}
		}
	}
	if len(orphaned) > 0 && !anyway {
		return r, fmt.Errorf("visuals of these versions would be outdated, since they do not know the key that would sign: %s. Publish builds that know both public keys, and withdraw the versions that they replace", strings.Join(orphaned, ", "))
	}
	if err := replaceFile(strings.TrimSpace(c.SigningKeys[0]), r.Keys.PEM()); err != nil {
		return r, fmt.Errorf("writing the signing keys: %w", err)
	}
	ids := func(ring licensing.KeyRing) any {
		return map[string]string{"current": ring.Current.ID(), "next": ring.Next.ID()}
	}
	if err := store.Audit(ctx, "signing_keys.rotate", "signing-keys", ids(ring), ids(r.Keys)); err != nil {
		return r, fmt.Errorf("the keys have been rotated, but the audit log lacks it: %w", err)
	}
	return r, nil
}

// replaceFile writes a file in one step, with the permissions that it has.
func replaceFile(file string, text []byte) error {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return err
	}
	was, err := os.Stat(file)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".signing-keys-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Chmod(f.Name(), was.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
