package graph

import (
	"errors"
	"net/http"
)

// Verdict is what an error of ExchangeCode means for the code.
type Verdict int

// The verdicts. In doubt a code counts as spent: a second attempt could only hear that the first one spent it.
const (
	OutcomeUnknown   Verdict = iota // the code may be spent or not
	NotSent                         // the code is untouched: no byte was written
	CodeExpired                     // 36007
	CodeUsed                        // 36009
	RedirectMismatch                // 36008
	CodeInvalid                     // 100 otherwise
	AppRejected                     // the app id or the app secret is wrong
	RateLimited                     // the app is throttled
	Rejected                        // any other refusal by Meta
)

// The subcodes of 100 that the token endpoint gives for codes. Here alone they are the only thing that tells.
const (
	subcodeCodeExpired = 36007
	subcodeRedirect    = 36008
	subcodeUsed        = 36009
)

// VerdictOf reads an error of ExchangeCode. Texts stand in for the subcode, which some versions leave out.
func VerdictOf(err error) Verdict {
	var said *Error
	switch {
	case errors.Is(err, ErrInvalidInput):
		return CodeInvalid
	case errors.Is(err, ErrNotSent):
		return NotSent
	case !errors.As(err, &said) || said.Status >= http.StatusInternalServerError:
		return OutcomeUnknown
	case said.Code == 100:
		return said.codeVerdict()
	case said.AppRejected():
		return AppRejected
	case said.RateLimited():
		return RateLimited
	case said.Temporary():
		return OutcomeUnknown
	default:
		return Rejected
	}
}

func (e *Error) codeVerdict() Verdict {
	switch {
	case e.AppRejected():
		return AppRejected
	case e.Subcode == subcodeUsed || e.says("has been used"):
		return CodeUsed
	case e.Subcode == subcodeCodeExpired || e.says("code has expired"):
		return CodeExpired
	case e.Subcode == subcodeRedirect || e.says("redirect_uri"):
		return RedirectMismatch
	case e.Transient:
		return OutcomeUnknown
	default:
		return CodeInvalid
	}
}
