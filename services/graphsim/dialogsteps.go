package graphsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	firstStep  = 0
	stepNumber = "number"

	// choices of a screen besides what exists already
	chooseNew   = "new"
	chooseApp   = "app"   // the number of the WhatsApp Business app: coexistence
	chooseLater = "later" // no number now

	maxName = 100 // characters
)

// step is one screen that is filled in.
type step struct {
	name string // of its template, and its data-step
	// current is Meta's current_step of somebody who gives up here.
	// Source: developers.facebook.com, WhatsApp > Embedded Signup > Errors.
	current string
	fields  []string // that it shows; all others travel hidden
}

func steps() []step {
	return []step{
		{"login", "", []string{"person"}},
		{"business", "BUSINESS_ACCOUNT_SELECTION", []string{"business", "business_name"}},
		{"waba", "WABA_PHONE_PROFILE_PICKER", []string{"waba"}},
		{"profile", "WHATSAPP_BUSINESS_PROFILE_SETUP", []string{"waba_name", "display_name"}},
		{stepNumber, "PHONE_NUMBER_SETUP", []string{"number", "phone_number", "fail"}},
		{"verify", "PHONE_NUMBER_VERIFICATION", []string{"code"}},
		{"permissions", "PERMISSIONS", nil},
	}
}

func stepIndex(name string) int {
	return slices.IndexFunc(steps(), func(s step) bool { return s.name == name })
}

// walk is what the person has answered so far, under the names of the forms' fields.
type walk struct {
	fields url.Values
	// session is the id that errors are reported under; the screen of an error has it.
	session string
}

func (k walk) get(name string) string { return k.fields.Get(name) }

// wabas are the WABAs to share, among them maybe a new one.
func (k walk) wabas() []string { return k.fields["waba"] }

func (k walk) existing() []string {
	return slices.DeleteFunc(slices.Clone(k.wabas()), func(id string) bool { return id == chooseNew })
}

// readWalk takes the fields of a form that are the dialog's.
func readWalk(form url.Values) (walk, error) {
	k := walk{fields: url.Values{}, session: form.Get("session")}
	for _, s := range steps() {
		for _, name := range s.fields {
			values := form[name]
			if len(values) > 1 && name != "waba" {
				return walk{}, fmt.Errorf("%s: given more than once", name)
			}
			for _, value := range values {
				value = strings.TrimSpace(value)
				if utf8.RuneCountInString(value) > maxName || !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
					return walk{}, fmt.Errorf("%s: want at most %d characters of text", name, maxName)
				}
				if value != "" && !slices.Contains(k.fields[name], value) {
					k.fields.Add(name, value)
				}
			}
		}
	}
	if k.session != "" && !isID(k.session) {
		return walk{}, errors.New("session: want digits")
	}
	return k, nil
}

// beginning has what is filled in when the dialog opens, by Meta's pre-filled data where the page gives any.
func (d *dialog) beginning() walk {
	setup := d.req.extras.prefilled
	k := walk{fields: url.Values{
		"person": {"Maria Silva"}, "business": {cmp.Or(setup.Business.ID, chooseNew)},
		"business_name": {cmp.Or(setup.Business.Name, "Padaria da Maria")}, "phone_number": {newDisplayNumber()},
	}}
	if setup.Phone.DisplayName != "" {
		k.fields.Set("display_name", setup.Phone.DisplayName)
	}
	return k
}

func (d *dialog) coexistence() bool { return d.req.extras.FeatureType == featureBizApp }

// skips tells whether the person has nothing to say on a screen.
func (d *dialog) skips(s step) bool {
	switch s.name {
	case "profile":
		return !slices.Contains(d.walk.wabas(), chooseNew)
	case "verify":
		return d.walk.get("number") != chooseNew && d.walk.get("number") != chooseApp
	default:
		return false
	}
}

// check tells what is wrong with a screen, "" when it is filled in.
func (d *dialog) check(s step) string {
	d.sim.mu.Lock()
	defer d.sim.mu.Unlock()
	k, w := d.walk, d.sim.world
	switch s.name {
	case "login":
		return d.complain(k.get("person") == "", d.words.WantName)
	case "business":
		if k.get("business") == chooseNew {
			return d.complain(k.get("business_name") == "", d.words.WantName)
		}
		return d.complain(!d.sim.isCustomer(k.get("business")), d.words.WantChoice)
	case "waba":
		foreign := slices.ContainsFunc(k.existing(), func(id string) bool {
			return w.WABAs[id] == nil || w.WABAs[id].BusinessID != k.get("business")
		})
		return d.complain(len(k.wabas()) == 0 || foreign, d.words.WantWABA)
	case "profile":
		return d.complain(k.get("waba_name") == "" || k.get("display_name") == "", d.words.WantName)
	case stepNumber:
		return d.checkNumber()
	case "verify":
		return d.complain(k.get("number") == chooseNew && k.get("code") != verificationCode(k.get("phone_number")), d.words.WrongCode)
	default:
		return ""
	}
}

func (d *dialog) complain(wrong bool, text string) string {
	if wrong {
		return text
	}
	return ""
}

// checkNumber: a number that exists must be of a chosen WABA, and another one must be nobody's. Callers hold mu.
func (d *dialog) checkNumber() string {
	k, w := d.walk, d.sim.world
	if fail := k.get("fail"); fail != "" && !slices.ContainsFunc(signupErrors(), func(e DialogError) bool { return e.Code == fail }) {
		return d.words.WantChoice
	}
	switch choice := k.get("number"); {
	case choice == chooseLater:
		return ""
	case choice == chooseApp && !d.coexistence():
		return d.words.WantChoice
	case choice == chooseNew, choice == chooseApp:
		number := digits(k.get("phone_number"))
		taken := slices.ContainsFunc(slices.Collect(maps.Values(w.Phones)), func(p *phone) bool {
			return digits(p.DisplayPhoneNumber) == number
		})
		if len(number) < 8 || len(number) > 15 || strings.Trim(k.get("phone_number"), "+0123456789-() ") != "" {
			return d.words.WantNumber
		}
		return d.complain(taken, d.words.NumberTaken)
	default:
		return d.complain(w.Phones[choice] == nil || !slices.Contains(k.existing(), w.Phones[choice].WABAID), d.words.WantChoice)
	}
}

// isCustomer tells whether an id is a business that can sign up: all but the operator's own. Callers hold mu.
func (s *Simulator) isCustomer(id string) bool {
	return s.world.Businesses[id] != nil && id != s.cfg.OwnBusinessID
}

// failure is the error that meets the person behind the number: the one that is set, or that they asked for.
func (d *dialog) failure() *DialogError {
	code, set := d.walk.get("fail"), DialogError{}
	if d.settings.Error != nil {
		set = *d.settings.Error
		code = set.Code
	}
	if code == "" {
		return nil
	}
	for _, known := range signupErrors() {
		if known.Code == code {
			set.Code, set.Message = code, cmp.Or(set.Message, known.Message)
		}
	}
	set.Event, set.Message = cmp.Or(set.Event, eventCancel), cmp.Or(set.Message, "Something went wrong.")
	return &set
}

// signUp is what the person chose, and what the popup tells the page about it.
func (d *dialog) signUp() (SignUp, *sessionInfo) {
	k := d.walk
	spec := d.settings.signUp()
	spec.Flow, spec.WABAs, spec.WABAIDs, spec.RedirectURI = FlowCloudAPI, List[WABA]{}, k.existing(), d.req.redirectURI
	event := eventFinish
	number := Phone{ID: newPhoneID(), DisplayPhoneNumber: displayNumber(k.get("phone_number"))}
	if slices.Contains(k.wabas(), chooseNew) {
		number.VerifiedName = k.get("display_name") // else the WABA's
	}
	added := List[Phone]{number}
	switch k.get("number") {
	case chooseNew:
	case chooseApp:
		spec.Flow, event = FlowCoexistence, eventFinishBizApp
	case chooseLater:
		number, added, event = Phone{}, List[Phone]{}, eventFinishOnlyWABA
	default:
		number, added = Phone{ID: k.get("number")}, List[Phone]{}
	}
	if k.get("business") == chooseNew {
		spec.BusinessName = k.get("business_name")
	} else {
		spec.BusinessID = k.get("business")
	}
	shared := slices.Clone(spec.WABAIDs)
	if slices.Contains(k.wabas(), chooseNew) {
		account := WABA{ID: newWABAID(), Name: k.get("waba_name"), Phones: added}
		spec.WABAs = List[WABA]{account}
		shared = append([]string{account.ID}, shared...)
	} else {
		spec.AddedPhones = added
	}
	return spec, d.sim.finished(event, number.ID, shared)
}

// finished is the session info of a signup that shared these WABAs; the number, if any, is of the first, or exists.
func (s *Simulator) finished(event, numberID string, shared []string) *sessionInfo {
	data := map[string]any{"waba_id": shared[0]}
	s.mu.Lock()
	if existing := s.world.Phones[numberID]; existing != nil {
		data["waba_id"] = existing.WABAID
	}
	s.mu.Unlock()
	if event == eventFinish {
		data["phone_number_id"] = numberID
	}
	if len(shared) > 1 && event != eventFinishBizApp { // of coexistence, the WABA alone is documented
		data["waba_ids"] = shared
	}
	return newSessionInfo(event, data)
}

// verificationCode is what the simulated SMS to a number says.
func verificationCode(number string) string {
	sum := sha256.Sum256([]byte(digits(number)))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum[:8])%1e6)
}

// displayNumber is a number in the form in which Graph shows it; of other countries than Brazil, without its groups.
func displayNumber(number string) string {
	n := digits(number)
	if len(n) == 13 && strings.HasPrefix(n, "55") {
		return "+55 " + n[2:4] + " " + n[4:9] + "-" + n[9:]
	}
	return "+" + n
}
