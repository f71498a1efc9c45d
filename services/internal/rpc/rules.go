package rpc

import (
	"regexp"
	"strings"
	"sync"
)

// reasonOf names a rule of protovalidate as reasons are written: string.max_len is STRING_MAX_LEN.
func reasonOf(id string) string { return strings.ToUpper(strings.ReplaceAll(id, ".", "_")) }

// ruleInPortuguese says in Portuguese what a broken rule says in English; nothing where it has no words.
func ruleInPortuguese(id, english string) string {
	known, ok := sentences()[id]
	if !ok || !known.english.MatchString(english) {
		return ""
	}
	return known.english.ReplaceAllString(english, known.portuguese)
}

type sentence struct {
	english    *regexp.Regexp
	portuguese string
}

// sentences are those of the rules that the contract uses, by their id. A test finds what is missing.
var sentences = sync.OnceValue(func() map[string]sentence {
	say := func(english, portuguese string) sentence {
		return sentence{regexp.MustCompile("^" + english + "$"), portuguese}
	}
	between := say("must be greater than or equal to (.+) and less than or equal to (.+)", "deve estar entre $1 e $2")
	return map[string]sentence{
		"duration.gte_lte":   between,
		"enum.defined_only":  say("value must be one of the defined enum values", "deve ser um dos valores definidos"),
		"int32.gte_lte":      between,
		"repeated.max_items": say(`must contain no more than (\d+) item\(s\)`, "deve ter no máximo $1 itens"),
		"string.max_bytes":   say(`must be at most (\d+) bytes`, "deve ter no máximo $1 bytes"),
		"string.max_len":     say(`must be at most (\d+) characters`, "deve ter no máximo $1 caracteres"),
		"string.min_len":     say(`must be at least (\d+) characters`, "deve ter pelo menos $1 caractere(s)"),
		"string.pattern":     say("does not match regex pattern `(.+)`", "não tem o formato `$1`"),
		"string.uuid":        say("must be a valid UUID", "deve ser um UUID válido"),
	}
})
