package billing_test

import (
	"testing"
	"time"

	"github.com/okviz/licensing/billing"
)

func TestADeliveryIsTriedForThreeDaysInGrowingIntervals(t *testing.T) {
	var total, before time.Duration
	tries := int64(1)
	for ; ; tries++ {
		wait, again := billing.WebhookWait(tries, billing.FeedInvoicePaid)
		if !again {
			break
		}
		if wait < before {
			t.Errorf("the wait after try %d is %s, and was %s", tries, wait, before)
		}
		total, before = total+wait, wait
	}
	if tries != 10 || total.Round(time.Hour) != 72*time.Hour {
		t.Errorf("%d tries in %s", tries, total)
	}
	if _, again := billing.WebhookWait(1, billing.WebhookTest); again {
		t.Error("a test is sent twice")
	}
}
