package graphsim

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// checkPattern refuses patterns that could never match.
func checkPattern(pattern string) error {
	if strings.Contains(pattern, "?") {
		return fmt.Errorf("path pattern %q: the query is no part of the path, use params", pattern)
	}
	if _, err := path.Match(pattern, ""); errors.Is(err, path.ErrBadPattern) {
		return fmt.Errorf("path pattern %q: %w", pattern, err)
	}
	return nil
}

// matchPath tells whether a request's path matches a pattern. Versions count for neither. Within a segment * stands
// for anything; the pattern "" or "*" alone stands for every path.
func matchPath(pattern, requestPath string) bool {
	if pattern == "" || pattern == "*" {
		return true
	}
	_, want := splitVersion("/" + strings.TrimPrefix(pattern, "/"))
	_, got := splitVersion(requestPath)
	matched, err := path.Match(strings.TrimSuffix(want, "/"), got)
	return err == nil && matched
}
