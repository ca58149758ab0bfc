package mysqltest

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/go-sql-driver/mysql"
)

var errNoServer = errors.New("neither mariadbd nor mysqld was found; `make setup` installs one, or set OKVIZ_TEST_MYSQL")

const startTimeout = 2 * time.Minute // a cold disk on a busy machine

// server is a throw-away server process.
type server struct {
	addr           string // 127.0.0.1:port
	user, password string // may do everything
	dir            string // data, log and socket
	cmd            *exec.Cmd
	ended          chan struct{} // closed when the process is gone
}

// start creates a data folder and starts a server on it, with more arguments. Another process may take the
// free port before the server does, so a server that ends at once is tried again.
func start(args ...string) (*server, error) {
	binary, install, err := find()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		s, err := startOnce(binary, install, args)
		if err == nil || attempt == 3 {
			return s, err
		}
	}
}

// find returns the server's path and the command that fills an empty data folder.
func find() (binary string, install []string, err error) {
	if binary, err = look("mariadbd"); err == nil {
		if tool, err := look("mariadb-install-db"); err == nil {
			return binary, []string{tool, "--no-defaults", "--skip-test-db"}, nil
		}
	}
	if binary, err = look("mysqld"); err == nil {
		return binary, []string{binary, "--no-defaults", "--initialize-insecure"}, nil
	}
	return "", nil, errNoServer
}

// look searches the PATH, then the places of Debian, where only root has /usr/sbin in it.
func look(name string) (path string, err error) {
	for _, dir := range []string{"", "/usr/sbin", "/usr/bin"} {
		if path, err = exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

func startOnce(binary string, install, args []string) (s *server, err error) {
	dir, err := os.MkdirTemp("", "okviz-mysql-")
	if err != nil {
		return nil, fmt.Errorf("create a folder for the server: %w", err)
	}
	s = &server{dir: dir, user: "okviz", password: randomHex(16), ended: make(chan struct{})}
	defer func() {
		if err != nil {
			s.stop()
			s = nil
		}
	}()

	data := filepath.Join(dir, "data")
	where := []string{"--datadir=" + data}
	if os.Geteuid() == 0 {
		where = append(where, "--user=root") // else the server refuses to run as root
	}
	if out, err := exec.Command(install[0], append(install[1:], where...)...).CombinedOutput(); err != nil {
		return s, fmt.Errorf("create the server's data: %w\n%s", err, tail(out))
	}
	init := filepath.Join(dir, "init.sql")
	grant := fmt.Sprintf("CREATE USER '%[1]s'@'127.0.0.1' IDENTIFIED BY '%[2]s';\nGRANT ALL ON *.* TO '%[1]s'@'127.0.0.1' WITH GRANT OPTION;\n", s.user, s.password)
	if err := os.WriteFile(init, []byte(grant), 0o600); err != nil {
		return s, err
	}
	port, err := freePort()
	if err != nil {
		return s, err
	}
	s.addr = fmt.Sprintf("127.0.0.1:%d", port)

	s.cmd = exec.Command(binary, append([]string{
		"--no-defaults",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--port=%d", port),
		"--socket=" + filepath.Join(dir, "socket"),
		"--pid-file=" + filepath.Join(dir, "pid"),
		"--log-error=" + filepath.Join(dir, "log"),
		"--init-file=" + init,
		"--skip-name-resolve",
		"--character-set-server=utf8mb4",
		"--default-time-zone=+00:00",
		"--loose-mysqlx=OFF", // MySQL's second port
		// Nothing here outlives the tests, so nothing needs to reach the disk.
		"--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync",
		"--innodb-doublewrite=0",
		// A schema of a hundred statements comes in four times as fast.
		"--innodb-file-per-table=0", "--loose-debug-no-sync",
		"--innodb-buffer-pool-size=64M",
		"--skip-log-bin",
		"--performance-schema=OFF",
	}, append(where, args...)...)...)
	if err := s.run(); err != nil {
		return s, fmt.Errorf("start %s: %w", filepath.Base(binary), err)
	}
	return s, s.awaitReady()
}

// run starts the process and waits for its end in the background. Linux ties a child
// to the thread that started it, so that thread stays with the goroutine.
func (s *server) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		dieWithParent(s.cmd)
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.cmd.Wait()
			close(s.ended)
		}
	}()
	return <-started
}

// awaitReady returns when the server answers.
func (s *server) awaitReady() error {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", s.addr, s.user, s.password
	c.Logger = log.New(io.Discard, "", 0)
	db, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return err
	}
	defer db.Close()
	deadline := time.After(startTimeout)
	for {
		if err = db.Ping(); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended at once\n%s", s.log())
		case <-deadline:
			return fmt.Errorf("the server did not answer within %v: %w\n%s", startTimeout, err, s.log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server the quick way, since its data goes too.
func (s *server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		s.cmd.Process.Kill()
		<-s.ended
	}
	os.RemoveAll(s.dir)
}

func (s *server) log() []byte {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return tail(b)
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
