package billing

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/okviz/licensing/licensing"
)

// Catalogue is what is sold, as written in a catalogue document. catalogue.yaml
// is the default one.
type Catalogue struct {
	Products []Product `json:"products" yaml:"products"`
}

// Product is a Power BI visual.
type Product struct {
	ID           string               `json:"id" yaml:"id"`
	Name         string               `json:"name" yaml:"name"`
	Description  string               `json:"description,omitempty" yaml:"description"`
	Icon         string               `json:"icon,omitempty" yaml:"icon"`
	ChangelogURL string               `json:"changelog_url,omitempty" yaml:"changelog_url"`
	Activation   licensing.Activation `json:"activation" yaml:"activation"`
	Proration    ProrationMode        `json:"proration" yaml:"proration"`
	Trial        bool                 `json:"trial" yaml:"trial"`
	Presentation `yaml:",inline"`
	Plans        []Plan `json:"plans" yaml:"plans"`
}

// Plan is licence type × tier × billing cycle, with a price per currency.
type Plan struct {
	ID     string         `json:"id,omitempty" yaml:"-"` // planID of the other fields
	Type   licensing.Type `json:"type" yaml:"type"`
	Tier   string         `json:"tier,omitempty" yaml:"tier"`
	Covers int64          `json:"covers,omitempty" yaml:"covers"` // people; 0: unlimited
	Cycle  Cycle          `json:"cycle" yaml:"cycle"`
	Prices []Price        `json:"prices" yaml:"prices"`
}

// Ref is the plan's name.
func (p Plan) Ref() PlanRef { return PlanRef{p.ID, p.Type, p.Tier, p.Cycle} }

// Price is one version of a plan's price in one currency. Versions are only
// added, each with its own ID, and a subscription refers to the one that it was
// sold at (docs/rules.md, What is sold).
type Price struct {
	ID    string           `json:"id,omitempty" yaml:"-"`
	Money `yaml:",inline"` // of one unit for one cycle
	Tax   TaxMode          `json:"tax,omitempty" yaml:"tax"`
}

func (p Price) String() string {
	if p.Tax == TaxInclusive {
		return p.Money.String() + " with tax"
	}
	return p.Money.String()
}

//go:embed catalogue.yaml
var defaultCatalogue []byte

// DefaultCatalogue is the document that a new engine starts with.
func DefaultCatalogue() []byte { return defaultCatalogue }

// Limits of a catalogue document. The parser itself stops at a depth of 10,000,
// and its decoder compares all keys of a mapping with one another.
const (
	MaxCatalogue = 256 << 10 // bytes
	maxDepth     = 32
	maxKeys      = 32 // of one mapping
)

// ParseCatalogue reads a catalogue document, JSON or YAML, and checks it.
// Unknown fields, anchors and aliases are refused, and so is what is larger or
// deeper than the limits. The error is an *Error naming the place.
func ParseCatalogue(doc []byte) (Catalogue, error) {
	var c Catalogue
	if len(doc) > MaxCatalogue {
		return c, refuse(CodeInvalid, "", fmt.Sprintf("the document has more than %d KiB", MaxCatalogue>>10))
	}
	var root yaml.Node
	nodes := yaml.NewDecoder(bytes.NewReader(doc))
	switch err := nodes.Decode(&root); {
	case errors.Is(err, io.EOF):
		return c, nil
	case err != nil:
		return c, notACatalogue(err)
	}
	if err := nodes.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return c, refuse(CodeInvalid, "", "there is more than one document")
	}
	if line, fault := plain(&root, 0); fault != "" {
		return c, refuse(CodeInvalid, "", fmt.Sprintf("line %d: %s", line, fault))
	}
	if top := root.Content[0]; top.Kind != yaml.MappingNode {
		return c, refuse(CodeInvalid, "", fmt.Sprintf("line %d: is no list of products", top.Line))
	}
	dec := yaml.NewDecoder(bytes.NewReader(doc))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return c, notACatalogue(err)
	}
	seen := map[string]bool{}
	for i := range c.Products {
		at := fmt.Sprintf("products[%d]", i)
		if err := c.Products[i].complete(at); err != nil {
			return c, err
		}
		if seen[c.Products[i].ID] {
			return c, refuse(CodeInvalid, at+".id", "occurs twice")
		}
		seen[c.Products[i].ID] = true
	}
	return c, nil
}

var yamlLine = regexp.MustCompile(`line [0-9]+: `)

// notACatalogue says where the decoder met the first fault, and repeats nothing
// of the document.
func notACatalogue(err error) *Error {
	what := "is not YAML or JSON"
	if wrong := (*yaml.TypeError)(nil); errors.As(err, &wrong) {
		what = "a field is not known, or has a value of another kind"
	}
	return refuse(CodeInvalid, "", "the document is not a catalogue: "+yamlLine.FindString(err.Error())+what)
}

var digits = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// plain looks for what a catalogue must not have, and returns the first fault
// and its line: an anchor or alias, too much depth, a key twice, an empty entry,
// or a number of minor units or people that is not written in digits alone.
func plain(n *yaml.Node, depth int) (line int, fault string) {
	switch {
	case depth > maxDepth:
		return n.Line, fmt.Sprintf("is nested deeper than %d", maxDepth)
	case n.Anchor != "" || n.Kind == yaml.AliasNode:
		return n.Line, "has an anchor or an alias, which a catalogue must not have"
	case n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys:
		return n.Line, fmt.Sprintf("has more than %d fields", maxKeys)
	}
	seen := map[string]bool{}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if value := n.Content[i+1]; (child.Value == "amount" || child.Value == "covers") && (value.ShortTag() != "!!int" || !digits.MatchString(value.Value)) {
				return child.Line, child.Value + " is a whole number, in digits alone"
			}
			if seen[child.Value] {
				return child.Line, "has a field twice"
			}
			seen[child.Value] = true
		}
		if n.Kind == yaml.SequenceNode && child.ShortTag() == "!!null" {
			return child.Line, "has an empty entry" // which the decoder would leave out
		}
		if line, fault := plain(child, depth+1); fault != "" {
			return line, fault
		}
	}
	return 0, ""
}

var productID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// complete fills in defaults and plan ids, and checks the product.
func (p *Product) complete(at string) error {
	if p.Proration == "" {
		p.Proration = PerSecond
	}
	if p.Activation == "" {
		p.Activation = licensing.ActivationNone
	}
	switch {
	case len(p.ID) > 40 || !productID.MatchString(p.ID):
		return refuse(CodeInvalid, at+".id", "lower-case letters, digits and single hyphens, at most 40")
	case p.Name == "" || len(p.Name) > 100:
		return refuse(CodeInvalid, at+".name", "is missing or longer than 100")
	case p.Activation != licensing.ActivationNone && p.Activation != licensing.ActivationLicensee && p.Activation != licensing.ActivationEntra:
		return refuse(CodeInvalid, at+".activation", "is none, licensee or entra")
	case p.Proration != PerSecond && p.Proration != PerDay:
		return refuse(CodeInvalid, at+".proration", "is second or day")
	}
	if err := p.Presentation.check(at); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range p.Plans {
		if err := p.Plans[i].complete(p.ID, fmt.Sprintf("%s.plans[%d]", at, i)); err != nil {
			return err
		}
		if seen[p.Plans[i].ID] {
			return refuse(CodeInvalid, fmt.Sprintf("%s.plans[%d]", at, i), "occurs twice")
		}
		seen[p.Plans[i].ID] = true
	}
	return nil
}

func (p *Plan) complete(product, at string) error {
	switch {
	case p.Type != licensing.Users && p.Type != licensing.Capacity && p.Type != licensing.Site:
		return refuse(CodeInvalid, at+".type", "is users, capacity or site")
	case !p.Cycle.Valid():
		return refuse(CodeInvalid, at+".cycle", "is monthly, yearly or three_years")
	case (p.Type == licensing.Site) != (p.Tier == "") || len(p.Tier) > 40:
		return refuse(CodeInvalid, at+".tier", "is needed for users and capacity, and not for site")
	case p.Covers < 0 || p.Type != licensing.Users && p.Covers != 0:
		return refuse(CodeInvalid, at+".covers", "is a number of people, for users only")
	case len(p.Prices) == 0:
		return refuse(CodeInvalid, at+".prices", "has no price")
	}
	p.ID = planID(product, p.Type, p.Tier, p.Cycle)
	seen := map[string]bool{}
	for i := range p.Prices {
		price, at := &p.Prices[i], fmt.Sprintf("%s.prices[%d]", at, i)
		if price.Tax == "" {
			price.Tax = TaxExclusive
		}
		switch {
		case !ValidCurrency(price.Currency):
			return refuse(CodeInvalid, at+".currency", "is not a currency")
		case seen[price.Currency]:
			return refuse(CodeInvalid, at+".currency", "occurs twice")
		case price.Amount < 1 || price.Amount > 1e12:
			return refuse(CodeInvalid, at+".amount", "is not a price in minor units")
		case price.Tax != TaxExclusive && price.Tax != TaxInclusive:
			return refuse(CodeInvalid, at+".tax", "is exclusive or inclusive")
		}
		seen[price.Currency] = true
	}
	return nil
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// planID is the plan's name in one word: "calendar-pro_users_1-20_monthly".
func planID(product string, t licensing.Type, tier string, c Cycle) string {
	parts := []string{product, string(t)}
	if tier != "" {
		parts = append(parts, strings.Trim(notSlug.ReplaceAllString(strings.ToLower(tier), "-"), "-"))
	}
	return strings.Join(append(parts, string(c)), "_")
}

// PlanChoice is how a customer names a plan: by tier, or by the people to be
// covered.
type PlanChoice struct {
	Type      licensing.Type
	Tier      string
	Cycle     Cycle
	Designers int64
	Viewers   int64
}

// Choose finds the plan that a customer means. A tier of type users is the
// smallest that covers designers + viewers where these are given; a tier of
// type capacity may be named by any SKU of the node's size. Refusals:
// unknown_plan.
func (p Product) Choose(c PlanChoice) (Plan, error) {
	users := c.Designers + c.Viewers
	var best *Plan
	for i, plan := range p.Plans {
		if plan.Type != c.Type || plan.Cycle != c.Cycle {
			continue
		}
		switch {
		case plan.Type == licensing.Users && users > 0 && c.Tier == "":
			if covers(plan, users) && (best == nil || smaller(plan, *best)) {
				best = &p.Plans[i]
			}
		case plan.Tier == c.Tier, plan.Type == licensing.Capacity && sameNode(plan.Tier, c.Tier):
			return plan, nil
		}
	}
	if best == nil {
		return Plan{}, refuse(CodeUnknownPlan, "plan", "no such plan of this product")
	}
	return *best, nil
}

func covers(p Plan, users int64) bool { return p.Covers == 0 || users <= p.Covers }

func smaller(a, b Plan) bool { return a.Covers != 0 && (b.Covers == 0 || a.Covers < b.Covers) }

// Plan returns the plan with this id. Refusal: unknown_plan.
func (p Product) Plan(id string) (Plan, error) {
	i := slices.IndexFunc(p.Plans, func(q Plan) bool { return q.ID == id })
	if i < 0 {
		return Plan{}, refuse(CodeUnknownPlan, "plan", "no such plan of this product")
	}
	return p.Plans[i], nil
}

// PriceIn returns the plan's newest price in a currency. Refusal:
// unknown_currency.
func (p Plan) PriceIn(currency string) (Price, error) {
	i := slices.IndexFunc(p.Prices, func(q Price) bool { return q.Currency == currency })
	if i < 0 {
		return Price{}, refuse(CodeUnknownCurrency, "currency", "this plan has no price in this currency")
	}
	return p.Prices[i], nil
}

// nodes gives each capacity SKU the number of capacity units of its node;
// A, EM, P and F SKUs of the same size are the same node.
var nodes = map[string]int{
	"F2": 2, "F4": 4,
	"F8": 8, "A1": 8, "EM1": 8,
	"F16": 16, "A2": 16, "EM2": 16,
	"F32": 32, "A3": 32, "EM3": 32,
	"F64": 64, "A4": 64, "P1": 64,
	"F128": 128, "A5": 128, "P2": 128,
	"F256": 256, "A6": 256, "P3": 256,
	"F512": 512, "A7": 512, "P4": 512,
	"F1024": 1024, "A8": 1024, "P5": 1024,
	"F2048": 2048,
}

// sameNode tells whether a SKU such as "A4" is the node of a tier such as
// "P1 or F64".
func sameNode(tier, sku string) bool {
	size, ok := nodes[strings.ToUpper(strings.TrimSpace(sku))]
	if !ok {
		return false
	}
	for name := range strings.SplitSeq(tier, " or ") {
		if nodes[name] == size {
			return true
		}
	}
	return false
}

// CheckQuantity holds a quantity to its plan: at least 1, and exactly 1 for
// users (docs/rules.md, What is sold). Refusal: quantity_not_allowed.
func CheckQuantity(t licensing.Type, quantity int64) error {
	if quantity < 1 || quantity > 1000 || t == licensing.Users && quantity != 1 {
		return refuse(CodeQuantityNotAllowed, "quantity", "is from 1 to 1000, and 1 for users")
	}
	return nil
}
