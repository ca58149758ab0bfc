package binary

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/okviz/licensing/dev/temporal"
)

// fill writes to a disk until there is no room for a page any more.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for page := make([]byte, 4096); err == nil; {
		_, err = f.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

func TestAFullDiskIsNotReadyAndOnceThereIsRoomEverythingGoesOn(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("a small disk cannot be mounted here, which root may: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	engine, err := temporal.Start(t.Context(), temporal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Stop)
	address, metrics := freeAddress(t), freeAddress(t)
	o := built(t, "DATABASE_URL=sqlite://"+filepath.Join(disk, "okviz.db"), "OKVIZ_HTTP="+address, "OKVIZ_PUBLIC_URL=http://"+address, "OKVIZ_WORKER_METRICS="+metrics,
		"OKVIZ_SMTP_URL=smtp://127.0.0.1:1", "TEMPORAL_ADDRESS="+engine.Address())
	o.run(t, nil, "migrate")
	o.run(t, []byte(o.run(t, nil, "catalog", "default")), "catalog", "apply", "-")
	key := strings.Fields(o.run(t, nil, "api-keys", "create"))[1]
	o.start(t, "api")
	o.start(t, "worker")
	ready := func(want string) {
		t.Helper()
		for _, at := range []string{address, metrics} {
			eventually(t, at+" is "+want, func() bool {
				got := get("http://"+at+"/readyz", "")
				return strings.Contains(string(got.body), `"database":"`+want) && (got.status == http.StatusOK) == (want == "ok")
			})
		}
	}
	buy := func(n int) answer {
		return post("http://"+address+"/v1/checkout", fmt.Sprintf("disk-test-%08d", n), strings.ReplaceAll(order, "ada@", fmt.Sprintf("ada%d@", n)))
	}
	ready("ok")
	if a := buy(0); a.status != http.StatusCreated {
		t.Fatalf("an order: %d %s", a.status, a.body)
	}

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	// What the database has set aside already lasts for a while.
	refused := 0
	eventually(t, "an order is not taken", func() bool {
		refused++
		a := buy(refused)
		if a.status == http.StatusCreated {
			fill(t, filler)
			return false
		}
		if a.status != http.StatusAccepted && (a.status != http.StatusServiceUnavailable || !strings.Contains(string(a.body), `"code":"unavailable"`)) {
			t.Errorf("order %d: %d %s", refused, a.status, a.body)
		}
		return a.status == http.StatusServiceUnavailable
	})
	ready("not_writable")
	if healthy := get("http://"+address+"/healthz", ""); healthy.status != http.StatusOK {
		t.Errorf("/healthz: %d", healthy.status)
	}
	if products := get("http://"+address+"/v1/products?currency=USD", ""); products.status != http.StatusOK {
		t.Errorf("what is only read: %d %s", products.status, products.body)
	}

	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	ready("ok")
	for n := range refused + 1 { // with the keys of before: once each
		eventually(t, "each order has its outcome", func() bool { return buy(n).status == http.StatusCreated })
	}
	eventually(t, "every order runs, and no other", func() bool {
		return strings.Contains(string(get("http://"+address+"/v1/operator/reconcile", key).body), fmt.Sprintf(`"live":%d,"without_workflow":[],"without_rows":[]`, refused+1))
	})
}
