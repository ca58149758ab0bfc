package billing

import "errors"

// GatewayCode is the code of a payment gateway's refusal of a call, which moved
// no money and is not cured by repeating it; empty for every other error. Package
// payments lists the codes.
func GatewayCode(err error) string {
	var refusal interface{ ErrorCode() string }
	if errors.As(err, &refusal) {
		return refusal.ErrorCode()
	}
	return ""
}
