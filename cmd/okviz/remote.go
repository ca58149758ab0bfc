package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// What operators do over the API, from anywhere: OKVIZ_API is its address, and
// OKVIZ_KEY an operator's key.

// answerTime is how long an answer may take.
const answerTime = 60 * time.Second

// call asks the API, and returns what it answers. A command is asked for with one
// key until its outcome is known.
func call(ctx context.Context, method, path string, query url.Values, body any) ([]byte, error) {
	base, key := strings.TrimSuffix(os.Getenv("OKVIZ_API"), "/"), os.Getenv("OKVIZ_KEY")
	if base == "" || key == "" {
		return nil, errors.New("set OKVIZ_API to the address of the service, and OKVIZ_KEY to an operator's key")
	}
	sent := []byte(nil)
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	address := base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	once := rand.Text()
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(sent))
		if err != nil {
			return nil, errors.New("OKVIZ_API is not an address")
		}
		r.Header.Set("Authorization", "Bearer "+key)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", once)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, fmt.Errorf("the service does not answer: %w", err)
		}
		answer, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return nil, err
		}
		if res.StatusCode == http.StatusAccepted && method == http.MethodPost && res.Header.Get("Retry-After") != "" {
			select { // it is still being done
			case <-ctx.Done():
				return nil, errors.New("the outcome is not known yet: look at the subscription")
			case <-time.After(2 * time.Second):
				continue
			}
		}
		if res.StatusCode >= http.StatusBadRequest {
			return nil, refusedBy(res.Status, answer)
		}
		return answer, nil
	}
}

// refusedBy is the API's problem as an error.
func refusedBy(status string, answer []byte) error {
	var p struct {
		Code, Detail string
		Errors       []struct{ Field, Detail string }
	}
	if json.Unmarshal(answer, &p) != nil || p.Code == "" {
		return errors.New("the service answers " + status)
	}
	text := p.Code + ": " + p.Detail
	for _, e := range p.Errors {
		text += "; " + e.Field + " " + e.Detail
	}
	return errors.New(text)
}

// remote is a command over the API.
type remote struct {
	name, usage, args string
	flags             []cli.Flag
	method, path      string   // {id} is the argument
	asked             string   // the query's field that the argument is; empty: it is in the path
	query             []string // flags that are sent in the address
	body              func(*cli.Command) (any, error)
	columns           []string // of the rows, or of the one object; dots lead inside
	example           string
}

var asJSON = &cli.BoolFlag{Name: "json", Usage: "print what the API answers"}

func (r remote) command(group string) *cli.Command {
	return &cli.Command{
		Name: r.name, Usage: r.usage, ArgsUsage: r.args, Flags: append([]cli.Flag{asJSON}, r.flags...),
		Description: "Over the API (OKVIZ_API, OKVIZ_KEY). Example:\n   okviz " + strings.TrimSpace(group+" "+r.name+" "+r.example),
		Action:      r.run,
	}
}

func (r remote) run(ctx context.Context, cmd *cli.Command) error {
	want := len(strings.Fields(r.args))
	if cmd.NArg() != want {
		return fmt.Errorf("this command takes %d arguments: %s", want, cmp.Or(r.args, "none"))
	}
	query := url.Values{}
	for _, name := range r.query {
		if v := cmd.String(name); v != "" {
			query.Set(name, v)
		}
	}
	path := r.path
	if want > 0 {
		if first := cmd.Args().First(); r.asked != "" {
			query.Set(r.asked, first)
		} else {
			path = strings.ReplaceAll(path, "{id}", url.PathEscape(first))
		}
	}
	var body any
	if r.body != nil {
		var err error
		if body, err = r.body(cmd); err != nil {
			return err
		}
	}
	answer, err := call(ctx, cmp.Or(r.method, http.MethodGet), path, query, body)
	if err != nil {
		return err
	}
	return printAnswer(os.Stdout, answer, r.columns, cmd.Bool("json"))
}

// printAnswer prints an answer as it is, or as a table of some of its columns.
func printAnswer(to io.Writer, answer []byte, columns []string, whole bool) error {
	if whole || len(columns) == 0 {
		var b bytes.Buffer
		if err := json.Indent(&b, answer, "", "  "); err != nil {
			_, err = to.Write(answer) // it is no JSON
			return err
		}
		_, err := fmt.Fprintln(to, b.String())
		return err
	}
	read := json.NewDecoder(bytes.NewReader(answer))
	read.UseNumber()
	var doc map[string]any
	if err := read.Decode(&doc); err != nil {
		return errors.New("the service answers something else than JSON")
	}
	rows, list := doc["data"].([]any)
	if !list {
		rows = []any{doc}
	}
	table := aligned(to)
	heads := make([]string, len(columns))
	for i, c := range columns {
		heads[i] = strings.ToUpper(strings.ReplaceAll(c, "_", " "))
	}
	fmt.Fprintln(table, strings.Join(heads, "\t"))
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = cellOf(row, c)
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if next, more := doc["next_cursor"].(string); more {
		fmt.Fprintln(os.Stderr, "there is more, behind", next)
	}
	return nil
}

// cellOf is what a row has at a place, in one line.
func cellOf(row any, at string) string {
	for name := range strings.SplitSeq(at, ".") {
		object, _ := row.(map[string]any)
		row = object[name]
	}
	switch v := row.(type) {
	case nil:
		return "-"
	case map[string]any:
		if amount, ok := v["amount"].(json.Number); ok {
			return fmt.Sprint(amount, " ", v["currency"])
		}
		text, err := json.Marshal(v)
		if err != nil {
			return "?"
		}
		return string(text)
	case []any:
		parts := make([]string, len(v))
		for i, p := range v {
			parts[i] = fmt.Sprint(p)
		}
		return cmp.Or(strings.Join(parts, " "), "-")
	default:
		return cmp.Or(strings.ReplaceAll(fmt.Sprint(v), "\n", " "), "-")
	}
}

// reasoned is the body of a command that may say why.
func reasoned(cmd *cli.Command) (any, error) {
	body := map[string]any{}
	if why := cmd.String("reason"); why != "" {
		body["reason"] = why
	}
	return body, nil
}

func remoteCommands() []*cli.Command {
	reason := &cli.StringFlag{Name: "reason", Usage: "why, for your own records"}
	email := &cli.StringFlag{Name: "email", Usage: "whose"}
	paging := []cli.Flag{&cli.StringFlag{Name: "limit", Usage: "at most so many"}, &cli.StringFlag{Name: "cursor", Usage: "go on behind an earlier part"}}
	of := []string{"email", "limit", "cursor"}
	subscription := []string{"id", "number", "status", "product", "plan.id", "price", "next_payment_at", "billing_account"}
	invoice := []string{"id", "number", "status", "issued_at", "total", "amount_due", "subscription_id"}
	outcome := []string{"subscription.id", "subscription.status", "subscription.actions", "invoice.number", "payment.status"}
	plain := func(name, usage, path string) remote {
		return remote{name: name, usage: usage, args: "ID", flags: []cli.Flag{reason}, method: http.MethodPost, path: path, body: reasoned, columns: outcome, example: "sub_01J… --reason 'asked by telephone'"}
	}
	group := func(name, usage string, commands ...remote) *cli.Command {
		c := &cli.Command{Name: name, Usage: usage}
		for _, r := range commands {
			c.Commands = append(c.Commands, r.command(name))
		}
		return c
	}
	return []*cli.Command{
		group("customers", "find customers, over the API",
			remote{name: "search", usage: "find customers, subscriptions, licences, invoices and quotes", args: "TEXT", path: "/v1/operator/search", asked: "q", columns: []string{"kind", "id", "status", "account", "text"}, example: "contoso"},
			remote{name: "balance", usage: "what an account holds", args: "E-MAIL", path: "/v1/balance", asked: "email", example: "ada@contoso.example"},
			remote{name: "mails", usage: "the mails to a customer", args: "E-MAIL", path: "/v1/operator/mails", asked: "email", columns: []string{"id", "kind", "to", "status", "done_at", "subject"}, example: "ada@contoso.example"},
		),
		group("subscriptions", "look at subscriptions and command them, over the API",
			remote{name: "list", usage: "list subscriptions, the newest first", flags: append([]cli.Flag{email}, paging...), query: of, path: "/v1/operator/subscriptions", columns: subscription, example: "--email ada@contoso.example"},
			remote{name: "show", usage: "one subscription", args: "ID", path: "/v1/subscriptions/{id}", columns: subscription, example: "sub_01J… --json"},
			remote{name: "story", usage: "what has happened to it", args: "ID", path: "/v1/subscriptions/{id}/events", columns: []string{"at", "actor", "text"}, example: "sub_01J…"},
			plain("cancel", "cancel at the end of the period", "/v1/subscriptions/{id}/cancel"),
			plain("resume", "take a cancellation back", "/v1/subscriptions/{id}/resume"),
			plain("renew", "pay the next period, or what is owed, now", "/v1/subscriptions/{id}/renew"),
			remote{name: "cancel-now", usage: "end at once", args: "ID", method: http.MethodPost, path: "/v1/operator/subscriptions/{id}/cancel-now", columns: outcome, example: "sub_01J… --refund prorated",
				flags: []cli.Flag{reason, &cli.StringFlag{Name: "refund", Usage: "none, prorated or full", Required: true}},
				body: func(cmd *cli.Command) (any, error) {
					return map[string]any{"refund": cmd.String("refund"), "reason": cmd.String("reason")}, nil
				}},
			remote{name: "extend", usage: "give days", args: "ID", method: http.MethodPost, path: "/v1/operator/subscriptions/{id}/extend", columns: outcome, example: "sub_01J… --days 10 --reason 'an outage'",
				flags: []cli.Flag{&cli.Int64Flag{Name: "days", Required: true}, &cli.StringFlag{Name: "reason", Usage: "why, for your own records", Required: true}},
				body: func(cmd *cli.Command) (any, error) {
					return map[string]any{"days": cmd.Int64("days"), "reason": cmd.String("reason")}, nil
				}},
			remote{name: "note", usage: "write something down, for operators", args: "ID", method: http.MethodPost, path: "/v1/operator/subscriptions/{id}/notes", columns: []string{"id", "at", "text"}, example: "sub_01J… --text 'called'",
				flags: []cli.Flag{&cli.StringFlag{Name: "text", Required: true}},
				body:  func(cmd *cli.Command) (any, error) { return map[string]any{"text": cmd.String("text")}, nil }},
		),
		group("invoices", "look at invoices and refund them, over the API",
			remote{name: "list", usage: "list invoices, the newest first", flags: append([]cli.Flag{email, &cli.StringFlag{Name: "subscription", Usage: "of this subscription"}}, paging...), query: append(of, "subscription"), path: "/v1/invoices", columns: invoice, example: "--email ada@contoso.example"},
			remote{name: "show", usage: "one invoice", args: "ID", path: "/v1/invoices/{id}", columns: invoice, example: "inv_01J…"},
			remote{name: "refund", usage: "give back a part of an invoice, or all that is left", args: "ID", method: http.MethodPost, path: "/v1/operator/invoices/{id}/refund", columns: outcome, example: "inv_01J… --amount 500 --currency USD",
				flags: []cli.Flag{reason, &cli.Int64Flag{Name: "amount", Usage: "in minor units, tax included (default: all)"}, &cli.StringFlag{Name: "currency", Usage: "of the amount"}},
				body: func(cmd *cli.Command) (any, error) {
					body := map[string]any{"reason": cmd.String("reason")}
					if cmd.IsSet("amount") {
						if cmd.String("currency") == "" {
							return nil, errors.New("name the amount's --currency")
						}
						body["amount"] = map[string]any{"amount": cmd.Int64("amount"), "currency": cmd.String("currency")}
					}
					return body, nil
				}},
		),
		group("licenses", "look at licences and suspend them, over the API",
			remote{name: "list", usage: "list a licensee's licences", flags: append([]cli.Flag{email}, paging...), query: of, path: "/v1/licenses", columns: []string{"id", "status", "product", "plan.id", "valid_until", "licensee", "subscription_id"}, example: "--email bea@contoso.example"},
			plain("suspend", "suspend a licence until it is reinstated", "/v1/operator/licenses/{id}/suspend"),
			plain("reinstate", "make a suspended or revoked licence valid again", "/v1/operator/licenses/{id}/reinstate"),
			plain("revoke", "revoke a licence, and end its subscription", "/v1/operator/licenses/{id}/revoke"),
		),
		reports(group),
	}
}

// reports are the figures of the business.
func reports(group func(name, usage string, commands ...remote) *cli.Command) *cli.Command {
	var all []remote
	for _, r := range []struct {
		name, usage string
		columns     []string
	}{
		{"mrr", "recurring revenue, by month, currency and product", []string{"at", "currency", "product", "mrr", "arr", "subscriptions"}},
		{"movements", "why recurring revenue changed", []string{"from", "to", "currency", "product", "start", "new", "reactivation", "expansion", "contraction", "churn", "end"}},
		{"cohorts", "what is left of the subscriptions first bought in each month, and trials", []string{"month", "currency", "age", "size", "subscriptions", "mrr", "trials", "trials_converted"}},
		{"upcoming", "payments that are expected", nil},
		{"recovery", "what became of renewals whose first payment failed", nil},
	} {
		all = append(all, remote{name: r.name, usage: r.usage, path: "/v1/operator/reports/" + r.name, columns: r.columns, query: []string{"from", "to", "currency"}, example: "--currency EUR --from 2026-01-01T00:00:00Z",
			flags: []cli.Flag{&cli.StringFlag{Name: "from", Usage: "an instant"}, &cli.StringFlag{Name: "to", Usage: "an instant"}, &cli.StringFlag{Name: "currency", Usage: "only this one"}}})
	}
	all = append(all, remote{name: "today", usage: "what needs a person", path: "/v1/operator/today", columns: []string{"kind", "count", "ids"}})
	return group("reports", "figures, and what needs a person, over the API", all...)
}

// auditList and sessionsList stand with the commands of the database.
var (
	auditList = remote{name: "list", usage: "list changes by operators, the oldest first", path: "/v1/operator/audit", query: []string{"actor", "subject", "after", "limit"},
		flags:   []cli.Flag{&cli.StringFlag{Name: "actor"}, &cli.StringFlag{Name: "subject", Usage: "an id"}, &cli.StringFlag{Name: "after", Usage: "rows with a greater id"}, &cli.StringFlag{Name: "limit"}},
		columns: []string{"id", "at", "actor", "from", "action", "subject"}, example: "--actor anna"}
	sessionsList = remote{name: "sessions", usage: "list where operators have signed in to the console", path: "/v1/operator/sessions",
		columns: []string{"id", "operator", "role", "by", "created_at", "expires_at"}}
)
