package activities

import (
	"errors"

	"github.com/okviz/licensing/billing"
)

// rejection is the code of the error with which a gateway rejected a call: it
// moved nothing and would be rejected again. It is empty for every other
// error, and where an earlier call may have moved money: then the gateway is
// asked for as long as it takes.
func rejection(err error) string {
	if unknown := (outcomeUnknown{}); errors.As(err, &unknown) {
		return ""
	}
	return billing.GatewayCode(err)
}

// gateways marks an error as the gateway's, if it is one.
func gateways(err error) error {
	if err == nil {
		return nil
	}
	return atGateway{err}
}

type atGateway struct{ error }

// Part names where the trouble is, for operators.
func (atGateway) Part() string { return "gateway" }

func (g atGateway) Unwrap() error { return g.error }

// outcomeUnknown marks an error that leaves the outcome of a payment unknown.
type outcomeUnknown struct{ error }

func (o outcomeUnknown) Unwrap() error { return o.error }
