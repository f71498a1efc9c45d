package graphsim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// reply is an answer that is not sent yet, so that a fault can still change, delay or lose it.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func jsonReply(status int, v any) reply {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return reply{status: http.StatusInternalServerError, header: http.Header{}}
	}
	return reply{
		status: status,
		header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}},
		body:   bytes.TrimRight(b.Bytes(), "\n"),
	}
}

// call is one Graph request while it is worked on. The simulator's lock is held meanwhile.
type call struct {
	sim    *Simulator
	world  *world
	now    time.Time
	req    graphRequest
	params params

	handshake *handshake // see verifyCallback
}

// graphRequest is what a call needs of the HTTP request.
type graphRequest struct {
	method  string
	origin  string // scheme and host, for links to further pages
	version string
	path    string // without the version
	bearer  string
}

// requestOf is what the work needs of an HTTP request.
func requestOf(r *http.Request) graphRequest {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	version, path := splitVersion(r.URL.Path)
	return graphRequest{
		method: r.Method, origin: scheme + "://" + r.Host, version: version, path: path, bearer: bearer(r),
	}
}

// work does what a request asks for and answers it. Everything happens in one critical section, but for asking a
// callback, after which all of it happens again.
func (s *Simulator) work(req graphRequest, p params) reply {
	c := &call{sim: s, req: req, params: p}
	answer, failure := c.run()
	if asked := c.handshake; asked != nil {
		asked.verdict = s.shakeHands(asked.callback, asked.token)
		answer, failure = c.run()
	}
	if failure != nil {
		return failure.reply()
	}
	return jsonReply(http.StatusOK, answer)
}

func (c *call) run() (any, *Error) {
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	c.world, c.now = c.sim.world, c.sim.now()
	return c.route()
}

// route finds the handler. A handler answers a value for JSON, or an Error.
func (c *call) route() (any, *Error) {
	if c.req.version == "" {
		// Meta sends unversioned calls to its oldest version, which nobody should depend on: refused here.
		return nil, unknownPath(c.req.path)
	}
	segments := strings.Split(strings.TrimPrefix(c.req.path, "/"), "/")
	switch {
	case c.req.path == "/oauth/access_token":
		return c.only(c.accessToken, http.MethodGet, http.MethodPost)
	case c.req.path == "/oauth/revoke":
		return c.only(c.revoke, http.MethodGet, http.MethodPost)
	case c.req.path == "/debug_token":
		return c.only(c.debugToken, http.MethodGet)
	case c.req.path == "/me":
		return c.only(c.me, http.MethodGet)
	case len(segments) == 1 && isID(segments[0]):
		return c.only(func() (any, *Error) { return c.node(segments[0]) }, http.MethodGet)
	case len(segments) == 2 && isID(segments[0]) && segments[1] != "":
		return c.edge(segments[0], segments[1])
	default:
		return nil, unknownPath(c.req.path)
	}
}

// only refuses other methods, as Meta does for nodes that do not support an operation.
func (c *call) only(handle func() (any, *Error), methods ...string) (any, *Error) {
	for _, method := range methods {
		if c.req.method == method {
			return handle()
		}
	}
	return nil, &Error{
		Code: 100, Type: typeMethod, Message: "Unsupported " + strings.ToLower(c.req.method) + " request. Please read the " +
			"Graph API documentation at https://developers.facebook.com/docs/graph-api",
	}
}

// edge serves /{id}/{name}. To an edge that a node does not have, Meta answers a GET like a nonexisting field and a
// POST like an unknown path.
func (c *call) edge(id, name string) (any, *Error) {
	object, err := c.object(id)
	if err != nil {
		return nil, err
	}
	switch {
	case object.waba != nil && name == "phone_numbers" && c.req.method == http.MethodGet:
		return c.phoneNumbers(object.waba)
	case object.waba != nil && name == "subscribed_apps":
		return c.subscribedApps(object.waba)
	case object.app && name == "subscriptions":
		return c.appSubscriptions()
	case object.phone != nil && c.req.method == http.MethodPost && name == "register":
		return c.register(object.phone)
	case object.phone != nil && c.req.method == http.MethodPost && name == "messages":
		return c.messages(object.phone)
	case object.phone != nil && c.req.method == http.MethodPost && name == "smb_app_data":
		return c.smbAppData(object.phone)
	case c.req.method == http.MethodGet:
		return nil, nonexistingField(name, object.nodeType())
	default:
		return nil, unknownPath("/" + name)
	}
}

// splitVersion cuts the version off a path: "/v25.0/me" is "v25.0" and "/me". Without a version it is "".
func splitVersion(path string) (version, rest string) {
	first, rest, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !found || !isVersion(first) {
		return "", path
	}
	return first, "/" + strings.TrimSuffix(rest, "/")
}

// isVersion tells whether s is v<digits>.<digits>.
func isVersion(s string) bool {
	major, minor, found := strings.Cut(s, ".")
	return found && strings.HasPrefix(major, "v") && isID(major[1:]) && isID(minor)
}
