package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/models"
)

func privacyCommand() *cli.Command {
	return &cli.Command{Name: "privacy", Usage: "what is held about a person", Commands: []*cli.Command{
		{Name: "export", Usage: "print everything that is held about an e-mail address, as JSON", ArgsUsage: "E-MAIL", Action: exportPerson},
		{Name: "erase", Usage: "remove an e-mail address and its account, but for what issued invoices print; refused while a subscription runs", ArgsUsage: "E-MAIL", Action: erasePerson},
	}}
}

func exportPerson(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 {
		return errors.New("name the e-mail address")
	}
	return stored(func(s *models.Store) error {
		data, err := s.PersonalData(ctx, cmd.Args().First())
		if err != nil {
			return err
		}
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(data)
	})
}

func erasePerson(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 {
		return errors.New("name the e-mail address")
	}
	return stored(func(s *models.Store) error {
		done, err := backoffice.Erase(ctx, s, cmd.Args().First())
		if err != nil {
			return err
		}
		if done.Account == "" {
			fmt.Println("no account has this address; others name it no more")
			return nil
		}
		fmt.Printf("%s is erased; %d invoices and credit notes keep their buyer\n", done.Account, done.Documents)
		return nil
	})
}
