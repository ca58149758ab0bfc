package licensing

import "math"

// plainQuestion reads a question as visuals write it: one object of the fields that are
// known, each at most once, with texts without escapes and whole numbers. Anything else
// is left to encoding/json: ok is false, and says nothing about the question. The body
// is UTF-8.
func plainQuestion(body string) (q Question, ok bool) {
	r := plainReader{text: body}
	if !r.take('{') {
		return q, false
	}
	seen := 0
	for first := true; first || r.take(','); first = false {
		name, ok := r.string()
		if !ok || !r.take(':') {
			return q, false
		}
		var into *string
		field := 0
		switch name {
		case "license":
			field, into = 1, &q.License
		case "product":
			field, into = 2, &q.Product
		case "version":
			field, into = 3, &q.Version
		case "licensee":
			field, into = 4, &q.Licensee
		case "tenant":
			field, into = 5, &q.Tenant
		case "user":
			field, into = 6, &q.User
		case "nonce":
			field, into = 7, &q.Nonce
		case "v":
			field = 8
			var n uint64
			n, ok = r.number()
			q.V = int(n)
		case "env":
			field = 9
			var n uint64
			n, ok = r.number()
			q.Env = Env(n)
		case "sites":
			field = 10
			q.Sites, ok = r.strings()
		default:
			return q, false
		}
		if into != nil {
			*into, ok = r.string()
		}
		if !ok || seen&(1<<field) != 0 {
			return q, false
		}
		seen |= 1 << field
	}
	if !r.take('}') {
		return q, false
	}
	r.space()
	return q, r.at == len(r.text)
}

// plainReader reads plain JSON from a text. What it returns are parts of the text.
type plainReader struct {
	text string
	at   int
}

func (r *plainReader) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\t' || r.text[r.at] == '\r') {
		r.at++
	}
}

// take reads one character, if it is next.
func (r *plainReader) take(c byte) bool {
	r.space()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *plainReader) string() (string, bool) {
	if !r.take('"') {
		return "", false
	}
	for begin := r.at; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; {
		case c == '"':
			r.at++
			return r.text[begin : r.at-1], true
		case c == '\\' || c < ' ':
			return "", false
		}
	}
	return "", false
}

func (r *plainReader) strings() ([]string, bool) {
	if !r.take('[') {
		return nil, false
	}
	list := []string{}
	if r.take(']') {
		return list, true
	}
	for first := true; first || r.take(','); first = false {
		s, ok := r.string()
		if !ok {
			return nil, false
		}
		list = append(list, s)
	}
	return list, r.take(']')
}

// number reads a whole number of at most 32 bits.
func (r *plainReader) number() (uint64, bool) {
	r.space()
	begin, n := r.at, uint64(0)
	for ; r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9'; r.at++ {
		if n = n*10 + uint64(r.text[r.at]-'0'); n > math.MaxUint32 {
			return 0, false
		}
	}
	zeros := r.at-begin > 1 && r.text[begin] == '0'
	return n, r.at > begin && !zeros // a fraction or an exponent is no comma that comes next
}
