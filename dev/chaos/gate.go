// Package chaos runs the product's binary, two api and two worker processes over a
// MySQL-protocol server, Temporal and an SMTP server, does harm to each of them while
// customers buy, and then holds the books to the money.
package chaos

import (
	"io"
	"net"
	"sync"
)

// state is what a gate does with connections.
type state string

const (
	open    state = "open"
	refuses state = "refuses" // a connection is closed as soon as it is made
	hangs   state = "hangs"   // it is taken, and nothing comes back
)

// gate stands between the processes and a server, and can do harm to what passes.
type gate struct {
	net.Listener
	to string

	mu    sync.Mutex
	state state
	conns map[net.Conn]bool
}

// newGate lets everything through until it is told otherwise.
func newGate(to string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{Listener: l, to: to, state: open, conns: map[net.Conn]bool{}}
	go g.serve()
	return g, nil
}

func (g *gate) serve() {
	for {
		c, err := g.Accept()
		if err != nil {
			return // closed
		}
		g.mu.Lock()
		now := g.state
		g.conns[c] = now != refuses
		g.mu.Unlock()
		switch now {
		case refuses:
			c.Close()
		case open:
			go g.pass(c)
		case hangs: // until it is dropped
		}
	}
}

func (g *gate) pass(c net.Conn) {
	server, err := net.Dial("tcp", g.to)
	if err != nil {
		c.Close()
		return
	}
	g.mu.Lock()
	g.conns[server] = true
	g.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, server}, {server, c}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // either side's end is the end of both
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
	g.mu.Lock()
	delete(g.conns, c)
	delete(g.conns, server)
	g.mu.Unlock()
}

// becomes changes what happens to new connections, and drops those that there are.
func (g *gate) becomes(s state) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = s
	for c := range g.conns {
		c.Close()
	}
	clear(g.conns)
}
