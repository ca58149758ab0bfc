package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// needs is what the tests want besides Go. The server packages are the ones without a
// system service, since the tests start their own server.
var needs = []struct {
	what   string
	there  func() bool
	debian []string
}{
	{"a MariaDB or MySQL server", func() bool { return found("mariadbd") && found("mariadb-install-db") || found("mysqld") }, []string{"mariadb-server-core", "mariadb-client-core"}},
	{"its client, to dump and restore", func() bool {
		return found("mariadb-dump") && found("mariadb-binlog") || found("mysqldump") && found("mysqlbinlog")
	}, []string{"mariadb-client"}},
	{"Chromium", func() bool { return found("chromium", "chromium-browser", "google-chrome") }, []string{"chromium"}},
	{"Node with npm", func() bool { return found("node") && found("npm") }, []string{"nodejs", "npm"}},
	{"a C compiler", hasCompiler, []string{"gcc", "libc6-dev"}},
	{"pdftotext", func() bool { return found("pdftotext") }, []string{"poppler-utils"}},
}

// setup installs what the tests need and do not find, or says in one line what to
// install. It reports whether everything is there.
func setup() bool {
	missing, packages := lacking()
	if len(missing) == 0 {
		fmt.Println("setup: everything that the tests need is here")
		return true
	}
	if !mayInstall() {
		fmt.Printf("setup: install %s (on Debian, as root: apt-get install %s)\n", strings.Join(missing, ", "), strings.Join(packages, " "))
		return false
	}
	fmt.Println("setup: installing " + strings.Join(packages, " "))
	for _, args := range [][]string{{"update", "-q"}, append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			fmt.Printf("setup: apt-get %s: %v\n", args[0], err)
		}
	}
	if missing, _ = lacking(); len(missing) > 0 {
		fmt.Println("setup: still missing: " + strings.Join(missing, ", "))
	}
	return len(missing) == 0
}

// lacking names what is not there, in words and as Debian packages.
func lacking() (what, packages []string) {
	for _, need := range needs {
		if !need.there() {
			what = append(what, need.what)
			packages = append(packages, need.debian...)
		}
	}
	return what, packages
}

// mayInstall: root on Debian.
func mayInstall() bool {
	_, err := os.Stat("/etc/debian_version")
	return err == nil && os.Geteuid() == 0
}
