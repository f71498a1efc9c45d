package fault

import "strings"

// Language is one that our sentences exist in.
type Language string

// The languages of the catalogue.
const (
	English    Language = "en"
	Portuguese Language = "pt-BR"
)

// ParseLanguage reads an Accept-Language header (RFC 9110, 12.5.4). The first language that we speak is taken, in the
// order written: browsers write them by preference, and weights among two languages decide nothing more, but that a weight
// of 0 says no.
func ParseLanguage(header string) Language {
	for _, tag := range strings.Split(header, ",") {
		tag, parameters, _ := strings.Cut(tag, ";")
		if refused(parameters) {
			continue
		}
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		switch primary {
		case "pt":
			return Portuguese
		case "en":
			return English
		}
	}
	return English
}

// refused tells a weight of 0, which may have up to three decimals.
func refused(parameters string) bool {
	name, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(parameters, " ", "")), "=")
	return name == "q" && strings.HasPrefix(weight, "0") && strings.Trim(weight, "0.") == ""
}
