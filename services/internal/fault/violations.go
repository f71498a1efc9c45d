package fault

import (
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
)

// Violation is one field that breaks a rule. Field is its JSON path. Reason names the rule and never changes its meaning;
// Description and Portuguese say it to people.
type Violation struct{ Field, Reason, Description, Portuguese string }

// Field is INVALID_FIELD for one field, by its JSON path. The description is one of the list below.
func Field(field, description string) *Error {
	known := rules()[description]
	return Fields([]Violation{{field, known.reason, description, known.portuguese}})
}

// Fields is INVALID_FIELD for several fields.
func Fields(violations []Violation) *Error {
	return &Error{reason: errorsv1.ErrorReason_INVALID_FIELD, violations: violations}
}

// text is empty where there are no words in that language.
func (v Violation) text(lang Language) string {
	if lang == Portuguese {
		return v.Portuguese
	}
	return v.Description
}

func (v Violation) proto(lang Language) *errdetails.BadRequest_FieldViolation {
	out := &errdetails.BadRequest_FieldViolation{Field: v.Field, Reason: v.Reason, Description: v.Description}
	if text := v.text(lang); text != "" {
		out.LocalizedMessage = &errdetails.LocalizedMessage{Locale: string(lang), Message: text}
	}
	return out
}

func violationOf(p *errdetails.BadRequest_FieldViolation) Violation {
	v := Violation{p.GetField(), p.GetReason(), p.GetDescription(), rules()[p.GetDescription()].portuguese}
	if said := p.GetLocalizedMessage(); said.GetLocale() == string(Portuguese) {
		v.Portuguese = said.GetMessage()
	}
	return v
}

type rule struct{ reason, portuguese string }

// rules lists what Field is told, in English, with the name of the rule and its Portuguese. The rules that stand in the
// contract have their words in rpc.
var rules = sync.OnceValue(func() map[string]rule {
	return map[string]rule{
		"did not arrive whole":                     {"INCOMPLETE", "não chegou inteiro"},
		"does not fit this method":                 {"DOES_NOT_FIT", "não serve para este método"},
		"excludes another that is there":           {"ONE_OF", "exclui outro que já está lá"},
		"goes with no organization named":          {"ORGANIZATION_NAMED", "só vale sem organização indicada"},
		"holds a NUL character":                    {"NUL_CHARACTER", "contém um caractere NUL"},
		"is no JSON":                               {"NOT_JSON", "não é JSON"},
		"is not a cursor of this organization":     {"FOREIGN_CURSOR", "não é um cursor desta organização"},
		"is not a message of this method":          {"WRONG_TYPE", "não é uma mensagem deste método"},
		"is not a page token of this list":         {"FOREIGN_PAGE_TOKEN", "não é um token de página desta lista"},
		"is not percent-encoded as it should be":   {"PERCENT_ENCODING", "não está codificado como deveria"},
		"is settled by whoever made the link":      {"SETTLED_BY_LINK", "é definido por quem criou o link"},
		"must be UTF-8":                            {"NOT_UTF8", "deve ser UTF-8"},
		"must be a JSON object":                    {"WRONG_TYPE", "deve ser um objeto JSON"},
		"must be a list":                           {"WRONG_TYPE", "deve ser uma lista"},
		"must be an object of values that fit":     {"WRONG_TYPE", "deve ser um objeto com valores que servem"},
		"must be change.… for META_RAW":            {"NOT_A_CHANGE", "deve ser change.… para META_RAW"},
		"must be one JSON object and nothing else": {"WRONG_TYPE", "deve ser um objeto JSON e nada mais"},
		"must not begin with a byte order mark":    {"BYTE_ORDER_MARK", "não pode começar com uma marca de ordem de bytes"},
		"must stand in the body, not in the URL":   {"NOT_IN_URL", "deve vir no corpo, não no endereço"},
		"stands there twice":                       {"REPEATED", "aparece duas vezes"},
		"there is no such field":                   {"UNKNOWN_FIELD", "não existe um campo assim"},

		"is not a page token of this list, organization and filter": {
			"FOREIGN_PAGE_TOKEN", "não é um token de página desta lista, organização e filtro",
		},
		"is required, unless you claim one of the operator's own WABAs by wabaId": {
			"REQUIRED", "é obrigatório, a não ser para uma conta própria do operador, indicada por wabaId",
		},
		"must be 1 to 64 letters, digits, dots, underscores or hyphens": {
			"NOT_AN_ORGANIZATION_ID", "deve ter de 1 a 64 letras, algarismos, pontos, sublinhados ou hifens",
		},
		"must be an absolute https URL without user and fragment": {
			"NOT_AN_HTTPS_URL", "deve ser um endereço https completo, sem usuário e sem fragmento",
		},
		"must be one of ALLOWED_REDIRECT_URIS, letter by letter": {
			"NOT_AN_ALLOWED_REDIRECT", "deve ser um dos endereços de ALLOWED_REDIRECT_URIS, letra por letra",
		},
		"must be named: the account has several numbers": {
			"REQUIRED", "deve ser informado: a conta tem vários números",
		},
		"must be whsec_ and the base64 of 24 to 64 bytes": {
			"NOT_A_WEBHOOK_SECRET", "deve ser whsec_ seguido do base64 de 24 a 64 bytes",
		},
	}
})
