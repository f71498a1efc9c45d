package store

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// Account is Meta's last word on each matter of a WABA.
type Account map[Matter]Word

// Matter is something about a WABA on which Meta has one word at a time.
type Matter string

// The matters of a WABA.
const (
	MatterBan         Matter = "ban"
	MatterRestriction Matter = "restriction"
	MatterReview      Matter = "review"
	MatterDevice      Matter = "device" // of the WhatsApp Business app
)

// Word is what Meta said, as an ErrorReason; empty when all is well again.
type Word struct {
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	Until  *time.Time `json:"until,omitempty"` // absent: until it says otherwise
}

// reasons are those that stand now.
func (a Account) reasons(now time.Time) (reasons []string) {
	for _, matter := range []Matter{MatterBan, MatterRestriction, MatterReview, MatterDevice} {
		word := a[matter]
		if word.Reason != "" && (word.Until == nil || word.Until.After(now)) {
			reasons = append(reasons, word.Reason)
		}
	}
	return reasons
}

// ends is when the next word that has an end ends.
func (a Account) ends(now time.Time) (next *time.Time) {
	for _, word := range a {
		if word.Until != nil && word.Until.After(now) && (next == nil || word.Until.Before(*next)) {
			next = word.Until
		}
	}
	return next
}

// AccountFact is Meta's word about the account as a whole.
type AccountFact struct {
	// Event names it on the timeline.
	Event string
	// Reason goes there too, and what Meta says of it.
	Reason  string
	Details map[string]string
	// EndsAccess: the customer must connect again.
	EndsAccess bool
	// Matter is what Word is about; empty: the event is noted, and no more.
	Matter Matter
	Word   Word
}

// NumberFact is Meta's word about one number, which it names by its digits alone.
type NumberFact struct {
	Digits string
	// Nil parts were not said.
	Status, MessagingLimit, NameStatus, VerifiedName *string
	// Named: the word is about its display name, else about its quality.
	Named bool
	// Approved wakes a registration that waits for the name.
	Approved bool
	Event    string
	Details  map[string]string // for the timeline
}

// applyNews acts on a connection, unless the news are older than its last claim: Meta repeats for up to seven days, and
// its signature has no time.
func (s *Store) applyNews(tx *gorm.DB, c Connection, change Change, effect Effect) error {
	var claim Onboarding
	if err := tx.Where("id = ?", c.OnboardingID).Take(&claim).Error; err != nil {
		return err
	}
	at := change.ReceiveTime
	if change.EntryTime != nil {
		at = *change.EntryTime
	}
	if at.Before(claim.CreateTime.Truncate(time.Second)) {
		return nil
	}
	if effect.Account != nil && effect.Account.EndsAccess && c.provenAfter(at) {
		return nil
	}
	if effect.Account != nil {
		if err := s.applyAccount(tx, c, *effect.Account, at); err != nil {
			return err
		}
	}
	if effect.Number != nil {
		return s.applyNumber(tx, c, *effect.Number, at)
	}
	return nil
}

// provenAfter tells whether our access was proven after a time of Meta's, which has no fractions.
func (c *Connection) provenAfter(at time.Time) bool {
	return c.SubscriptionProven && c.SubscriptionTime != nil && at.Before(c.SubscriptionTime.Truncate(time.Second))
}

func (s *Store) applyAccount(tx *gorm.DB, c Connection, fact AccountFact, at time.Time) error {
	locked, err := lock[Connection](s, tx, c.ID)
	if err != nil {
		return err
	}
	switch {
	case fact.EndsAccess:
		if err := tx.Model(&Connection{}).Where("id = ?", c.ID).Update("access_reason", fact.Reason).Error; err != nil {
			return err
		}
	case fact.Matter != "":
		if at.Before(locked.Account[fact.Matter].At) {
			return nil // something newer was said
		}
		fact.Word.At = at
		if err := writeWord(tx, locked, fact.Matter, fact.Word); err != nil {
			return err
		}
	}
	return s.noteNews(tx, c, fact.Event, fact.Reason, fact.Details)
}

// noteNews writes on the timeline what Meta said, in our reason and its own words.
func (s *Store) noteNews(tx *gorm.DB, c Connection, event, reason string, details map[string]string) error {
	a := c.activity("META_"+event, "meta", reason)
	a.Metadata = details
	return s.note(tx, a)
}

func writeWord(tx *gorm.DB, c Connection, matter Matter, word Word) error {
	account := Account{matter: word}
	for m, w := range c.Account {
		if m != matter {
			account[m] = w
		}
	}
	return tx.Model(&Connection{}).Where("id = ?", c.ID).Select("account").Updates(Connection{Account: account}).Error
}

// forgetDevice: whoever signed up again has connected the app again, whether or not Meta says so.
func (s *Store) forgetDevice(tx *gorm.DB, connection uuid.UUID) error {
	var c Connection
	if err := tx.Where("id = ?", connection).Take(&c).Error; err != nil || c.Account[MatterDevice].Reason == "" {
		return err
	}
	return writeWord(tx, c, MatterDevice, Word{At: s.now()})
}

// applyNumber writes down what was said of a number, unless something newer was said or read. An approval wakes in any
// case: whoever read it has not woken the registration.
func (s *Store) applyNumber(tx *gorm.DB, c Connection, fact NumberFact, at time.Time) error {
	n, err := s.numberByDigits(tx, c.ID, fact.Digits)
	if err != nil || n == nil {
		return err
	}
	wakes := fact.Approved && n.Registration == WaitingForMeta
	columns := fact.columns(n, at)
	if len(columns) == 0 && !wakes {
		return nil
	}
	if wakes {
		columns["registration"], columns["reason"], columns["attempts"], columns["epoch"] = Pending, "", 0, n.Epoch+1
	}
	if err := tx.Model(&PhoneNumber{}).Where("connection_id = ? and phone_number_id = ?", c.ID, n.PhoneNumberID).Updates(columns).Error; err != nil {
		return err
	}
	if wakes && c.Live() {
		if err := s.enqueueRegistration(tx, c.ID, n.PhoneNumberID); err != nil {
			return err
		}
	}
	return s.noteNews(tx, c, fact.Event, "", fact.Details)
}

// columns are what becomes of a number by what was said of it at a time; none when something newer is known.
func (f *NumberFact) columns(n *PhoneNumber, at time.Time) map[string]any {
	since, heard := "quality_time", n.QualityTime
	if f.Named {
		since, heard = "name_time", n.NameTime
	}
	columns := map[string]any{}
	if after(heard, &at) {
		return columns
	}
	columns[since] = at
	for column, said := range map[string]*string{
		"status": f.Status, "messaging_limit": f.MessagingLimit, "name_status": f.NameStatus, "verified_name": f.VerifiedName,
	} {
		if said != nil {
			columns[column] = *said
		}
	}
	return columns
}

// numberByDigits finds a number by what it shows; nil when the connection has none such.
func (s *Store) numberByDigits(tx *gorm.DB, connection uuid.UUID, digits string) (*PhoneNumber, error) {
	known, err := s.knownNumbers(tx, connection)
	if err != nil {
		return nil, err
	}
	for _, n := range known {
		if n.Position != gone && OnlyDigits(n.DisplayPhoneNumber) == digits {
			return &n, nil
		}
	}
	return nil, nil
}

// OnlyDigits is a number without all that it is written with.
func OnlyDigits(shown string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, shown)
}
