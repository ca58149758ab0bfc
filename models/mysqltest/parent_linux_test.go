package mysqltest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/okviz/licensing/models/mysqltest"
)

// TestServerDiesWithAKilledTestBinary starts this test binary once more, kills it
// while its server runs, and waits until nobody listens any more.
func TestServerDiesWithAKilledTestBinary(t *testing.T) {
	const inner = "OKVIZ_TEST_MYSQL_KILLED"
	if os.Getenv(inner) != "" {
		fmt.Printf("\n%s\n", mysqltest.URL(t))
		select {} // until killed
	}
	if os.Getenv("OKVIZ_TEST_MYSQL") != "" {
		t.Skip("OKVIZ_TEST_MYSQL names a server of somebody else")
	}
	mysqltest.DSN(t) // skips when there is no server

	dir, err := os.MkdirTemp("", "killed-") //nolint:usetesting // short: the path of a socket has a limit
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), inner+"=1", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		if u, err := url.Parse(lines.Text()); err == nil && u.Scheme == "mysql" {
			addr = u.Host
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if addr == "" {
		t.Fatal("the inner test binary started no server")
	}

	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("the server still answers 30 s after its test binary was killed")
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}
