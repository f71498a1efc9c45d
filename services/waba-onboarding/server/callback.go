package server

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"time"

	errorsv1 "github.com/whatrack/connect/gen/whatrack/errors/v1"
	"github.com/whatrack/connect/services/internal/fault"
	"github.com/whatrack/connect/services/internal/rpc"
	"github.com/whatrack/connect/services/internal/secret"
	"github.com/whatrack/connect/services/waba-onboarding/internal/onboarding"
)

// callbackPath is where Meta's full-page dialog leads back to.
const callbackPath = "/onboarding/callback"

// callbackTimeout bounds what a callback waits for by itself, whether or not the browser still does: it can not bring the
// code again. The spending of the code goes on beyond it.
const callbackTimeout = 10 * time.Second

// callback takes in what Meta's full-page dialog brings back, and sends the browser on to a URL without any of it.
type callback struct {
	finish func(context.Context, onboarding.Dialog) (secret.Text, error)
	log    *slog.Logger
}

// ServeHTTP implements http.Handler. Nothing of the request is shown or logged: it carries an authorization code.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet { // a HEAD must not spend a code
		c.log.WarnContext(r.Context(), "the dialog came back with another method than GET", "requestId", rpc.RequestID(r.Context()))
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), callbackTimeout)
	defer cancel()
	dialog, ok := parseDialog(r.URL.RawQuery)
	if !ok {
		c.refuse(w, r, fault.New(errorsv1.ErrorReason_INVALID_FIELD))
		return
	}
	dialog.UserAgent = r.UserAgent()
	location, err := c.finish(ctx, dialog)
	if err != nil {
		c.refuse(w, r, err)
		return
	}
	c.log.InfoContext(ctx, "the dialog came back", "withCode", !dialog.Code.IsEmpty(), "requestId", rpc.RequestID(ctx))
	w.Header().Set("Location", location.Reveal())
	w.WriteHeader(http.StatusSeeOther)
}

// refuse shows a page that says what to do. What the person can not mend is ours to look into.
func (c *callback) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, pages, level := http.StatusServiceUnavailable, tryAgainPages, slog.LevelError
	if why, ok := fault.As(err); ok {
		switch why.Reason() { //nolint:exhaustive // all others are ours
		case errorsv1.ErrorReason_INVALID_FIELD, errorsv1.ErrorReason_NOT_FOUND, errorsv1.ErrorReason_STATE_MISMATCH,
			errorsv1.ErrorReason_ONBOARDING_EXPIRED:
			status, pages, level = http.StatusBadRequest, startAgainPages, slog.LevelWarn
		}
	}
	c.log.Log(r.Context(), level, "the dialog came back in vain", "error", err, "requestId", rpc.RequestID(r.Context()))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(pages[fault.ParseLanguage(r.Header.Get("Accept-Language"))]))
}

var startAgainPages = map[fault.Language]string{
	fault.English: callbackPage("en", "This signup can not go on",
		"The link has expired or was used already. Nothing was lost: go back to the page where you began and press Connect WhatsApp again."),
	fault.Portuguese: callbackPage("pt-BR", "Não é possível continuar este cadastro",
		"O link expirou ou já foi usado. Nada se perdeu: volte à página onde você começou e pressione Conectar WhatsApp de novo."),
}

var tryAgainPages = map[fault.Language]string{
	fault.English: callbackPage("en", "One moment, please",
		"We could not save your signup just now. Reload this page; if it stays like this, go back to the page where you began and press Connect WhatsApp again."),
	fault.Portuguese: callbackPage("pt-BR", "Um momento, por favor",
		"Não conseguimos salvar seu cadastro agora. Recarregue esta página; se continuar assim, volte à página onde você começou e pressione Conectar WhatsApp de novo."),
}

func callbackPage(lang, title, text string) string {
	return `<!doctype html><html lang="` + lang + `"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
		`<title>` + title + `</title><h1>` + title + `</h1><p>` + text + `</p></html>` + "\n"
}

var (
	dialogState = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
	dialogCode  = regexp.MustCompile(`^[!-~]+$`)
)

const (
	maxQuery     = 12 << 10
	maxParameter = 4096
)

// parseDialog reads the query of a callback (RFC 6749, 4.1.2). Each parameter stands there once; what Meta adds beyond
// those that we know is left alone.
func parseDialog(query string) (onboarding.Dialog, bool) {
	values, err := url.ParseQuery(query)
	if err != nil || len(query) > maxQuery {
		return onboarding.Dialog{}, false
	}
	for _, name := range []string{"state", "code", "error", "error_code", "error_reason", "error_description"} {
		if len(values[name]) > 1 || len(values.Get(name)) > maxParameter {
			return onboarding.Dialog{}, false
		}
	}
	state, code := values.Get("state"), values.Get("code")
	if !dialogState.MatchString(state) || values.Has("code") == values.Has("error") || (values.Has("code") && !dialogCode.MatchString(code)) {
		return onboarding.Dialog{}, false
	}
	return onboarding.Dialog{
		State: secret.New(state), Code: secret.New(code), Error: values.Get("error"),
		ErrorCode:    cmp.Or(values.Get("error_code"), values.Get("error")),
		ErrorMessage: cmp.Or(values.Get("error_description"), values.Get("error_reason")),
	}, true
}
