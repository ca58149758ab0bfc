// Command okviz runs the engine: the API, the worker, and the operators'
// commands. It is configured by environment variables; docs/operators.md lists
// them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/okviz/licensing/backoffice"
	"github.com/okviz/licensing/billing"
	"github.com/okviz/licensing/engine"
	"github.com/okviz/licensing/models"
	"github.com/okviz/licensing/worker"
)

func main() {
	engine.UseMemory()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx = billing.As(ctx, commandLine())
	if err := command().Run(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "okviz:", err)
		os.Exit(1)
	}
}

func command() *cli.Command {
	root := &cli.Command{
		Name: "okviz", Usage: "subscriptions and licences of Power BI visuals", Version: engine.Version(),
		EnableShellCompletion: true, ConfigureShellCompletionCommand: func(c *cli.Command) { c.Hidden = false },
		Description: "Commands that say so work over the API, with OKVIZ_API and OKVIZ_KEY; the others need the configuration of the service, and most of them its database.\n" +
			"It ends with 0 when all is well, with 1 when something failed, was refused or needs a person, and with 3 when there is no such command.",
		Commands: append(append(operatorCommands(), remoteCommands()...), []*cli.Command{
			privacyCommand(),
			{Name: "api", Usage: "serve the HTTP API and the pages", Action: serve},
			{Name: "worker", Usage: "run the subscriptions", Action: work},
			{Name: "migrate", Usage: "create or update the tables, and register Temporal's search attributes", Action: migrate},
			{Name: "recover", Usage: "start a workflow for every live subscription that has none; exit with 1 if some could not be started", Action: recoverAll,
				Flags: []cli.Flag{inJSON,
					&cli.Int64Flag{Name: "after", Usage: "begin above this subscription number, where an earlier run was broken off"},
					&cli.BoolFlag{Name: "restart", Usage: "replace the workflows that run, after an older database was restored"},
				}},
			{Name: "replay", Usage: "replay the histories of workflows with this program, before its workers are rolled out; exit with 1 if one cannot be continued", Action: replay,
				Flags: []cli.Flag{inJSON,
					&cli.IntFlag{Name: "sample", Value: 500, Usage: "about so many of them, from the newest to the oldest"},
					&cli.BoolFlag{Name: "all", Usage: "all of them"},
					&cli.StringFlag{Name: "status", Value: "running", Usage: "running or completed"},
				}},
			importCommand(),
			{Name: "numbers", Usage: "numbers of invoices, credit notes, quotes and subscriptions", Commands: []*cli.Command{
				{Name: "raise", Usage: "skip numbers that were given since an older database was backed up: of all series, or up to the numbers named", ArgsUsage: "[NUMBER …]", Action: raiseNumbers,
					Flags: []cli.Flag{inJSON, &cli.Int64Flag{Name: "by", Usage: "how many", Value: 10_000}}},
			}},
			{Name: "catalog", Usage: "products, plans and prices", Commands: []*cli.Command{
				{Name: "apply", Usage: "apply a catalogue document (- for standard input)", ArgsUsage: "FILE", Action: applyCatalogue,
					Flags: []cli.Flag{inJSON, &cli.BoolFlag{Name: "dry-run", Usage: "only print what would change"}}},
				{Name: "migrate", Usage: "move subscriptions to the newest price of their plan, from their next renewal on, and tell their billing contacts", Action: migratePrices,
					Flags: []cli.Flag{
						inJSON,
						&cli.StringFlag{Name: "product", Usage: "only this product"}, &cli.StringFlag{Name: "plan", Usage: "only this plan, by id"},
						&cli.StringFlag{Name: "currency", Usage: "only this currency"}, &cli.BoolFlag{Name: "dry-run", Usage: "only print what would change"},
					}},
				{Name: "default", Usage: "print the default catalogue", Action: printCatalogue},
			}},
			{Name: "payments", Usage: "bank statements, reconciliation and adoption", Commands: []*cli.Command{
				{Name: "import", Usage: "record the transfers of a bank statement, a CSV file (- for standard input)", ArgsUsage: "FILE", Action: importStatement, Flags: []cli.Flag{inJSON}},
				{Name: "reconcile", Usage: "compare the gateway's list of charges and refunds with the books; exit with 1 if they differ", Action: reconcileMoney,
					Flags: []cli.Flag{inJSON,
						&cli.TimestampFlag{Name: "from", Usage: "the first day, such as 2026-02-01 (default: 30 days before --to)", Config: days},
						&cli.TimestampFlag{Name: "to", Usage: "the day after the last one (default: today)", Config: days},
					}},
				{Name: "adopt", Usage: "record what the gateway has charged and given back and the books lack, after an older database was restored; no worker may run; exit with 1 if a person must look at something", Action: adoptPayments,
					Flags: []cli.Flag{inJSON,
						&cli.TimestampFlag{Name: "from", Usage: "the day of the backup, such as 2026-02-01", Config: days, Required: true},
						&cli.TimestampFlag{Name: "to", Usage: "the day after the last one (default: tomorrow)", Config: days},
					}},
			}},
			{Name: "versions", Usage: "published packages of visuals", Commands: []*cli.Command{
				{Name: "put", Usage: "publish a package", ArgsUsage: "PRODUCT VERSION FILE", Action: putVersion,
					Flags: []cli.Flag{&cli.StringFlag{Name: "changelog"}}},
				{Name: "withdraw", Usage: "withdraw a package; the one before it becomes the newest", ArgsUsage: "PRODUCT VERSION", Action: withdrawVersion},
				{Name: "list", Usage: "list a product's packages and the signing keys that each knows", ArgsUsage: "PRODUCT", Action: listVersions, Flags: []cli.Flag{inJSON}},
			}},
			{Name: "signing-keys", Usage: "the keys that sign licences", Commands: []*cli.Command{
				{Name: "generate", Usage: "print a new pair of keys, current and next (PEM): keep them in a file that only okviz can read", Action: generateKeys},
				{Name: "rotate", Usage: "make the next key the current one, create a new next key, and publish the former one until its last token has ended", Action: rotateKeys,
					Flags: []cli.Flag{&cli.BoolFlag{Name: "anyway", Usage: "even if a product's newest version does not know the next key"}}},
				{Name: "list", Usage: "list the keys and what each is used for", Action: listKeys, Flags: []cli.Flag{inJSON}},
				{Name: "show", Usage: "print the public halves as a JWK set, like /.well-known/jwks.json", Action: showKeys},
			}},
		}...),
	}
	suggest(root)
	return root
}

// suggest has a command, and all below it, name the one that was probably meant.
func suggest(c *cli.Command) {
	c.Suggest = true
	for _, below := range c.Commands {
		suggest(below)
	}
}

func init() {
	nearest := cli.SuggestCommand
	cli.SuggestCommand = func(commands []*cli.Command, typed string) string {
		if meant := nearest(commands, typed); meant != "" {
			return "Did you mean " + meant + "?"
		}
		return ""
	}
}

func logger(c engine.Config) *slog.Logger {
	if c.Development() {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}

// opened runs f with the whole engine; what it needs may not be there yet.
func opened(f func(*engine.Engine, engine.Config) error) error {
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	e, err := engine.Open(c, logger(c))
	if err != nil {
		return err
	}
	return errors.Join(f(e, c), e.Close())
}

// connected runs f with the whole engine, once what it needs is there, which
// must be so within half a minute.
func connected(ctx context.Context, f func(*engine.Engine) error) error {
	return opened(func(e *engine.Engine, _ engine.Config) error {
		patience, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := e.Await(patience); err != nil {
			return fmt.Errorf("the database or Temporal cannot be used: %w", err)
		}
		return f(e)
	})
}

// stored runs f with the database alone.
func stored(f func(*models.Store) error) error {
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	s, err := engine.OpenStore(c)
	if err != nil {
		return err
	}
	return errors.Join(f(s), s.Close())
}

func serve(ctx context.Context, _ *cli.Command) error {
	ctx = billing.As(ctx, billing.Actor{}) // what it does by itself is no operator's doing
	return opened(func(e *engine.Engine, c engine.Config) error {
		l, err := net.Listen("tcp", c.HTTP)
		if err != nil {
			return fmt.Errorf("OKVIZ_HTTP: %w", err)
		}
		return measured(ctx, e, "OKVIZ_METRICS", c.Metrics, func() error { return e.Serve(ctx, l) })
	})
}

// measured runs a part with its metrics.
func measured(ctx context.Context, e *engine.Engine, name, address string, part func() error) error {
	if address == "off" {
		return part()
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s, which may be off: %w", name, err)
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- e.ServeMetrics(ctx, l) }()
	err = part()
	stop()
	return errors.Join(err, <-ended)
}

func work(ctx context.Context, _ *cli.Command) error {
	ctx = billing.As(ctx, billing.Actor{}) // as with serve
	return opened(func(e *engine.Engine, c engine.Config) error {
		return measured(ctx, e, "OKVIZ_WORKER_METRICS", c.WorkerMetrics, func() error { return e.Work(ctx) })
	})
}

func migrate(ctx context.Context, _ *cli.Command) error {
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	if err := engine.Migrate(ctx, c); err != nil {
		return err
	}
	return engine.RegisterSearchAttributes(ctx, c, logger(c))
}

func recoverAll(ctx context.Context, cmd *cli.Command) error {
	return connected(ctx, func(e *engine.Engine) error {
		line, end := progressLine()
		done, err := e.Office.Recover(ctx, cmd.Int64("after"), cmd.Bool("restart"), func(r backoffice.Recovery) {
			line("%d subscriptions, up to number %d, %d failed", r.Live, r.Last, len(r.Failed))
		})
		end()
		if started := done.Live - len(done.Failed); cmd.Bool("json") {
			err = errors.Join(err, printJSON(map[string]any{"live": done.Live, "started": started, "last": done.Last, "failed": len(done.Failed)}))
		} else {
			fmt.Printf("%d live subscriptions have a workflow\n", started)
		}
		for _, failed := range done.Failed {
			fmt.Fprintln(os.Stderr, failed)
		}
		switch {
		case err != nil:
			return fmt.Errorf("%w; go on with --after %d", err, done.Last)
		case len(done.Failed) > 0:
			return fmt.Errorf("%d workflows could not be started: run it again", len(done.Failed))
		}
		return nil
	})
}

func replay(ctx context.Context, cmd *cli.Command) error {
	which := worker.Selection{Status: map[string]string{"running": "Running", "completed": "Completed"}[cmd.String("status")], Sample: cmd.Int("sample")}
	switch {
	case which.Status == "":
		return errors.New("the status is running or completed")
	case cmd.Bool("all"):
		which.Sample = 0
	case which.Sample < 1:
		return errors.New("a sample has at least 1 workflow")
	}
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	told := 0
	line, end := progressLine()
	r, err := engine.Replay(ctx, c, logger(c), which, func(r worker.Replayed) {
		for ; told < len(r.Misfits) && !cmd.Bool("json"); told++ {
			fmt.Printf("%s (run %s): %v\n", r.Misfits[told].Workflow, r.Misfits[told].Run, r.Misfits[told].Err)
		}
		line("%d replayed, of %d that are %s", r.Done, r.Of, cmd.String("status"))
	})
	end()
	if cmd.Bool("json") {
		misfits := []map[string]string{}
		for _, m := range r.Misfits {
			misfits = append(misfits, map[string]string{"workflow": m.Workflow, "run": m.Run, "error": m.Err.Error()})
		}
		err = errors.Join(err, printJSON(map[string]any{"replayed": r.Done, "of": r.Of, "misfits": misfits}))
	}
	if err == nil && len(r.Misfits) > 0 {
		err = fmt.Errorf("%d of %d workflows cannot be continued by this program", len(r.Misfits), r.Done)
	}
	return err
}

func raiseNumbers(ctx context.Context, cmd *cli.Command) error {
	if cmd.Int64("by") < 1 {
		return errors.New("--by is a number above 0")
	}
	return stored(func(s *models.Store) error {
		if cmd.NArg() == 0 {
			lines, err := s.RaiseNumbers(ctx, cmd.Int64("by"))
			printChanges(cmd, lines, false)
			return err
		}
		for _, number := range cmd.Args().Slice() {
			lines, err := s.RaiseNumber(ctx, number)
			if err != nil {
				return fmt.Errorf("%s: %w", number, err)
			}
			printChanges(cmd, lines, false)
		}
		return nil
	})
}

func adoptPayments(ctx context.Context, cmd *cli.Command) error {
	from, to := cmd.Timestamp("from"), cmd.Timestamp("to")
	if to.IsZero() {
		to = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	if !from.Before(to) {
		return errors.New("--from is not before --to")
	}
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	found, err := engine.AdoptPayments(ctx, c, from, to)
	if cmd.Bool("json") {
		err = errors.Join(err, printJSON(map[string][]string{"recorded": found.Done, "look_at": found.Look}))
	} else {
		printChanges(cmd, found.Done, false)
		for _, line := range found.Look {
			fmt.Println("look at", line)
		}
	}
	if err == nil && len(found.Look) > 0 {
		err = fmt.Errorf("a person must look at %d things", len(found.Look))
	}
	return err
}

func applyCatalogue(ctx context.Context, cmd *cli.Command) error {
	doc, err := read(cmd.Args().First())
	if err != nil {
		return err
	}
	c, err := billing.ParseCatalogue(doc)
	if err != nil {
		return err
	}
	return stored(func(s *models.Store) error {
		changes, err := s.ApplyCatalogue(ctx, c, cmd.Bool("dry-run"))
		printChanges(cmd, changes, cmd.Bool("dry-run"))
		return err
	})
}

func migratePrices(ctx context.Context, cmd *cli.Command) error {
	which := backoffice.PriceSelection{Product: cmd.String("product"), Plan: cmd.String("plan"), Currency: cmd.String("currency")}
	return connected(ctx, func(e *engine.Engine) error {
		changes, err := e.Office.MigratePrices(ctx, which, cmd.Bool("dry-run"))
		printChanges(cmd, changes, cmd.Bool("dry-run"))
		return err
	})
}

var days = cli.TimestampConfig{Layouts: []string{time.DateOnly}, Timezone: time.UTC}

func reconcileMoney(ctx context.Context, cmd *cli.Command) error {
	to := cmd.Timestamp("to")
	if to.IsZero() {
		to = time.Now().UTC().Truncate(24 * time.Hour)
	}
	from := cmd.Timestamp("from")
	if from.IsZero() {
		from = to.AddDate(0, 0, -30)
	}
	if !from.Before(to) {
		return errors.New("--from is not before --to")
	}
	c, err := engine.FromEnvironment()
	if err != nil {
		return err
	}
	list, err := engine.ReconcileMoney(ctx, c, from, to)
	if cmd.Bool("json") {
		differences := []string{}
		for _, d := range list {
			differences = append(differences, fmt.Sprint(d))
		}
		err = errors.Join(err, printJSON(map[string]any{"differences": differences}))
	} else {
		for _, d := range list {
			fmt.Println(d)
		}
	}
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("the gateway and the books differ in %d places", len(list))
	}
	return err
}

func importStatement(ctx context.Context, cmd *cli.Command) error {
	file, err := read(cmd.Args().First())
	if err != nil {
		return err
	}
	return connected(ctx, func(e *engine.Engine) error {
		lines, err := e.Office.ImportStatement(ctx, file)
		if cmd.Bool("json") {
			return errors.Join(err, printJSON(map[string]any{"data": lines}))
		}
		for _, l := range lines {
			text := fmt.Sprintf("line %d, %s, %s: %s", l.Line, l.Date, l.Amount, l.Result)
			if l.Invoice != nil {
				text += ", " + *l.Invoice + " " + *l.SubscriptionID
			}
			if l.Detail != "" {
				text += ", " + l.Detail
			}
			fmt.Println(text)
		}
		return err
	})
}

func read(file string) ([]byte, error) {
	switch file {
	case "":
		return nil, errors.New("name a file, or - for standard input")
	case "-":
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(file)
}

func printCatalogue(context.Context, *cli.Command) error {
	_, err := os.Stdout.Write(billing.DefaultCatalogue())
	return err
}
