package billing

import (
	"testing"
	"time"

	"github.com/okviz/licensing/licensing"
)

const threeYears = "calendar-pro_users_1-20_three_years"

// renewed are the instants at which fresh files were mailed, with their ends.
func (l *ledger) renewed() (list [][2]string) {
	for _, m := range l.history {
		for _, n := range m.Notices {
			if n.Kind == NoticeFileRenewed {
				list = append(list, [2]string{m.at.Format(time.RFC3339), n.Until.Format(time.RFC3339)})
			}
		}
	}
	return list
}

// The first file ends 400 days after 10 January 2026, on 14 February 2027: the
// next one is mailed on 15 January 2027, and so each 370 days; the third renewal
// of the file lasts as long as the licence, to 10 January 2029 and 72 hours.
func TestAPlanOfThreeYearsIsMailedAFreshFileEachYear(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: threeYears})
	l.pay("visa")
	is(t, "the next step", l.s().Next, Step{StepFile, instant("2027-01-15")})
	l.to("2029-01-09")
	is(t, "files", l.renewed(), [][2]string{
		{"2027-01-15T00:00:00Z", "2028-02-19T00:00:00Z"},
		{"2028-01-20T00:00:00Z", "2029-01-13T00:00:00Z"},
	})
	is(t, "then it renews", l.s().Next.Kind, StepRenew)
}

func TestAYearAndAMonthNeedNoFreshFile(t *testing.T) {
	for _, plan := range []string{small, smallYear} {
		l := ordered(t, "2026-01-10", offer{plan: plan})
		l.pay("visa")
		l.to("2028-01-20")
		is(t, plan, len(l.renewed()), 0)
	}
}

func TestAFirstFileEndsAfterTheMoneyBackWindowAndTheFullOneFollows(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: smallYear})
	l.snapshot.Policy.File.AfterMoneyBack = 7 * day
	l.pay("visa")
	is(t, "it ends", l.s().File.Ends, instant("2026-01-31"))
	l.to("2026-01-24")
	is(t, "within the window", len(l.renewed()), 0)
	l.to("2027-01-09")
	is(t, "the full one", l.renewed(), [][2]string{{"2026-01-24T00:00:01Z", "2027-01-13T00:00:00Z"}})
}

func TestMoneyBackAndCancellationNeedNoFreshFile(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: threeYears})
	l.snapshot.Policy.File.AfterMoneyBack = 7 * day
	l.pay("visa")
	l.to("2026-01-20")
	l.must(Command{Action: ActionMoneyBack})
	is(t, "nothing is due", l.s().Next, Step{})

	l = ordered(t, "2026-01-10", offer{plan: smallYear})
	l.snapshot.Policy.File = licensing.FileTerm{Life: 366 * day} // to 11 January 2027, within the 72 hours
	l.pay("visa")
	l.must(Command{Action: ActionCancel})
	l.to("2027-02-01")
	is(t, "a licence that ends before its file", len(l.renewed()), 0)
}

func TestASuspendedLicenceIsMailedItsFileWhenItIsReinstated(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: threeYears})
	l.pay("visa")
	l.must(Command{Action: ActionSuspend})
	l.to("2027-03-01")
	is(t, "while it is suspended", len(l.renewed()), 0)
	l.must(Command{Action: ActionReinstate})
	l.to("2027-03-02")
	is(t, "then", len(l.renewed()), 1)
}

func TestAFreshFileWaitsForTheEndOfADispute(t *testing.T) {
	l := ordered(t, "2026-01-10", offer{plan: threeYears})
	l.pay("visa")
	l.must(l.disputes("dp_1", DisputeOpened, 990))
	l.to("2027-03-01")
	is(t, "while it is open", len(l.renewed()), 0)
	l.must(l.disputes("dp_1", DisputeWon, 990))
	l.to("2027-03-02")
	is(t, "once it is won", len(l.renewed()), 1)
}
