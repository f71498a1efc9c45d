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
// order written: browsers write them by preference, and weights among two languages decide nothing more.
func ParseLanguage(header string) Language {
	for _, tag := range strings.Split(header, ",") {
		tag, _, _ = strings.Cut(tag, ";")
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
