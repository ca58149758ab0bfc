package billing

// LicenseType is what a licence counts.
type LicenseType string

const (
	Users    LicenseType = "users"
	Capacity LicenseType = "capacity"
	Site     LicenseType = "site"
)

// Activation is how a visual gets to know its licence.
type Activation string

const (
	ActivationNone     Activation = "none"     // the licence is inside the delivered file
	ActivationLicensee Activation = "licensee" // typed in: licence id and licensee
	ActivationEntra    Activation = "entra"    // bound to the customer's Entra tenant by a key
)

// PlanRef names a plan: licence type × tier × billing cycle.
type PlanRef struct {
	ID    string      `json:"id"`
	Type  LicenseType `json:"type"`
	Tier  string      `json:"tier,omitempty"` // empty where the type has only one
	Cycle Cycle       `json:"cycle"`
}
