package graphsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// view is what a screen of the dialog shows.
type view struct {
	W         *words
	App       string
	Page      string // the template, and data-step
	Complaint string
	Walk      map[string]string
	Hidden    []field
	Options   []option
	Shared    []string
	Errors    []DialogError
	Error     *DialogError
	Session   string
	Code      string
	QR        string // the path of an SVG
	First     bool
	Refusal   *dialogRefusal
	Posts     *posts
}

// field is a form's hidden field.
type field struct{ Name, Value string }

// option is one of a list to choose from.
type option struct {
	Value, Label, Note string
	Checked            bool
}

// PostsJSON is for the script of the last page.
func (v *view) PostsJSON() (string, error) {
	text, err := json.Marshal(v.Posts)
	return string(text), err
}

// show shows a screen to fill in.
func (d *dialog) show(w http.ResponseWriter, at int, complaint string) {
	current := steps()[at]
	v := &view{Complaint: complaint, First: at == firstStep, Hidden: d.hidden(current)}
	d.sim.mu.Lock()
	d.fill(v, current.name)
	d.sim.mu.Unlock()
	name := current.name
	if name == "verify" && d.walk.get("number") == chooseApp {
		name = "scan"
	}
	d.render(w, http.StatusOK, name, v)
}

// showFailure shows the error that meets the person behind the number.
func (d *dialog) showFailure(w http.ResponseWriter) {
	at := steps()[stepIndex(stepNumber)]
	at.fields = nil
	d.render(w, http.StatusOK, "failed", &view{Error: d.failure(), Session: newID("", 15), Hidden: d.hidden(at)})
}

// refuse shows an error page: the dialog does not open, or not go on.
func (d *dialog) refuse(w http.ResponseWriter, why *dialogRefusal) {
	d.render(w, http.StatusBadRequest, "refused", &view{Refusal: why})
}

func (d *dialog) render(w http.ResponseWriter, status int, name string, v *view) {
	target := ""
	if d.req.redirectURI != "" {
		target = "*" // the app sends the person on to wherever it likes, and browsers hold each redirect to form-action
	}
	pageHeaders(w, target)
	v.W, v.App, v.Page = d.words, appName, name
	d.sim.renderPage(w, status, name, v)
}

// hidden are the answers of the other screens, and which screen this one is.
func (d *dialog) hidden(at step) []field {
	list := []field{{"step", at.name}}
	for _, s := range steps() {
		for _, name := range s.fields {
			if slices.Contains(at.fields, name) {
				continue
			}
			for _, value := range d.walk.fields[name] {
				list = append(list, field{name, value})
			}
		}
	}
	return list
}

// fill gives a screen what it shows. Callers hold mu.
func (d *dialog) fill(v *view, name string) {
	v.Walk = map[string]string{}
	for field := range d.walk.fields {
		v.Walk[field] = d.walk.get(field)
	}
	number := displayNumber(d.walk.get("phone_number"))
	switch name {
	case "business":
		v.Options = d.businesses()
	case "waba":
		v.Options = d.accounts()
	case "profile":
		v.Walk["waba_name"] = cmp.Or(v.Walk["waba_name"], d.businessName())
		v.Walk["display_name"] = cmp.Or(v.Walk["display_name"], v.Walk["waba_name"])
	case stepNumber:
		v.Options, v.Errors = d.numbers(), signupErrors()
	case "verify":
		v.Walk["phone_number"], v.Code, v.QR = number, verificationCode(number), qrPath(number)
	case "permissions":
		v.Shared = d.sharedNames()
	}
}

// businesses are all that could sign up, and a new one. Callers hold mu.
func (d *dialog) businesses() []option {
	list := []option{}
	for id, b := range d.sim.world.Businesses {
		if d.sim.isCustomer(id) {
			list = append(list, option{Value: id, Label: b.Name, Note: id})
		}
	}
	sortOptions(list)
	return choose(append(list, option{Value: chooseNew, Label: d.words.NewBusiness}), d.walk.fields["business"])
}

// accounts are the WABAs of the chosen business, and a new one. Callers hold mu.
func (d *dialog) accounts() []option {
	list := []option{}
	for id, account := range d.sim.world.WABAs {
		if account.BusinessID == d.walk.get("business") {
			list = append(list, option{Value: id, Label: account.Name, Note: id})
		}
	}
	sortOptions(list)
	return choose(append(list, option{Value: chooseNew, Label: d.words.NewWABA}), d.walk.wabas())
}

// numbers are the app's, those of the chosen WABAs, a new one and none. Callers hold mu.
func (d *dialog) numbers() []option {
	list := []option{}
	if d.coexistence() {
		list = append(list, option{Value: chooseApp, Label: d.words.AppNumber, Note: d.words.AppNote})
	}
	for _, id := range d.walk.existing() {
		account := d.sim.world.WABAs[id]
		if account == nil {
			continue
		}
		for _, phoneID := range account.PhoneIDs {
			p := d.sim.world.Phones[phoneID]
			list = append(list, option{Value: phoneID, Label: p.DisplayPhoneNumber, Note: p.VerifiedName})
		}
	}
	list = append(list, option{Value: chooseNew, Label: d.words.NewNumber},
		option{Value: chooseLater, Label: d.words.LaterNumber, Note: d.words.LaterNote})
	return choose(list, d.walk.fields["number"])
}

// businessName of the chosen business. Callers hold mu.
func (d *dialog) businessName() string {
	if b := d.sim.world.Businesses[d.walk.get("business")]; b != nil {
		return b.Name
	}
	return d.walk.get("business_name")
}

// sharedNames are what the person is about to share. Callers hold mu.
func (d *dialog) sharedNames() []string {
	names := []string{d.businessName()}
	for _, id := range d.walk.wabas() {
		name := d.walk.get("waba_name")
		if account := d.sim.world.WABAs[id]; account != nil {
			name = account.Name
		}
		names = append(names, name)
	}
	switch choice := d.walk.get("number"); {
	case choice == chooseLater:
	case d.sim.world.Phones[choice] != nil:
		names = append(names, d.sim.world.Phones[choice].DisplayPhoneNumber)
	default:
		names = append(names, displayNumber(d.walk.get("phone_number")))
	}
	return names
}

func sortOptions(list []option) {
	slices.SortFunc(list, func(a, b option) int { return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Value, b.Value)) })
}

// choose checks what was chosen before, or else the first.
func choose(list []option, chosen []string) []option {
	found := false
	for i := range list {
		list[i].Checked = slices.Contains(chosen, list[i].Value)
		found = found || list[i].Checked
	}
	list[0].Checked = list[0].Checked || !found
	return list
}

// qrPath draws something that looks like a QR code of 21 by 21 modules: three finders, and noise that follows from text.
func qrPath(text string) string {
	const size = 21
	noise := []byte{}
	for i := range 2 {
		sum := sha256.Sum256([]byte(fmt.Sprint(i, text)))
		noise = append(noise, sum[:]...)
	}
	var path strings.Builder
	for y := range size {
		for x := range size {
			bit := y*size + x
			dark := noise[bit/8%len(noise)]>>(bit%8)&1 == 1
			for _, corner := range [][2]int{{0, 0}, {size - 7, 0}, {0, size - 7}} {
				dx, dy := x-corner[0], y-corner[1]
				if dx >= -1 && dy >= -1 && dx <= 7 && dy <= 7 {
					ring := max(dx-3, 3-dx, dy-3, 3-dy)
					dark = ring != 2 && ring != 4
				}
			}
			if dark {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return path.String()
}
