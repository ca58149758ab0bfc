package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/backoffice/moving"
	"github.com/okviz/licensing/engine"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name: "import", Usage: "move in the customers and subscriptions of another system (- for standard input); exit with 1 if a line is wrong or could not be imported",
		ArgsUsage: "FILE", Action: importCustomers,
		Description: "The file has JSON lines (docs/moving-in.md), or is an export with --from. The whole file is checked before anything is written. Run it again to go on where it was broken off: what was imported before stays as it is.\n" +
			"Examples:\n  okviz import customers.jsonl --dry-run\n  okviz import customers.jsonl --over 2h --mail\n  okviz import subscriptions.csv --from stripe --plans plans.json --print > customers.jsonl",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "only check the file, and print what would be charged when"},
			&cli.DurationFlag{Name: "over", Usage: "spread the subscriptions over this time, such as 2h"},
			&cli.BoolFlag{Name: "mail", Usage: "mail each licensee the licence and its file"},
			&cli.TimestampFlag{Name: "as-of", Usage: "when the other system stopped charging, such as 2026-01-31T22:00:00Z; left out: now. What has come due since is charged at once", Config: cli.TimestampConfig{Layouts: []string{time.RFC3339}}},
			&cli.StringFlag{Name: "test-clock", Usage: "put the subscriptions on this test clock, to rehearse"},
			&cli.StringFlag{Name: "from", Usage: "the file is a CSV export of " + strings.Join(moving.Exports(), " or ")},
			&cli.StringFlag{Name: "plans", Usage: "with --from: a JSON file that says what each of its plans is here"},
			&cli.BoolFlag{Name: "print", Usage: "with --from: only print the JSON lines"},
			inJSON,
		},
	}
}

func importCustomers(ctx context.Context, cmd *cli.Command) error {
	file, err := read(cmd.Args().First())
	if err != nil {
		return err
	}
	if cmd.String("from") != "" {
		if file, err = converted(file, cmd.String("from"), cmd.String("plans")); err != nil {
			return err
		}
		if cmd.Bool("print") {
			_, err = os.Stdout.Write(file)
			return err
		}
	}
	options := backoffice.ImportOptions{DryRun: cmd.Bool("dry-run"), Mail: cmd.Bool("mail"), Over: cmd.Duration("over"), Clock: cmd.String("test-clock"), AsOf: cmd.Timestamp("as-of")}
	return connected(ctx, func(e *engine.Engine) error {
		tell, end := progress("subscriptions")
		done, err := e.Office.Import(ctx, file, options, tell)
		end()
		if cmd.Bool("json") {
			err = errors.Join(err, printJSON(done))
		} else {
			printImport(done)
		}
		if n := len(done.Failed); err == nil && n > 0 {
			err = fmt.Errorf("%d lines were not imported: run it again", n)
		}
		return err
	})
}

// converted makes JSON lines of an export.
func converted(file []byte, from, plans string) ([]byte, error) {
	sold := map[string]moving.Sold{}
	text, err := os.ReadFile(plans)
	if err != nil {
		return nil, fmt.Errorf("--plans: %w", err)
	}
	if err := json.Unmarshal(text, &sold); err != nil {
		return nil, fmt.Errorf("--plans: %w", err)
	}
	lines, left, wrong := moving.Convert(from, file, sold)
	for _, l := range left {
		fmt.Fprintln(os.Stderr, "left out:", l)
	}
	for _, l := range wrong {
		fmt.Fprintln(os.Stderr, l)
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%d lines of the export cannot be read", len(wrong))
	}
	return lines, nil
}

func printImport(i backoffice.Import) {
	for _, l := range i.Warnings {
		fmt.Println("warning:", l)
	}
	for _, l := range i.Failed {
		fmt.Println(l)
	}
	table := aligned(os.Stdout)
	if len(i.Charges) > 0 {
		fmt.Fprintln(table, "LINE\tID\tSUBSCRIPTION\tAT\tAMOUNT\tBY")
	}
	for _, c := range i.Charges {
		at, amount := "", ""
		if c.Ends != nil {
			at = "ends " + c.Ends.Format(time.RFC3339)
		} else {
			at, amount = c.At.Format(time.RFC3339), c.Amount.String()
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", c.Line, c.ID, c.Subscription, at, amount, c.Collection)
	}
	_ = table.Flush()
	for _, t := range i.Totals {
		fmt.Printf("%s: %s in %d payments\n", t.Month, t.Amount, t.Charges)
	}
	would := "were"
	if i.DryRun {
		would = "would be"
	}
	for _, c := range []struct {
		what string
		n    backoffice.Counted
	}{{"customers", i.Customers}, {"subscriptions", i.Subscriptions}} {
		fmt.Printf("%d %s %s imported, %d stay as they are, %d of them differ from what was imported\n", c.n.New, c.what, would, c.n.Unchanged+c.n.Differing, c.n.Differing)
	}
}
