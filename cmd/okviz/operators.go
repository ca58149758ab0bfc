package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/models"
)

// noAccount is whose keys the operators' are.
const noAccount = ""

// commandLine is who runs this command, for the audit log.
func commandLine() billing.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return billing.Actor{Name: "cli:" + name, From: "command line on " + host}
}

func operatorCommands() []*cli.Command {
	return []*cli.Command{
		{Name: "audit", Usage: "the log of what operators have changed", Commands: []*cli.Command{
			{Name: "verify", Usage: "check that no row was changed, removed or added by hand; exit with 1 if one was", Action: verifyAudit, Flags: []cli.Flag{inJSON}},
			{Name: "export", Usage: "print the whole log, a JSON object a line", Action: exportAudit},
			auditList.command("audit"),
		}},
		{Name: "operators", Usage: "people and programs that work for the vendor", Commands: []*cli.Command{
			{Name: "add", Usage: "add an operator", ArgsUsage: "NAME", Action: addOperator, Flags: []cli.Flag{inJSON}},
			{Name: "list", Usage: "list the operators", Action: listOperators, Flags: []cli.Flag{inJSON}},
			{Name: "suspend", Usage: "have none of an operator's keys work any more", ArgsUsage: "NAME", Action: suspendOperator},
			sessionsList.command("operators"),
		}},
		{Name: "api-keys", Usage: "operators' API keys", Commands: []*cli.Command{
			{Name: "create", Usage: "create a key; it is shown once", Action: createKey, Flags: []cli.Flag{inJSON,
				&cli.StringFlag{Name: "operator", Usage: "whose key it is, by name"},
				&cli.StringFlag{Name: "role", Value: string(billing.OperatorAdmin), Usage: "read, support, finance or admin"},
				&cli.StringFlag{Name: "name", Usage: "what the key is for"},
				&cli.TimestampFlag{Name: "expires", Usage: "the day on which it ends, such as 2027-01-31 (default: never)", Config: days},
			}},
			{Name: "list", Usage: "list the operators' keys: id, operator, role, creation, end, last use, name", Action: listAPIKeys, Flags: []cli.Flag{inJSON}},
			{Name: "revoke", Usage: "end an operator's key", ArgsUsage: "ID", Action: revokeKey},
		}},
	}
}

func addOperator(ctx context.Context, cmd *cli.Command) error {
	return stored(func(s *models.Store) error {
		o, err := s.AddOperator(ctx, cmd.Args().First())
		if err == nil {
			if cmd.Bool("json") {
				return printJSON(map[string]string{"id": o.ID, "name": o.Name})
			}
			fmt.Println(o.ID, o.Name)
		}
		return err
	})
}

func listOperators(ctx context.Context, cmd *cli.Command) error {
	return stored(func(s *models.Store) error {
		list, err := s.Operators(ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(list))
		for i, o := range list {
			state := "active"
			if o.SuspendedAt != nil {
				state = "suspended " + o.SuspendedAt.Format(time.RFC3339)
			}
			rows[i] = []string{o.ID, o.Name, o.CreatedAt.Format(time.RFC3339), state}
		}
		return printRows(cmd, []string{"id", "name", "created_at", "state"}, rows)
	})
}

func suspendOperator(ctx context.Context, cmd *cli.Command) error {
	return stored(func(s *models.Store) error { return s.SuspendOperator(ctx, cmd.Args().First()) })
}

func createKey(ctx context.Context, cmd *cli.Command) error {
	k := billing.APIKey{Operator: cmd.String("operator"), Access: cmd.String("role"), Name: cmd.String("name")}
	if !billing.OperatorRole(k.Access).Valid() {
		return errors.New("the role is read, support, finance or admin")
	}
	if t := cmd.Timestamp("expires"); !t.IsZero() {
		k.ExpiresAt = &t
		if !t.After(time.Now()) {
			return errors.New("--expires is not in the future")
		}
	}
	return stored(func(s *models.Store) error {
		key := "okv_" + rand.Text() + rand.Text()
		id, err := s.PutAPIKey(ctx, key, k)
		switch {
		case errors.Is(err, billing.ErrNotFound):
			return errors.New("there is no active operator of this name: okviz operators add")
		case err == nil:
			if cmd.Bool("json") {
				return printJSON(map[string]string{"id": id, "key": key})
			}
			fmt.Printf("%s\n%s\n", id, key)
		}
		return err
	})
}

func listAPIKeys(ctx context.Context, cmd *cli.Command) error {
	return stored(func(s *models.Store) error {
		keys, err := s.APIKeys(ctx, noAccount, noAccount)
		if err != nil {
			return err
		}
		moment := func(t *time.Time) string {
			if t == nil {
				return "never"
			}
			return t.Format(time.RFC3339)
		}
		rows := make([][]string, len(keys))
		for i, k := range keys {
			rows[i] = []string{k.ID, cmp.Or(k.Operator, "-"), k.Access, moment(&k.CreatedAt), moment(k.ExpiresAt), moment(k.LastUsedAt), k.Name}
		}
		return printRows(cmd, []string{"id", "operator", "role", "created_at", "expires_at", "last_used_at", "name"}, rows)
	})
}

func revokeKey(ctx context.Context, cmd *cli.Command) error {
	if cmd.Args().Len() != 1 {
		return errors.New("name the key by its id: okviz api-keys list")
	}
	return stored(func(s *models.Store) error {
		return s.RevokeAPIKey(ctx, noAccount, noAccount, cmd.Args().First())
	})
}

func verifyAudit(ctx context.Context, cmd *cli.Command) error {
	return stored(func(s *models.Store) error {
		found, err := s.VerifyAudit(ctx)
		if err != nil {
			return err
		}
		if cmd.Bool("json") {
			err = printJSON(map[string]any{"rows": found.Rows, "head": found.Head, "broken": found.Broken})
		} else {
			_, err = fmt.Printf("%d rows, head %s\n", found.Rows, found.Head)
		}
		if err != nil {
			return err
		}
		if !found.OK() {
			return fmt.Errorf("the log is broken at row %d", found.Broken)
		}
		return nil
	})
}

func exportAudit(ctx context.Context, _ *cli.Command) error {
	return stored(func(s *models.Store) error {
		out := json.NewEncoder(os.Stdout)
		for after := int64(0); ; {
			rows, err := s.AuditLog(ctx, billing.AuditSelection{After: after}, 1000)
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, r := range rows {
				if err := out.Encode(r); err != nil {
					return err
				}
				after = r.ID
			}
		}
	})
}
