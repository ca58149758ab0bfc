package api_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/okviz/licensing/visual"
)

var (
	abuse     = flag.Int("abuse", 1500, "how many malformed requests are made")
	abuseSeed = flag.Uint64("abuse.seed", 1, "of what they are made from")
)

// abuser makes malformed requests by rules. The same seed makes the same ones.
type abuser struct {
	*rand.Rand
	ids []string // of objects that there are
}

func (a abuser) of(list ...string) string { return list[a.IntN(len(list))] }

// text is a text that nobody expects.
func (a abuser) text() string {
	return a.of("", " ", "null", marker, "\x00", "\u202e", "\ufffe", "e\u0301", "😀", "'; DROP TABLE accounts; --", "../../etc/passwd", "<script>"+marker+"</script>", "{{7*7}}", "${jndi:ldap://x}",
		"%s%n%x", "=1+1", "\r\nX-Injected: 1", "a@b", "\"@\"@x.example", "a@"+strings.Repeat("b.", 130)+"example", "ada@contoso.example\n", "9999-99-99T99:99:99Z", "-1", "1e400", "NaN",
		strings.Repeat("x", 1<<a.IntN(16)), strings.Repeat("\u00df", 1<<a.IntN(12)), strings.Repeat("../", 50), a.of(a.ids...))
}

// value is JSON that a field does not expect, or no JSON.
func (a abuser) value() string {
	n := 1 << a.IntN(14)
	return a.of("null", "true", "0", "-0", "-1", "1.5", "1e2", "9223372036854775807", "9223372036854775808", "1e400", "NaN", "0x10", `"\ud800"`, `"\u0000"`, `"\x"`, "{", "]", `""`, "[]", "{}",
		strings.Repeat("[", n), strings.Repeat("[", n)+strings.Repeat("]", n), strings.Repeat(`{"a":`, n), "["+strings.Repeat("0,", n)+"0]", strings.Repeat("9", n), `{"`+marker+`":1}`,
		fmt.Sprintf("%q", a.text()), `"`+a.text()+`"`, "\xff")
}

// body spoils a good one.
func (a abuser) body(good string) string {
	i, j := a.IntN(len(good)+1), a.IntN(len(good)+1)
	switch a.IntN(8) {
	case 0: // a stretch is missing
		return good[:min(i, j)] + good[max(i, j):]
	case 1: // or stands twice
		return good[:max(i, j)] + good[min(i, j):]
	case 2:
		return good[:i] + a.value() + good[i:]
	case 3: // one byte is another
		return good[:i] + string([]byte{byte(a.IntN(256))}) + good[min(i+1, len(good)):]
	case 4:
		return a.value()
	case 5: // a name more
		return strings.Replace(good, "{", fmt.Sprintf("{%q:%s,", a.text(), a.value()), 1)
	}
	// A value is another one.
	if colons := strings.Count(good, ":"); colons > 0 {
		parts := strings.SplitAfter(good, ":")
		k := 1 + a.IntN(len(parts)-1)
		end := strings.IndexAny(parts[k], ",}]")
		parts[k] = a.value() + parts[k][max(end, 0):]
		return strings.Join(parts, "")
	}
	return good + a.value()
}

func (a abuser) headers() []string {
	var list []string
	for range a.IntN(4) {
		list = append(list, a.of("Authorization", "Idempotency-Key", "Content-Type", "Accept", "Accept-Encoding", "Cookie", "Origin", "Range", "If-None-Match", "X-Forwarded-For", "X-HTTP-Method-Override",
			"Content-Encoding", "Sec-Fetch-Site", "Stripe-Signature", "Okviz-Signature", "Content-Length")+": "+
			a.of("", "Bearer ", "Bearer cot_"+a.text(), "Bearer qot_AAAA", "Basic YTpi", "gzip", "bytes=0-,1-2,-5", "null", "cross-site", "application/json", "application/xml", "multipart/form-data; boundary="+strings.Repeat("-", 70),
				"multipart/form-data", "text/plain; charset=utf-7", "__Host-okviz="+a.text(), "t=1,v1=00", a.text()))
	}
	return list
}

// Some requests are good by chance, and change something. None may be answered
// with 5xx, repeat what was sent in a refusal, or take five seconds.
func TestGeneratedBadInputIsRefusedOrTakenInTime(t *testing.T) {
	const ends = 10 * time.Minute
	s := newShop(t)
	d := s.description()
	a := abuser{Rand: rand.New(rand.NewPCG(*abuseSeed, 0))}
	type target struct {
		method, path string
		op           operation
	}
	var targets []target
	s.routes(d, func(method, path string, op operation) {
		targets = append(targets, target{method, path, op})
		for segment := range strings.SplitSeq(path, "/") {
			if strings.Contains(segment, "_") {
				a.ids = append(a.ids, segment)
			}
		}
	})
	for path, ops := range d.Paths { // routes leaves the webhook out
		for method, op := range ops {
			if op.OperationID == "webhook" {
				targets = append(targets, target{strings.ToUpper(method), strings.Replace(path, "{gateway}", "sandbox", 1), op})
			}
		}
	}
	slices.SortFunc(targets, func(x, y target) int { return strings.Compare(x.op.OperationID, y.op.OperationID) })
	slices.Sort(a.ids)
	a.ids = slices.Compact(a.ids)

	others := map[string]string{ // good bodies that are no JSON
		"apply-catalog":    "products:\n  - {id: a, name: A, plans: [{type: users, tier: T, covers: 5, cycle: monthly, prices: [{amount: 990, currency: USD}]}]}\n",
		"import-statement": "date,amount,currency,reference\n2026-02-03,4950.00,EUR,INV-2026-000001\n",
		"put-version": "--x\r\nContent-Disposition: form-data; name=\"package\"; filename=\"a\"\r\nContent-Type: application/octet-stream\r\n\r\n" + string(visual.Packages()[0].Data) + "\r\n--x\r\n" +
			"Content-Disposition: form-data; name=\"changelog\"\r\n\r\nBetter.\r\n--x--\r\n",
		"webhook": `{"id":"evt_1","type":"charge.succeeded","data":{"id":"ch_1"}}`,
	}
	types := map[string]string{"apply-catalog": "application/yaml", "import-statement": "text/csv", "put-version": "multipart/form-data; boundary=x"}

	began, answers, slowest := time.Now(), map[int]int{}, time.Duration(0)
	for n := range *abuse {
		if time.Since(began) > ends {
			t.Fatalf("%d requests took %s", n, ends)
		}
		c := targets[n%len(targets)]
		method, path, body := c.method, c.path, samples[c.op.OperationID]
		headers := []string{asOperator, withKey()}
		if other, ok := others[c.op.OperationID]; ok {
			body = other
			if kind := types[c.op.OperationID]; kind != "" {
				headers = append(headers, "Content-Type: "+kind)
			}
		}
		for range 1 + a.IntN(2) {
			switch a.IntN(6) {
			case 0: // the address
				segments := strings.Split(path, "/")
				segments[1+a.IntN(len(segments)-1)] = strings.ReplaceAll(url.PathEscape(a.text()), "%25", "%")
				if changed := strings.Join(segments, "/"); func() bool { _, err := url.Parse("http://a" + changed); return err == nil }() {
					path = changed
				}
			case 1: // the query
				name := a.of("limit", "cursor", "currency", "email", "from", "to", "currency", a.text())
				for _, p := range c.op.Parameters {
					if p.In == "query" && a.IntN(2) == 0 {
						name = p.Name
					}
				}
				path += a.of("?", "&", "?&") + url.QueryEscape(name) + a.of("=", "==", "") + url.QueryEscape(a.text())
			case 2:
				headers = append(headers, a.headers()...)
			case 3:
				if a.IntN(8) == 0 {
					method = a.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW")
				}
				body = a.body(body)
			default:
				body = a.body(body)
			}
		}
		at := time.Now()
		got := s.ask(method, path, body, headers...)
		took := time.Since(at)
		slowest = max(slowest, took)
		answers[got.status]++
		if got.status >= 500 || took > 5*time.Second {
			t.Errorf("request %d of seed %d, %s: %s after %s: %s", n, *abuseSeed, c.op.OperationID, got.what, took, got.body)
		}
	}
	refused := 0
	for status, n := range answers {
		if status >= 400 {
			refused += n
		}
	}
	t.Logf("%d requests to %d operations in %s, the slowest %s; answers by status: %v", *abuse, len(targets), time.Since(began).Round(time.Second), slowest.Round(time.Millisecond), answers)
	if refused < *abuse/2 || len(slices.Collect(maps.Keys(answers))) < 6 {
		t.Errorf("only %d of %d are refused: they are not malformed", refused, *abuse)
	}
}
