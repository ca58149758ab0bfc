package activities

import (
	"errors"

	"github.com/okviz/licensing/billing"
)

// refusal is the code of a gateway's definite refusal of a call, which moved
// nothing and would be refused again. It is empty for every other error, and
// where an earlier call may have moved money: then the gateway is asked for
// as long as it takes.
func refusal(err error) string {
	if unsettled := (open{}); errors.As(err, &unsettled) {
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

// open marks an error that leaves the outcome of a payment unknown.
type open struct{ error }

func (o open) Unwrap() error { return o.error }
