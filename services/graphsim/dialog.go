package graphsim

import (
	"net/http"
	"net/url"
)

// maxForm bounds a form of the dialog.
const maxForm = 64 << 10

// dialog is one request of a person who walks through Embedded Signup. What they answered so far travels in the forms,
// since there is nothing secret in it and nothing then remains of a walk that is given up.
type dialog struct {
	sim      *Simulator
	req      dialogRequest
	settings Dialog
	words    *words
	walk     walk
}

// serveDialog serves /dialog/oauth: GET begins, and each POST is one screen filled in.
func (s *Simulator) serveDialog(w http.ResponseWriter, r *http.Request) {
	d := &dialog{sim: s, settings: s.dialogSettings(), words: wordsFor(r)}
	req, refused := s.readDialog(r)
	if refused != nil {
		d.refuse(w, refused)
		return
	}
	d.req = req
	switch r.Method {
	case http.MethodGet:
		d.walk = d.beginning()
		d.show(w, firstStep, "")
	case http.MethodPost:
		d.submit(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

// submit takes a screen that the person filled in, and does what the pressed button says.
func (d *dialog) submit(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		d.refuse(w, &dialogRefusal{"Invalid Request", "The form could not be read."})
		return
	}
	at := stepIndex(r.PostForm.Get("step"))
	walked, err := readWalk(r.PostForm)
	if at < 0 || err != nil {
		d.refuse(w, &dialogRefusal{"Invalid Request", "The form is none of the dialog's."})
		return
	}
	d.walk = walked
	switch r.PostForm.Get("do") {
	case "next":
		d.next(w, r, at)
	case "back":
		d.show(w, d.before(at), "")
	case "again": // after an error
		d.show(w, at, "")
	case "cancel":
		d.cancel(w, r, steps()[at])
	case "report":
		d.report(w, r)
	default:
		d.refuse(w, &dialogRefusal{"Invalid Request", "The form says nothing to do."})
	}
}

// next goes on from a screen if it and all before it are filled in: the forms are the person's to change.
func (d *dialog) next(w http.ResponseWriter, r *http.Request, at int) {
	all := steps()
	for i, earlier := range all[:at+1] {
		if d.skips(earlier) {
			continue
		}
		if complaint := d.check(earlier); complaint != "" {
			d.show(w, i, complaint)
			return
		}
		if earlier.name == stepNumber && d.failure() != nil {
			d.showFailure(w)
			return
		}
	}
	for i := at + 1; i < len(all); i++ {
		if !d.skips(all[i]) {
			d.show(w, i, "")
			return
		}
	}
	d.finish(w, r)
}

// before is the screen that comes before this one, or the first.
func (d *dialog) before(at int) int {
	for i := at - 1; i > 0; i-- {
		if !d.skips(steps()[i]) {
			return i
		}
	}
	return firstStep
}

// finish makes what the person chose, and hands over the code.
func (d *dialog) finish(w http.ResponseWriter, r *http.Request) {
	spec, info := d.signUp()
	done, err := d.sim.signUp(spec)
	if err != nil {
		d.refuse(w, &dialogRefusal{"Error", err.Error()})
		return
	}
	if info.Event != eventFinishBizApp {
		info.Data["business_id"] = done.BusinessID
	}
	d.end(w, r, "done", info, url.Values{"code": {done.Code}})
}

// cancel gives up. Embedded Signup only begins behind the login, so before it there is no session info.
func (d *dialog) cancel(w http.ResponseWriter, r *http.Request, at step) {
	var info *sessionInfo
	if at.current != "" {
		info = cancelled(at.current)
	}
	d.end(w, r, "cancelled", info, denied())
}

// report gives up with the error that the person saw.
func (d *dialog) report(w http.ResponseWriter, r *http.Request) {
	e := d.failure()
	if e == nil {
		d.refuse(w, &dialogRefusal{"Invalid Request", "There is no error to report."})
		return
	}
	d.sim.mu.Lock()
	now := d.sim.now()
	d.sim.mu.Unlock()
	d.end(w, r, "cancelled", reported(*e, d.walk.session, now), denied())
}

// denied is what an app hears of somebody who cancelled.
// Source: developers.facebook.com, Facebook Login > Manually build a login flow > Canceled login.
func denied() url.Values {
	return url.Values{
		"error": {"access_denied"}, "error_code": {"200"}, "error_description": {"Permissions error"},
		"error_reason": {"user_denied"},
	}
}

// end answers whoever opened the dialog: a redirect, or a last page that posts the session info and the answer.
func (d *dialog) end(w http.ResponseWriter, r *http.Request, screen string, info *sessionInfo, answer url.Values) {
	if d.req.redirectURI != "" {
		pageHeaders(w, "")
		http.Redirect(w, r, d.redirection(answer), http.StatusSeeOther)
		return
	}
	answer.Set("cb", d.req.channel.callback)
	said := d.settings.arrange(info, popupPost{To: d.req.channel.origin, Data: answer.Encode()})
	if screen == "done" {
		said.AfterMs = autoFinish.Milliseconds()
	}
	d.render(w, http.StatusOK, screen, &view{Posts: &said})
}

// redirection is the redirect URI with the answer; what its own query says stays.
func (d *dialog) redirection(answer url.Values) string {
	if d.req.state != "" {
		answer.Set("state", d.req.state)
	}
	separator := "?"
	if u, err := url.Parse(d.req.redirectURI); err == nil && u.RawQuery != "" {
		separator = "&"
	}
	return d.req.redirectURI + separator + answer.Encode()
}
