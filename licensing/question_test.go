package licensing

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlainQuestion holds the reader of plain questions to encoding/json.
func FuzzPlainQuestion(f *testing.F) {
	for _, body := range []string{
		`{"v":1,"license":"lic_1","product":"calendar-pro","version":"2.4.2","licensee":"A <a@b>","tenant":"t","sites":["a.example","b"],"user":"u","env":8,"nonce":"n"}`,
		` { "v" : 1 , "sites" : [ ] , "license" : "" } `, `{}`, `{"V":1}`, `{"v":1,"v":2}`, `{"v":01}`, `{"v":1.0}`, `{"v":4294967296}`, `{"env":-1}`,
		`{"license":"\u0041"}`, "{\"license\":\"\n\"}", `{"v":1}x`, `{"v":1,}`, `{"sites":["a",]}`, `{"sites":null}`, `{"license":"é"}`, `{"v":1`, `{"license":"a`, `[]`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		plain, ok := plainQuestion(string(body))
		if !ok || !utf8.Valid(body) {
			return
		}
		var q Question
		if err := json.Unmarshal(body, &q); err != nil {
			t.Fatalf("it reads %q as %+v, which is %v", body, plain, err)
		}
		if diff := cmp.Diff(q, plain); diff != "" {
			t.Fatalf("it reads %q with another result: %s", body, diff)
		}
	})
}

func TestAQuestionAsVisualsWriteItIsPlain(t *testing.T) {
	body := `{"v":1,"license":"lic_1","product":"calendar-pro","version":"2.4.2","licensee":"Ada <ada@contoso.example>","tenant":"t","sites":["app.powerbi.com"],"user":"u","env":1,"nonce":"0123456789abcdef"}`
	if _, ok := plainQuestion(body); !ok {
		t.Error("it is left to encoding/json")
	}
}
