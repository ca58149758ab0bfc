package mysqltest

import (
	"os/exec"
	"syscall"
)

// dieWithParent makes the kernel end the server when the test binary ends, even by kill -9.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
