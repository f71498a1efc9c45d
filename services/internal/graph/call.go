package graph

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"

	"github.com/whatrack/connect/services/internal/secret"
)

// maxBody caps what is read of an answer. A page of 100 phone numbers has about 40 KB.
const maxBody = 1 << 20

// call is one request to Graph.
type call struct {
	method string
	id     string // of the object that the call is about
	path   string // below it, or below the version where there is no object; a constant
	query  url.Values
	form   url.Values    // the body of a POST, as a form
	json   []byte        // the body of a POST, as JSON
	bearer Credential    // sent as a header, with its proof in the query
	bare   bool          // without an object and a bearer: what it is about stands in its query or form
	hidden []secret.Text // further secrets of the request, kept out of every error

	// private marks the calls whose answers can hold a token, or what a customer wrote: of these no byte enters an error.
	private bool

	// once marks what must never arrive twice, a code to be spent, a message, a sync: one attempt on a connection of its own,
	// bounded by the context alone.
	once bool

	// urgent marks what is called though Meta throttles.
	urgent bool

	// asApp marks calls in the name of the app itself: a refused access token there is the app's, not a customer's.
	asApp bool
}

// answer is what came back, whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes one attempt and reads the answer.
func (c *Client) send(ctx context.Context, k call) (answer, error) {
	client := c.single
	caller := ctx
	if !k.once {
		client = c.shared
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Timeout)
		defer cancel()
	}
	out := &wire{}
	req, err := c.request(httptrace.WithClientTrace(ctx, out.trace()), k)
	if err != nil {
		return answer{}, err
	}
	if ctx.Err() != nil {
		return answer{}, c.silence(caller, ErrNotSent, k, ctx.Err().Error())
	}
	resp, err := client.Do(req)
	if err != nil {
		if out.untouched() {
			return answer{}, c.silence(caller, ErrNotSent, k, withoutURL(err).Error())
		}
		return answer{}, c.silence(caller, ErrNoVerdict, k, withoutURL(err).Error())
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		text := fmt.Sprintf("HTTP %d, cut short: %v", resp.StatusCode, err)
		return answer{}, c.silence(caller, ErrNoVerdict, k, text)
	}
	if len(body) > maxBody {
		text := fmt.Sprintf("HTTP %d, more than %d bytes", resp.StatusCode, maxBody)
		return answer{}, c.silence(caller, ErrNoVerdict, k, text)
	}
	return answer{resp.StatusCode, resp.Header, body}, nil
}

func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	if c.base == nil {
		return nil, fmt.Errorf("%w: the configured base URL can not be used", ErrNotSent)
	}
	target := c.base.JoinPath(c.cfg.Version, k.id, k.path)
	query := url.Values{}
	for name, values := range k.query {
		query[name] = values
	}
	if k.bearer.Proof != "" {
		query.Set("appsecret_proof", k.bearer.Proof)
	}
	target.RawQuery = query.Encode()

	body, contentType := k.body()
	req, err := http.NewRequestWithContext(ctx, k.method, target.String(), body)
	if err != nil { // its text may quote the URL
		return nil, fmt.Errorf("%w: the request can not be built", ErrNotSent)
	}
	if k.once {
		req.GetBody = nil // net/http repeats no request whose body it can not get again
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if !k.bearer.Token.IsEmpty() {
		req.Header.Set("Authorization", "Bearer "+k.bearer.Token.Reveal())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "whatrack-connect")
	return req, nil
}

func (k call) body() (io.Reader, string) {
	switch {
	case k.form != nil:
		return strings.NewReader(k.form.Encode()), "application/x-www-form-urlencoded"
	case k.json != nil:
		return strings.NewReader(string(k.json)), "application/json"
	default:
		return nil, ""
	}
}

// check refuses an id or a bearer that can not be sent. Ids become a part of the path.
func (k call) check() error {
	if k.bare {
		return nil
	}
	if !isID(k.id) {
		return fmt.Errorf("%w: an id has 1 to %d digits", ErrInvalidInput, maxIDLen)
	}
	return checkSecret("token", k.bearer.Token)
}

// named puts what was done before the error of a method.
func named(err *error, what string) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", what, *err)
	}
}

// succeed makes a call that answers {"success": true}. Anything else, false as well, is no verdict.
func (c *Client) succeed(ctx context.Context, k call) error {
	var got struct {
		Success flag `json:"success"`
	}
	if err := c.fetch(ctx, k, &got); err != nil {
		return err
	}
	if !got.Success {
		return c.silence(ctx, ErrNoVerdict, k, "HTTP 2xx without success")
	}
	return nil
}

// secrets are all that must not be seen of a request.
func (c *Client) secrets(k call) []secret.Text {
	return append([]secret.Text{c.cfg.AppSecret, k.bearer.Token}, k.hidden...)
}
