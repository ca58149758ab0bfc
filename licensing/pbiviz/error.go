package pbiviz

import "fmt"

// Codes of [Error]; they are stable.
const (
	CodeTooLarge     = "package_too_large"    // above one of the limits of [Parse]
	CodeDamaged      = "package_damaged"      // not a zip, a wrong checksum, broken JSON, contradicting names
	CodeLegacy       = "package_legacy"       // keeps its code in separate .js files
	CodeIncomplete   = "package_incomplete"   // package.json, the resource or its code is missing
	CodeStamped      = "package_stamped"      // already carries a token: a customer's file, not the vendor's
	CodeNotStamped   = "package_not_stamped"  // carries no token ([Token] only)
	CodeTokenInvalid = "token_invalid"        // the token is not a compact JWS ([Template.Stamp] only)
	CodeSelfCheck    = "package_check_failed" // a stamped copy does not read back ([Template.Check] only)
)

// Error says why a package or a token is refused. Detail is one sentence for the
// person who uploads; it may name entries of the package, never its contents.
type Error struct {
	Code   string
	Detail string
}

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}
