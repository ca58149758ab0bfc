package models

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestAReferenceIsMadeOnceAndKept(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		refs := s.GatewayReferences("stripe")
		got := make([]string, 20)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				var err error
				if got[i], err = refs.Reference(t.Context(), "cus_1", func() (string, error) { return fmt.Sprintf("cus_x%d", i), nil }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, ref := range got {
			if ref == "" || ref != got[0] {
				t.Fatalf("references %q", got)
			}
		}
		again, err := refs.Reference(t.Context(), "cus_1", func() (string, error) {
			t.Error("another one was made")
			return "", nil
		})
		if err != nil || again != got[0] {
			t.Errorf("got %q, %v, want %q", again, err, got[0])
		}
		other, err := s.GatewayReferences("another").Reference(t.Context(), "cus_1", func() (string, error) { return "cus_y", nil })
		if err != nil || other != "cus_y" {
			t.Errorf("another gateway's: %q, %v", other, err)
		}
	})
}

func TestAReferenceThatCouldNotBeMadeIsNotKept(t *testing.T) {
	onEach(t, func(t *testing.T, s *Store) {
		refs, away := s.GatewayReferences("stripe"), errors.New("away")
		if _, err := refs.Reference(t.Context(), "inv_1", func() (string, error) { return "", away }); !errors.Is(err, away) {
			t.Errorf("got %v", err)
		}
		if ref, err := refs.Reference(t.Context(), "inv_1", func() (string, error) { return "pi_1", nil }); err != nil || ref != "pi_1" {
			t.Errorf("got %q, %v", ref, err)
		}
	})
}
