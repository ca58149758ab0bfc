package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// proxy stands between the visuals and the engine, as a firewall's or a
// pirate's may. It records what is asked and answered, and a fault lets it
// replay, change, delay or refuse.
type proxy struct {
	address string
	engine  http.Handler

	mu       sync.Mutex
	server   *http.Server
	fault    fault
	asked    []string // methods and bodies of the questions
	answered [][]byte // the engine's answers
}

// fault answers in the engine's place. The zero fault is none.
type fault = http.HandlerFunc

func newProxy(engine string) *proxy {
	p := &proxy{engine: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: engine}), address: "127.0.0.1:0"}
	p.listen()
	return p
}

func (p *proxy) listen() {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		panic(err)
	}
	p.address = listener.Addr().String()
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	go p.server.Serve(listener) //nolint:errcheck // ends with Close
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+string(body))
	act := p.fault
	p.mu.Unlock()
	if act == nil {
		act = func(w http.ResponseWriter, r *http.Request) { w.Write(p.pass(w, r)) }
	}
	act(w, r)
}

// pass asks the engine, records its answer and returns it; header and status
// are the engine's.
func (p *proxy) pass(w http.ResponseWriter, r *http.Request) []byte {
	recorder := httptest.NewRecorder()
	p.engine.ServeHTTP(recorder, r)
	for name, values := range recorder.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(recorder.Code)
	answer := recorder.Body.Bytes()
	p.mu.Lock()
	p.answered = append(p.answered, answer)
	p.mu.Unlock()
	return answer
}

// questions are those asked since the last call.
func (p *proxy) questions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

// answers are the engine's since the last call.
func (p *proxy) answers() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	answered := p.answered
	p.answered = nil
	return answered
}

// breaks lets a fault answer until the test ends or the proxy is mended.
func (p *proxy) breaks(t *testing.T, f fault) {
	p.mu.Lock()
	p.fault = f
	p.mu.Unlock()
	t.Cleanup(p.mend)
}

func (p *proxy) mend() {
	p.mu.Lock()
	p.fault = nil
	p.mu.Unlock()
}

// goesDown lets nobody connect until the test ends.
func (p *proxy) goesDown(t *testing.T) {
	p.server.Close()
	t.Cleanup(p.listen)
}

// answered is a fault: a status and a body as the engine's API would send them.
func answered(status int, body string, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // it fails when the browser has gone
	}
}

// replayed is a fault: recorded answers in their order, the last one again and
// again.
func replayed(recorded [][]byte) fault {
	var mu sync.Mutex
	n := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		answer := recorded[min(n, len(recorded)-1)]
		n++
		mu.Unlock()
		answered(http.StatusOK, string(answer))(w, r)
	}
}

// changed is a fault: the engine's answers with some fields changed.
func changed(fields object) fault {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := object{}
		if err := json.Unmarshal(service.pass(w, r), &answer); err != nil {
			panic(err)
		}
		for name, value := range fields {
			answer[name] = value
		}
		_ = json.NewEncoder(w).Encode(answer) // as above
	}
}

// asking is a fault: the engine answers another question, with some fields
// changed.
func asking(fields object) fault {
	return func(w http.ResponseWriter, r *http.Request) {
		question := object{}
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			panic(err)
		}
		for name, value := range fields {
			question[name] = value
		}
		body, _ := json.Marshal(question)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		w.Write(service.pass(w, r))
	}
}

// delayed is a fault: the engine's answer, on its way when the test says so.
func delayed(until <-chan struct{}) fault {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := service.pass(w, r)
		<-until
		w.Write(answer)
	}
}

// away is a fault: a gateway that does not reach the engine. (A connection that
// breaks is tried again by the browser.)
var away = answered(http.StatusServiceUnavailable, "")
