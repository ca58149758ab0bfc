package billing

import (
	"regexp"
	"strings"
	"unicode"
)

// NormalVATID is a customer's VAT id as it is stored and printed: the prefix
// of the member state and the number behind it, without spaces, dots and
// hyphens, in capitals. The prefix may be left out of the text, since the
// country is known; Greece's is EL. An id of another country, of the wrong
// shape or with a wrong check digit is refused: invalid_vat_id.
//
// Outside of the European Union a number means nothing to the tax, and stays
// as it was written. Only the member states know whether a
// well-formed id really exists.
func NormalVATID(country, text string) (string, error) {
	number, union := vatNumbers[country]
	if !union {
		return text, nil
	}
	id := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '-' {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
	if id == "" {
		return "", nil
	}
	prefixes := []string{country, ""}
	if country == "GR" {
		prefixes = []string{"EL", "GR", ""}
	}
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(id, prefix); ok && number.valid(rest) {
			return prefixes[0] + rest, nil
		}
	}
	return "", refuse(CodeInvalidVATID, "billing.vat_id", "is not a VAT id of the billing country")
}

// vatNumber says what follows the prefix in a member state's VAT ids. The
// check is of the digits that the shape allows; nil where the state has
// published none.
type vatNumber struct {
	shape *regexp.Regexp
	check func(number string) bool
}

func (n vatNumber) valid(number string) bool {
	return n.shape.MatchString(number) && (n.check == nil || n.check(number))
}

// vatNumbers are the 27 member states. Of natural persons' numbers in
// Bulgaria (10 digits), Czechia (9 and 10) and Latvia (first digit up to 3)
// only the shape is held to, since not every number in use keeps to the check
// of the personal number that it is made of.
var vatNumbers = map[string]vatNumber{
	"AT": {regexp.MustCompile(`^U[0-9]{8}$`), func(n string) bool { return (luhnSum(n[1:8])+4+digit(n[8]))%10 == 0 }},
	"BE": {regexp.MustCompile(`^[01][0-9]{9}$`), func(n string) bool { return 97-remainder(n[:8], 97) == remainder(n[8:], 100) }},
	"BG": {regexp.MustCompile(`^[0-9]{9,10}$`), checkBulgaria},
	"CY": {regexp.MustCompile(`^[0-9]{8}[A-Z]$`), checkCyprus},
	"CZ": {regexp.MustCompile(`^([0-8][0-9]{7}|[0-9]{9,10})$`), func(n string) bool {
		sum := weighted(n, 8, 7, 6, 5, 4, 3, 2)
		return len(n) > 8 || (11-sum%11)%10 == digit(n[7])
	}},
	"DE": {regexp.MustCompile(`^[1-9][0-9]{8}$`), mod11And10},
	"DK": {regexp.MustCompile(`^[1-9][0-9]{7}$`), func(n string) bool { return weighted(n, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 }},
	"EE": {regexp.MustCompile(`^[0-9]{9}$`), func(n string) bool { return weighted(n, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 }},
	"ES": {regexp.MustCompile(`^([0-9XYZKLM][0-9]{7}[A-Z]|[A-HJNP-SUVW][0-9]{7}[0-9A-J])$`), checkSpain},
	"FI": {regexp.MustCompile(`^[0-9]{8}$`), func(n string) bool { return weighted(n, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0 }},
	"FR": {regexp.MustCompile(`^[0-9A-HJ-NP-Z]{2}[0-9]{9}$`), checkFrance},
	"GR": {regexp.MustCompile(`^[0-9]{9}$`), func(n string) bool {
		return weighted(n, 256, 128, 64, 32, 16, 8, 4, 2)%11%10 == digit(n[8])
	}},
	"HR": {regexp.MustCompile(`^[0-9]{11}$`), mod11And10},
	"HU": {regexp.MustCompile(`^[0-9]{8}$`), func(n string) bool { return weighted(n, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 }},
	"IE": {regexp.MustCompile(`^([0-9]{7}[A-W][A-IW]?|[0-9][A-Z+*][0-9]{5}[A-W])$`), checkIreland},
	"IT": {regexp.MustCompile(`^[0-9]{11}$`), func(n string) bool { return luhnSum(n)%10 == 0 && n[:7] != "0000000" }},
	"LT": {regexp.MustCompile(`^([0-9]{7}1[0-9]|[0-9]{10}1[0-9])$`), checkLithuania},
	"LU": {regexp.MustCompile(`^[0-9]{8}$`), func(n string) bool { return remainder(n[:6], 89) == remainder(n[6:], 100) }},
	"LV": {regexp.MustCompile(`^[0-9]{11}$`), func(n string) bool {
		return n[0] <= '3' || weighted(n, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
	}},
	"MT": {regexp.MustCompile(`^[1-9][0-9]{7}$`), func(n string) bool { return weighted(n, 3, 4, 6, 7, 8, 9, 10, 1)%37 == 0 }},
	"NL": {regexp.MustCompile(`^[0-9]{9}B[0-9]{2}$`), checkNetherlands},
	"PL": {regexp.MustCompile(`^[0-9]{10}$`), func(n string) bool { return weighted(n, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == digit(n[9]) }},
	"PT": {regexp.MustCompile(`^[1-9][0-9]{8}$`), func(n string) bool {
		return (11-weighted(n, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == digit(n[8])
	}},
	"RO": {regexp.MustCompile(`^[1-9][0-9]{1,9}$`), func(n string) bool {
		n = strings.Repeat("0", 10-len(n)) + n
		return 10*weighted(n, 7, 5, 3, 2, 1, 7, 5, 3, 2)%11%10 == digit(n[9])
	}},
	"SE": {regexp.MustCompile(`^[0-9]{10}(0[1-9]|[1-8][0-9]|9[0-4])$`), func(n string) bool { return luhnSum(n[:10])%10 == 0 }},
	"SI": {regexp.MustCompile(`^[1-9][0-9]{7}$`), func(n string) bool {
		check := 11 - weighted(n, 8, 7, 6, 5, 4, 3, 2)%11 // 11: such a number is never given out
		return check != 11 && check%10 == digit(n[7])
	}},
	"SK": {regexp.MustCompile(`^[1-9][0-9][2-47-9][0-9]{7}$`), func(n string) bool { return remainder(n, 11) == 0 }},
}

// checkBulgaria: where the first weights leave 10, the second ones count.
func checkBulgaria(n string) bool {
	if len(n) == 10 {
		return true
	}
	check := weighted(n, 1, 2, 3, 4, 5, 6, 7, 8) % 11
	if check == 10 {
		check = weighted(n, 3, 4, 5, 6, 7, 8, 9, 10) % 11 % 10
	}
	return check == digit(n[8])
}

// checkCyprus: the digits in odd places count as the table says.
func checkCyprus(n string) bool {
	odd := [10]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}
	sum := 0
	for i := range 8 {
		if i%2 == 0 {
			sum += odd[digit(n[i])]
		} else {
			sum += digit(n[i])
		}
	}
	return n[8] == byte('A'+sum%26)
}

// checkSpain: persons have a letter for the remainder by 23, a foreigner's X,
// Y or Z standing for 0, 1 or 2; all others a check digit, or the letter that
// stands for it.
func checkSpain(n string) bool {
	const persons = "TRWAGMYFPDXBNJZSQVHLCKE"
	person := n[1:8]
	switch c := n[0]; {
	case c >= '0' && c <= '9':
		person = n[:8]
	case c >= 'X' && c <= 'Z':
		person = string('0'+c-'X') + person
	case c >= 'K' && c <= 'M':
	default:
		check := (10 - luhnSum(n[1:8]+"0")%10) % 10
		return n[8] == byte('0'+check) || n[8] == "JABCDEFGHI"[check]
	}
	return n[8] == persons[remainder(person, 23)]
}

// checkFrance: the key in front belongs to the nine digits of the SIREN, which
// have a check digit of their own (Monaco's begin with 000 and have none).
func checkFrance(n string) bool {
	const letters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	key, siren := n[:2], n[2:]
	if siren[:3] != "000" && luhnSum(siren)%10 != 0 {
		return false
	}
	first, second := strings.IndexByte(letters, key[0]), strings.IndexByte(letters, key[1])
	switch {
	case first < 10 && second < 10:
		return remainder(siren+"12", 97) == 10*first+second
	case first < 10:
		first = 24*first + second - 10
	default:
		first = 34*first + second - 100
	}
	return (remainder(siren, 11)+1+first/11)%11 == first%11
}

// checkIreland: seven digits and a letter for them; behind or, in the oldest
// ones, between them a letter that counts as well.
func checkIreland(n string) bool {
	const letters = "WABCDEFGHIJKLMNOPQRSTUV"
	digits, extra := n[:7], 0
	switch {
	case n[1] < '0' || n[1] > '9':
		digits = "0" + n[2:7] + n[:1]
	case len(n) == 9:
		extra = 9 * strings.IndexByte(letters, n[8])
	}
	return n[7] == letters[(weighted(digits, 8, 7, 6, 5, 4, 3, 2)+extra)%23]
}

// checkLithuania: where the first weights leave 10, the second ones count.
func checkLithuania(n string) bool {
	last := len(n) - 1
	sum := func(from int) (sum int) {
		for i := range last {
			sum += digit(n[i]) * ((from+i)%9 + 1)
		}
		return sum % 11
	}
	check := sum(0)
	if check == 10 {
		check = sum(2) % 10
	}
	return check == digit(n[last])
}

// checkNetherlands: of companies the first nine digits have a check digit;
// since 2020 sole traders' ids as a whole leave 1 when divided by 97, letters
// counting as in an IBAN.
func checkNetherlands(n string) bool {
	return weighted(n, 9, 8, 7, 6, 5, 4, 3, 2)%11 == digit(n[8]) || remainder("2321"+n[:9]+"11"+n[10:], 97) == 1
}

// mod11And10 is the check of ISO 7064 of that name.
func mod11And10(n string) bool {
	product := 10
	for i := range len(n) - 1 {
		sum := (product + digit(n[i])) % 10
		if sum == 0 {
			sum = 10
		}
		product = sum * 2 % 11
	}
	return (product+digit(n[len(n)-1]))%10 == 1
}

// luhnSum adds the digits up, every second one from the right doubled, and of
// what has two digits then their sum.
func luhnSum(n string) (sum int) {
	for i := range n {
		d := digit(n[len(n)-1-i])
		if i%2 == 1 {
			d = 2*d/10 + 2*d%10
		}
		sum += d
	}
	return sum
}

// weighted adds up the first digits, each times its weight.
func weighted(n string, weights ...int) (sum int) {
	for i, w := range weights {
		sum += w * digit(n[i])
	}
	return sum
}

// remainder is what a number leaves when divided.
func remainder(n string, by int) (r int) {
	for i := range n {
		r = (10*r + digit(n[i])) % by
	}
	return r
}

func digit(c byte) int { return int(c - '0') }
