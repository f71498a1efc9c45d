package graphsim

import (
	"strings"
)

// node is a Graph object with all its fields, before a request chose among them.
type node struct {
	typeName string
	defaults []string // answered when the request names no fields
	fields   map[string]any
}

// selectFields answers the fields that a request names, and id always. One that the type does not have fails the
// request. A field without a value is left out of the answer, as Graph does.
func (n node) selectFields(p params) (map[string]any, *Error) {
	wanted := map[string]string{}
	if p.get("fields") == "" {
		for _, name := range n.defaults {
			wanted[name] = ""
		}
	} else {
		parsed, err := parseFields(p.get("fields"))
		if err != nil {
			return nil, err
		}
		wanted = parsed
	}
	answer := map[string]any{"id": n.fields["id"]}
	for name, within := range wanted {
		value, known := n.fields[name]
		if !known {
			return nil, nonexistingField(name, n.typeName)
		}
		value, err := selectWithin(value, within)
		if err != nil {
			return nil, err
		}
		if value != nil && value != "" {
			answer[name] = value
		}
	}
	return answer, nil
}

// selectWithin applies the inner selection of owner_business_info{id,name}. Of inner names Graph ignores those that it
// does not know.
func selectWithin(value any, within string) (any, *Error) {
	object, isObject := value.(map[string]any)
	if within == "" || !isObject {
		return value, nil
	}
	names, err := parseFields(within)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	for name := range names {
		if inner, ok := object[name]; ok {
			answer[name] = inner
		}
	}
	return answer, nil
}

// parseFields splits "id,owner_business_info{id,name}" into names with their inner selections. Modifiers such as
// .limit(5) are for edges, which no node here expands, and are dropped.
func parseFields(s string) (map[string]string, *Error) {
	fields := map[string]string{}
	for rest, more := s, true; more; {
		var item string
		var ok bool
		item, rest, more, ok = cutField(rest)
		name, within, nested := strings.Cut(item, "{")
		name, _, _ = strings.Cut(strings.TrimSpace(name), ".")
		if !ok || (name == "" && strings.TrimSpace(rest+item) != "") {
			return nil, &Error{Code: 2500, Type: typeOAuth, Message: "Syntax error \"Expected name.\" in fields: " + s}
		}
		if nested {
			within = strings.TrimSuffix(strings.TrimSpace(within), "}")
		}
		if name != "" {
			fields[name] = within
		}
	}
	return fields, nil
}

// cutField cuts at the first comma that no brace or parenthesis encloses. ok is false when these do not match.
func cutField(s string) (item, rest string, more, ok bool) {
	depth := 0
	for i, r := range s {
		switch r {
		case '{', '(':
			depth++
		case '}', ')':
			depth--
		case ',':
			if depth == 0 {
				return s[:i], s[i+1:], true, true
			}
		}
		if depth < 0 {
			return "", "", false, false
		}
	}
	return s, "", false, depth == 0
}

func nonexistingField(name, typeName string) *Error {
	return paramError("Tried accessing nonexisting field (%s) on node type (%s)", name, typeName)
}
