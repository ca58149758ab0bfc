package pbiviz

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

func TestJoinedCRCIsThatOfTheWholeMessage(t *testing.T) {
	message := make([]byte, 1<<17+3)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(message)
	want := crc32.ChecksumIEEE(message)
	for _, at := range []int{0, 1, 2, 7, 8, 9, 255, 256, 65535, 65536, len(message) - 1, len(message)} {
		first, second := message[:at], message[at:]
		got := joinCRC(crc32.ChecksumIEEE(first), crc32.ChecksumIEEE(second), int64(len(second)))
		if got != want {
			t.Errorf("cut at %d: %08x, want %08x", at, got, want)
		}
	}
}

func TestJoinedCRCOfAKnownMessage(t *testing.T) {
	// "123456789" has the check value cbf43926 in every catalogue of CRCs.
	got := joinCRC(crc32.ChecksumIEEE([]byte("1234")), crc32.ChecksumIEEE([]byte("56789")), 5)
	if got != 0xcbf43926 {
		t.Errorf("%08x, want cbf43926", got)
	}
}
