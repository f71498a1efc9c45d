package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/whatrack/connect/services/internal/secret"
)

// Entry is one caller as CALLERS_FILE lists it: {"callers": [{"name": "whatrack-web", "sha256": "…", "role": "editor",
// "organizations": ["*"]}]}. At least one of SHA256 and SAN is there.
type Entry struct {
	Name string `json:"name"`
	// SHA256 is the hex SHA-256 of a bearer token.
	SHA256 string `json:"sha256,omitempty"`
	// SAN is a DNS or URI name of a client certificate.
	SAN           string   `json:"san,omitempty"`
	Role          string   `json:"role,omitempty"`
	Organizations []string `json:"organizations,omitempty"`
	RPCs          []string `json:"rpcs,omitempty"`
}

// Options say what a service needs to know of its callers.
type Options struct {
	// Organizations makes each caller's list of organizations required. Without it the list is ignored.
	Organizations bool
	// RPCs makes each caller's list of RPCs required.
	RPCs bool
	// Known are the names that such a list may have beside All; none: any.
	Known []string
	// NoCertificates says that nobody's certificate is verified, so that a SAN would never be found.
	NoCertificates bool
}

// maxFile bounds CALLERS_FILE: some five thousand callers.
const maxFile = 1 << 20

var (
	callerName = regexp.MustCompile(`^[A-Za-z0-9._@:/-]{1,128}$`)
	hexSHA256  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	rpcName    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}$`)
)

// parse reads CALLERS_FILE. It refuses fields that it does not know: a misspelt "organizations" must not go unseen.
func parse(data []byte) ([]Entry, error) {
	var file struct {
		Callers []Entry `json:"callers"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("not the JSON of a callers file: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not the JSON of a callers file: something follows the object")
	}
	return file.Callers, nil
}

// faults lists everything that is wrong with one entry by itself.
func (e Entry) faults(opts Options) []string {
	var out []string
	check := func(ok bool, format string, args ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	check(callerName.MatchString(e.Name), "name must be 1 to 128 letters, digits or . _ @ : / -")
	check(e.SHA256 != "" || e.SAN != "", "sha256 or san is required")
	check(e.SHA256 == "" || hexSHA256.MatchString(strings.ToLower(e.SHA256)), "sha256 must be 64 hex digits")
	check(strings.ToLower(e.SHA256) != secret.Text{}.Fingerprint(), "sha256 is that of an empty token")
	check(!strings.ContainsAny(e.SAN, " \t\r\n*"), "san must be one DNS or URI name, without spaces or *")
	check(e.SAN == "" || !opts.NoCertificates, "san needs TLS_CA_FILE: without it no certificate is verified, and the caller is never known")
	_, known := parseRole(e.Role)
	check(known, "role must be viewer, editor or admin")
	for _, rpc := range e.RPCs {
		known := len(opts.Known) == 0 || slices.Contains(opts.Known, rpc)
		check(rpc == All || rpcName.MatchString(rpc) && known, "rpcs: %.64q is not the name of an RPC of ours", rpc)
	}
	check(!opts.RPCs || len(e.RPCs) > 0, "rpcs is required; * is all")
	if !opts.Organizations {
		return out
	}
	check(len(e.Organizations) > 0, "organizations is required; * is all")
	for _, id := range e.Organizations {
		check(id == All || organizationID.MatchString(id), "organizations: %q is not an organization id", id)
		check(id != All || len(e.Organizations) == 1, "organizations: * stands alone")
	}
	return out
}

func (e Entry) caller(opts Options) *Caller {
	role, _ := parseRole(e.Role)
	c := &Caller{Name: e.Name, Role: role, RPCs: e.RPCs}
	if opts.Organizations {
		c.Organizations = e.Organizations
	}
	return c
}
