package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// side is one of the two that are compared: a server, and what is asked of it.
type side struct {
	http string // host:port
	// next is the n-th request, as it goes over the wire.
	next func(n int64) []byte
	// uses are the processes whose time on a processor it costs.
	uses []*process

	mu      sync.Mutex
	asked   int64
	took    []time.Duration // each request
	rates   []float64       // requests a second, of each turn
	used    time.Duration   // of processors
	elapsed time.Duration
}

// request is one as it goes over the wire.
func request(method, path, body string, headers ...string) []byte {
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s",
		method, path, len(body), strings.Join(append(headers, ""), "\r\n"), body)
}

// turn asks over so many connections for so long, each time as soon as it is answered.
func (s *side) turn(b *testing.B, conns int, length time.Duration) {
	b.Helper()
	begun, used, before := time.Now(), processor(s.uses...), s.asked
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			if err := s.ask(begun.Add(length)); err != nil {
				b.Errorf("%s: %v", s.http, err)
			}
		})
	}
	all.Wait()
	elapsed := time.Since(begun)
	s.used += processor(s.uses...) - used
	s.elapsed += elapsed
	s.rates = append(s.rates, float64(s.asked-before)/elapsed.Seconds())
	if b.Failed() {
		b.FailNow()
	}
}

func (s *side) ask(until time.Time) error {
	conn, err := net.Dial("tcp", s.http)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var took []time.Duration
	for begun := time.Now(); begun.Before(until); begun = time.Now() {
		s.mu.Lock()
		n := s.asked
		s.asked++
		s.mu.Unlock()
		if _, err := conn.Write(s.next(n)); err != nil {
			return err
		}
		if err := answered(in); err != nil {
			return err
		}
		took = append(took, time.Since(begun))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, took...)
	return nil
}

// answered reads one answer, and has an error of any that is none of 2xx. It is cheap: the
// client must not be what is measured.
func answered(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	status := string(line[9:12])
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); string(name) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return chunked(in)
	}
	if status[0] != '2' {
		text := make([]byte, length)
		if _, err := io.ReadFull(in, text); err != nil {
			return err
		}
		return fmt.Errorf("status %s: %s", status, text)
	}
	_, err = in.Discard(length)
	return err
}

// chunked reads a body that does not say its length before.
func chunked(in *bufio.Reader) error {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(n) + 2); err != nil || n == 0 {
			return err
		}
	}
}

// compare has two sides take turns, and reports the ratio of the first to the second.
func compare(b *testing.B, product, bare *side, conns, turns int, length time.Duration) {
	b.Helper()
	for range turns {
		product.turn(b, conns, length)
		bare.turn(b, conns, length)
	}
	var ratios []float64
	for i, rate := range product.rates {
		ratios = append(ratios, rate/bare.rates[i])
	}
	b.ReportMetric(median(ratios), "of-bare")
	b.ReportMetric(float64(quantile(product.took, 0.99))/float64(quantile(bare.took, 0.99)), "p99-of-bare")
	b.ReportMetric(median(product.rates), "req/s")
	if cpu := product.each(); cpu > 0 {
		b.ReportMetric(float64(bare.each())/float64(cpu), "cpu-of-bare")
		b.ReportMetric(float64(cpu.Microseconds())/1000, "cpu-ms/req")
	}
}

// each is how long a request used a processor.
func (s *side) each() time.Duration { return s.used / time.Duration(max(1, len(s.took))) }

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

func quantile(list []time.Duration, q float64) time.Duration {
	list = slices.Sorted(slices.Values(list))
	return list[int(float64(len(list)-1)*q)]
}

// get reads an answer of 2xx.
func get(b testing.TB, r *http.Request) []byte {
	b.Helper()
	answer, err := http.DefaultClient.Do(r)
	must(b, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(b, err)
	if answer.StatusCode/100 != 2 {
		b.Fatalf("%s %s: %d %s", r.Method, r.URL.Path, answer.StatusCode, body)
	}
	return body
}
