package licensing

// Codes of Error. They are stable.
const (
	MalformedQuestion = "malformed_question"
	QuestionTooLarge  = "question_too_large"

	SiteNotAllowed = "site_not_allowed"
	TooManySites   = "too_many_sites"

	InvalidKey    = "invalid_key"
	NoNextKey     = "no_next_key"
	InvalidClaims = "invalid_claims"

	TokenMalformed = "token_malformed"  // not a compact JWS with alg EdDSA and our claims
	TokenWrongType = "token_wrong_type" // another typ
	UnknownKey     = "unknown_key"      // a kid that is not among the keys
	BadSignature   = "bad_signature"
	WrongIssuer    = "wrong_issuer"
	WrongAudience  = "wrong_audience"
	TokenExpired   = "token_expired"
)

// Error is a refusal: a stable code, the field of the input that it speaks of
// (in the API's spelling, or empty), and words that never repeat what was
// submitted.
type Error struct {
	Code   string
	Field  string
	Detail string
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Code + ": " + e.Field + ": " + e.Detail
	}
	return e.Code + ": " + e.Detail
}

func refuse(code, detail string) *Error { return &Error{Code: code, Detail: detail} }
