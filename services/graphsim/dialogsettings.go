package graphsim

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Orders in which the popup tells the page that opened it the code and the session info.
const (
	OrderSessionFirst = "session_first"
	OrderCodeFirst    = "code_first"
	OrderSessionNever = "session_never"
	OrderCodeNever    = "code_never" // FB.login answers {authResponse: null}, though the signup is done
)

// Dialog is how the signup dialog acts, from now on. The zero value is as it acts by itself.
type Dialog struct {
	// Order is one of the Order constants, default OrderSessionFirst. It counts for a cancelled signup too, whose answer
	// has no code.
	Order string `json:"order,omitempty"`
	// DelayMs between the two. They leave at once when the person closes the window.
	DelayMs int64 `json:"delayMs,omitempty"`
	// AsObject posts the session info as an object, as some of Meta's builds do, not as a JSON string.
	AsObject bool `json:"asObject,omitempty"`
	// Error meets everybody who has chosen a number.
	Error *DialogError `json:"error,omitempty"`

	// What a signup through the dialog gives, as in SignUp.
	Token        TokenSpec `json:"token,omitzero"`
	Granular     string    `json:"granular,omitempty"`
	PartnerAdded string    `json:"partnerAdded,omitempty"`
}

// DialogError is an error of Embedded Signup, which the page hears of when the person reports it.
type DialogError struct {
	Code    string `json:"code"`              // digits, 3441041
	Message string `json:"message,omitempty"` // default: what Meta's documentation says of the code
	// Event is CANCEL (default) or ERROR: Meta's pages name both.
	Event string `json:"event,omitempty"`
}

// SetDialog does what POST /_sim/dialog does. It panics on a Dialog that the control plane would refuse.
func (s *Simulator) SetDialog(d Dialog) {
	if err := s.setDialog(d); err != nil {
		panic(fmt.Sprintf("graphsim.SetDialog: %v", err))
	}
}

func (s *Simulator) setDialog(d Dialog) error {
	if err := d.validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.Dialog = d
	s.persist()
	return nil
}

func (d Dialog) validate() error {
	faults := []error{
		oneOf("order", cmp.Or(d.Order, OrderSessionFirst), OrderSessionFirst, OrderCodeFirst, OrderSessionNever, OrderCodeNever),
		Sending{DelayMs: d.DelayMs}.validate(),
		d.signUp().withDefaults().validate(),
	}
	if d.Error != nil {
		faults = append(faults, oneOf("error.event", cmp.Or(d.Error.Event, eventCancel), eventCancel, eventError))
		if !isID(d.Error.Code) {
			faults = append(faults, fmt.Errorf("error.code %q: want digits", d.Error.Code))
		}
	}
	return errors.Join(faults...)
}

// signUp begins what a person does in the dialog.
func (d Dialog) signUp() SignUp {
	return SignUp{Token: d.Token, Granular: d.Granular, PartnerAdded: d.PartnerAdded}
}

func (s *Simulator) dialogSettings() Dialog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Dialog
}

func (s *Simulator) controlShowDialog(w http.ResponseWriter, _ *http.Request) {
	answerControl(w, s.dialogSettings(), nil)
}

func (s *Simulator) controlSetDialog(w http.ResponseWriter, r *http.Request) {
	var d Dialog
	if readControl(w, r, &d) {
		answerControl(w, struct{}{}, s.setDialog(d))
	}
}

// posts are messages for the page that opened the popup, in the order in which they leave.
type posts struct {
	Posts   []popupPost `json:"posts"`
	DelayMs int64       `json:"delayMs"` // between any two
	AfterMs int64       `json:"afterMs"` // when they leave by themselves
}

type popupPost struct {
	To   string `json:"to"` // an origin, or *
	Data any    `json:"data"`
}

// autoFinish is when the last screen finishes by itself: well within the life of the code that it holds.
const autoFinish = 20 * time.Second

// arrange puts what the popup has to say into the order that is set. info is nil when Meta says nothing.
func (d Dialog) arrange(info *sessionInfo, answer popupPost) posts {
	said := posts{Posts: []popupPost{}, DelayMs: d.DelayMs}
	if info != nil && d.Order != OrderSessionNever {
		said.Posts = append(said.Posts, popupPost{To: "*", Data: info.message(d.AsObject)})
	}
	if d.Order != OrderCodeNever {
		said.Posts = append(said.Posts, answer)
	}
	if d.Order == OrderCodeFirst {
		slices.Reverse(said.Posts)
	}
	return said
}
