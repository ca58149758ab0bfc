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

var roleRow = regexp.MustCompile("(?m)^\\| `([A-Z]+) (/\\S+)` \\| (.*?) \\|$")

// documentedRoles are the roles of docs/operators.md by route.
func documentedRoles(t *testing.T) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("../docs/operators.md")
	check(t, err)
	table := map[string][]string{}
	for _, row := range roleRow.FindAllStringSubmatch(string(doc), -1) {
		table[row[1]+" "+row[2]] = strings.Split(row[3], ", ")
	}
	if len(table) < 25 {
		t.Fatalf("docs/operators.md has roles of %d routes", len(table))
	}
	return table
}

func TestEachRoleMayUseTheRoutesThatAreDocumented(t *testing.T) {
	s := newShop(t)
	table, d := documentedRoles(t), s.description()
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
