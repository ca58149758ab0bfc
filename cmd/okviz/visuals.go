package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/licensing"
	"github.com/okviz/licensing/models"
)

func putVersion(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 3 {
		return errors.New("name the product, the version and the file")
	}
	pkg, err := read(cmd.Args().Get(2))
	if err != nil {
		return err
	}
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	build, err := engine.InspectPackage(c, pkg)
	if err != nil {
		return err
	}
	return stored(func(s *models.Store) error {
		return s.PutVersion(ctx, cmd.Args().Get(0), billing.Version{Version: cmd.Args().Get(1), Changelog: cmd.String("changelog"), Build: build}, pkg)
	})
}

func withdrawVersion(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 2 {
		return errors.New("name the product and the version")
	}
	return stored(func(s *models.Store) error {
		return s.WithdrawVersion(ctx, cmd.Args().Get(0), cmd.Args().Get(1))
	})
}

func listVersions(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 {
		return errors.New("name the product")
	}
	ring, err := signingKeys()
	if err != nil {
		return err
	}
	return stored(func(s *models.Store) error {
		versions, err := s.AllVersions(ctx, cmd.Args().First())
		if err != nil {
			return err
		}
		var rows [][]string
		for _, v := range versions {
			state := "offered"
			if v.Withdrawn() {
				state = "withdrawn " + v.WithdrawnAt.Format(time.RFC3339)
			}
			if !ring.SignsFor(v.Build.Kids) {
				state += ", outdated: knows no key that signs"
			}
			rows = append(rows, []string{v.Version, v.ReleasedAt.Format(time.RFC3339), state, strings.Join(v.Build.Kids, " ")})
		}
		return printRows(cmd, []string{"version", "released_at", "state", "keys"}, rows)
	})
}

// generateKeys prints a ring: there is a next key from the start, since every
// visual is built with both.
func generateKeys(context.Context, *cli.Command) error {
	var ring licensing.KeyRing
	for _, k := range []*licensing.Key{&ring.Current, &ring.Next} {
		var err error
		if *k, err = licensing.GenerateKey(rand.Reader); err != nil {
			return err
		}
	}
	_, err := os.Stdout.Write(ring.PEM())
	return err
}

func rotateKeys(ctx context.Context, cmd *cli.Command) error {
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	r, err := engine.RotateKeys(ctx, c, cmd.Bool("anyway"), time.Now())
	if err != nil {
		return err
	}
	if err := printKeys(cmd, r.Keys); err != nil {
		return err
	}
	fmt.Println("Restart every api and worker. Build the public keys of the first two into the next version of every visual.")
	for _, version := range r.Unsigned {
		fmt.Println("Knows neither of them, and gets no files and leases any more:", version)
	}
	return nil
}

// signingKeys are those of the environment.
func signingKeys() (licensing.KeyRing, error) {
	c, err := engine.FromEnvironment()
	if err != nil {
		return licensing.KeyRing{}, err
	}
	return engine.SigningKeys(c)
}

func listKeys(_ context.Context, cmd *cli.Command) error {
	ring, err := signingKeys()
	if err != nil {
		return err
	}
	return printKeys(cmd, ring)
}

// printKeys prints the ids and public halves.
func printKeys(cmd *cli.Command, ring licensing.KeyRing) error {
	rows := [][]string{{ring.Current.ID(), ring.Current.Public().String(), "signs"}}
	if !ring.Next.IsZero() {
		rows = append(rows, []string{ring.Next.ID(), ring.Next.Public().String(), "signs after the next rotation"})
	}
	for _, f := range ring.Former {
		rows = append(rows, []string{f.ID(), f.PublicKey.String(), "has signed, and is published until " + f.Until.Format(time.RFC3339)})
	}
	columns := []string{"key", "public_half", "use"}
	if !cmd.Bool("json") {
		rows = append([][]string{{"KEY", "PUBLIC HALF", "USE"}}, rows...)
	}
	return printRows(cmd, columns, rows)
}

func showKeys(context.Context, *cli.Command) error {
	ring, err := signingKeys()
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(ring.At(time.Now()).JWKS()))
	return err
}
