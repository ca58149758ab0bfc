package api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/okviz/licensing/billing"
)

// operatorNamed is a header with a key of a new operator's.
func (s *shop) operatorNamed(name string, role billing.OperatorRole) string {
	s.t.Helper()
	_, err := s.store.AddOperator(s.t.Context(), name)
	check(s.t, err)
	key := "okv_" + name + strings.Repeat("0", 32)
	_, err = s.store.PutAPIKey(s.t.Context(), key, billing.APIKey{Operator: name, Access: string(role)})
	check(s.t, err)
	return "Authorization: Bearer " + key
}

// a table of docs has a route and its roles in each row.
var roleRow = regexp.MustCompile("(?m)^\\| `([A-Z]+) (/\\S+)` \\| (.*?) \\|$")

// documentedRoles are the roles that a page of docs/ has by route.
func documentedRoles(t *testing.T, page string) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("../docs/" + page)
	check(t, err)
	table := map[string][]string{}
	for _, row := range roleRow.FindAllStringSubmatch(string(doc), -1) {
		table[row[1]+" "+row[2]] = strings.Split(row[3], ", ")
	}
	if len(table) < 25 {
		t.Fatalf("docs/%s has roles of %d routes", page, len(table))
	}
	return table
}

func TestEachRoleMayUseTheRoutesThatAreDocumented(t *testing.T) {
	s := newShop(t)
	table, d := documentedRoles(t, "operators.md"), s.description()
	keys := map[string]string{}
	for _, role := range []billing.OperatorRole{"read", "support", "finance", "admin"} {
		keys[string(role)] = s.operatorNamed("of-"+string(role), role)
	}
	described := map[string]string{} // operation ids to routes
	for path, ops := range d.Paths {
		for method, op := range ops {
			described[op.OperationID] = strings.ToUpper(method) + " " + path
		}
	}
	for route := range table {
		found := false
		for _, at := range described {
			found = found || at == route
		}
		if !found {
			t.Errorf("%s is documented, and is no route", route)
		}
	}
	s.routes(d, func(method, path string, op operation) {
		route := described[op.OperationID]
		if isIn(forVisuals, op.OperationID) {
			return // they look at no credential
		}
		may := table[route]
		switch {
		case may != nil:
		case strings.Contains(route, "/v1/operator/"):
			t.Errorf("%s is not in the table of docs/operators.md", route)
			return
		case method == "GET": // what is not in the table
			may = []string{"read", "support", "finance", "admin"}
		default:
			may = []string{"support", "admin"}
		}
		told := slices.Sorted(slices.Values(op.Roles))
		if want := slices.Sorted(slices.Values(may)); !slices.Equal(told, want) {
			t.Errorf("%s: described for %v, documented for %v", route, told, want)
		}
		for role, key := range keys {
			a := s.ask(method, path, samples[op.OperationID], key, withKey())
			refused := a.status == 403 && a.text("code") == "forbidden" && strings.Contains(a.text("detail"), "role")
			if refused == slices.Contains(may, role) || a.status == 401 {
				t.Errorf("%s as %s: %d %s", route, role, a.status, a.body)
			}
		}
	})
}

func TestTheHistoryNamesTheOperatorToOperatorsOnly(t *testing.T) {
	s := newShop(t)
	bought := s.buy().want(201, "")
	id := bought.text("subscription.id")
	anna := s.operatorNamed("anna", billing.OperatorSupport)
	s.ask("POST", "/v1/subscriptions/"+id+"/cancel", `{}`, anna, withKey()).want(200, "")
	last := func(credential string) string {
		events := s.ask("GET", "/v1/subscriptions/"+id+"/events", "", credential).want(200, "").at("data").([]any)
		return events[len(events)-1].(map[string]any)["actor"].(string)
	}
	if got := last(asOperator); got != "anna" {
		t.Errorf("an operator reads that %s has cancelled", got)
	}
	if got := last("Authorization: Bearer " + s.accountKey("ada@contoso.example")); got != "operator" {
		t.Errorf("the customer reads that %s has cancelled", got)
	}
	check(t, s.store.SuspendOperator(t.Context(), "anna"))
	s.ask("GET", "/v1/subscriptions/"+id, "", anna).want(401, "unauthorized")
}

// changesNothing are operations that are no GET and change nothing that is to
// be accounted for: previews, sign-in (whose rows operatorsessions_test.go reads), and what a development system alone has.
var changesNothing = []string{
	"preview-checkout", "preview-change", "preview-billing-details", "login", "confirm-login", "sign-in-operator", "check-license", "activate-license",
	"create-clock", "advance-clock", "dispute-charge", "fail-refund",
}

func TestEveryChangeByAnOperatorIsAudited(t *testing.T) {
	s := newShop(t)
	anna := s.operatorNamed("anna", billing.OperatorAdmin)
	count := func() int {
		rows, err := s.store.AuditLog(t.Context(), billing.AuditSelection{Actor: "anna"}, 1000)
		check(t, err)
		return len(rows)
	}
	changed := 0
	s.routes(s.description(), func(method, path string, op operation) {
		if method == "GET" || isIn(changesNothing, op.OperationID) {
			return
		}
		body, headers := samples[op.OperationID], []string{anna, withKey()}
		switch op.OperationID {
		case "apply-catalog":
			body = "products: [{id: calendar-pro, name: Calendar, plans: []}]"
		case "import-statement":
			body, headers = "date;amount;currency;reference\n2026-02-03;1,00;USD;none\n", append(headers, "Content-Type: text/csv")
		case "put-version":
			var contentType string
			body, contentType = form("", "", "x", []byte("x"))
			headers = append(headers, "Content-Type: "+contentType)
		case "block-over-limit":
			body = `{"on":true}`
		case "hand-over-license":
			body = `{"name":"Carl Conti","email":"carl@contoso.example"}`
		case "logout", "edit-me":
			path += "?email=ada%40contoso.example"
		}
		if op.OperationID == "erase-account" {
			path += "?email=nobody%40contoso.example"
		}
		if strings.HasPrefix(path, "/v1/api-keys") || strings.HasPrefix(path, "/v1/members") || path == "/v1/me/email" || strings.HasPrefix(path, "/v1/payment-methods/") {
			path += "?email=ada%40contoso.example"
		}
		before := count()
		a := s.ask(method, path, body, headers...)
		switch after := count(); {
		case a.status < 300 && after == before && op.OperationID != "migrate-catalog" && op.OperationID != "set-sites" && op.OperationID != "hand-over-license": // which change nothing here
			t.Errorf("%s %s was answered %d, and no row tells of it", method, path, a.status)
		case a.status >= 300 && after != before:
			t.Errorf("%s %s was answered %d, and a row tells of it", method, path, a.status)
		case a.status < 300:
			changed++
		}
	})
	if changed < 15 {
		t.Errorf("only %d routes changed anything", changed)
	}
	page := s.ask("GET", "/v1/operator/audit?actor=anna&limit=2", "", asOperator).want(200, "")
	rows := page.at("data").([]any)
	first := rows[0].(map[string]any)
	if len(rows) != 2 || first["actor"] != "anna" || first["from"] != "api 192.0.2.1" || page.at("next_cursor") == nil {
		t.Errorf("a page is %s", page.body)
	}
	next := s.ask("GET", "/v1/operator/audit?after="+page.text("next_cursor")+"&subject="+first["subject"].(string), "", asOperator).want(200, "")
	for _, row := range next.at("data").([]any) {
		if row.(map[string]any)["subject"] != first["subject"] || row.(map[string]any)["id"].(float64) <= rows[1].(map[string]any)["id"].(float64) {
			t.Errorf("the next page is %s", next.body)
		}
	}
	if found := s.ask("GET", "/v1/operator/audit/verify", "", asOperator).want(200, ""); found.at("broken_at") != 0.0 {
		t.Errorf("the log: %s", found.body)
	}
}
