package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// Registration is whether a number works on the Cloud API.
type Registration string

// The registrations of a number.
const (
	NotNeeded          Registration = "NOT_NEEDED"
	Pending            Registration = "PENDING"
	Registered         Registration = "REGISTERED"
	WaitingForMeta     Registration = "WAITING_FOR_META"
	PINRequired        Registration = "PIN_REQUIRED"
	RegistrationFailed Registration = "FAILED"
)

// PhoneNumber is a number of a WABA. What is Meta's stands as Meta wrote it.
type PhoneNumber struct {
	ConnectionID       uuid.UUID `gorm:"primaryKey"`
	PhoneNumberID      string    `gorm:"primaryKey"`
	Position           int
	DisplayPhoneNumber string
	VerifiedName       string
	Status             string
	QualityRating      string
	PlatformType       string
	Coexistence        bool
	NameStatus         string
	Verification       string // whether it is proven to be its owner's
	MessagingLimit     string
	CanSendMessage     string
	Registration       Registration
	Reason             string
	Attempts           int
	Epoch              int64
	PIN                []byte `gorm:"column:pin"`
	PINKeyID           uint32 `gorm:"column:pin_key_id"`
	RunTime            *time.Time
	QualityTime        *time.Time // of Meta's last word on its quality, told or read
	NameTime           *time.Time // of Meta's last word on its name, told or read

	// Metadata are the variables of the reason: Meta's last word on the registration.
	Metadata map[string]string `gorm:"serializer:json" json:"-"`
	// Said is what EndRegistration keeps in Metadata and on the timeline.
	Said map[string]string `gorm:"-" json:"-"`

	// Sync holds the parts of a coexistence number's sync, contacts first, loaded for readers.
	Sync []SyncPart `gorm:"-" json:"-"`
}

// RegisterArgs is the job that registers a phone number.
type RegisterArgs struct {
	ConnectionID  uuid.UUID `json:"connectionId"`
	PhoneNumberID string    `json:"phoneNumberId"`
}

// Kind implements river.JobArgs.
func (RegisterArgs) Kind() string { return "register_phone_number" }

// writeFacts writes what Meta says of a WABA and its numbers. Our own part of a number, its registration and PIN, stays,
// but for what Meta's word decides: a number that needs no registration any more has none pending.
func (s *Store) writeFacts(tx *gorm.DB, connection uuid.UUID, facts WabaFacts) error {
	columns := map[string]any{"name": facts.Name, "business_id": facts.BusinessID}
	if err := tx.Model(&Connection{}).Where("id = ?", connection).Updates(columns).Error; err != nil {
		return err
	}
	known, err := s.knownNumbers(tx, connection)
	if err != nil {
		return err
	}
	ids := make([]string, 0, len(facts.PhoneNumbers))
	for i, n := range facts.PhoneNumbers {
		n.ConnectionID, n.Position = connection, i
		if old, ok := known[n.PhoneNumberID]; ok {
			n.keep(old)
		}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&n).Error; err != nil {
			return err
		}
		ids = append(ids, n.PhoneNumberID)
	}
	missing := tx.Model(&PhoneNumber{}).Where("connection_id = ?", connection)
	if len(ids) > 0 {
		missing = missing.Where("phone_number_id not in ?", ids)
	}
	return missing.Updates(map[string]any{"position": gone, "run_time": nil, "epoch": gorm.Expr("epoch + 1")}).Error
}

// gone is the position of a number that Meta no longer lists. Its PIN is kept: should the number come back, nobody else
// knows it.
const gone = -1

func (s *Store) knownNumbers(tx *gorm.DB, connection uuid.UUID) (map[string]PhoneNumber, error) {
	var rows []PhoneNumber
	if err := s.db.ForUpdate(tx).Where("connection_id = ?", connection).Find(&rows).Error; err != nil {
		return nil, err
	}
	known := map[string]PhoneNumber{}
	for _, n := range rows {
		known[n.PhoneNumberID] = n
	}
	return known, nil
}

// keep carries our own part of a number over.
func (n *PhoneNumber) keep(old PhoneNumber) {
	n.PIN, n.PINKeyID, n.Epoch = old.PIN, old.PINKeyID, old.Epoch
	n.keepNews(old)
	switch {
	case old.Registration == Registered && n.registrationStands():
		n.Registration = Registered
	case n.Registration == Pending && old.Registration != NotNeeded && old.Registration != Registered:
		n.Registration, n.Reason, n.Metadata, n.Attempts, n.RunTime = old.Registration, old.Reason, old.Metadata, old.Attempts, old.RunTime
	case n.Registration == NotNeeded && old.PIN != nil && n.PlatformType == CloudAPI && !n.Coexistence:
		n.Registration = Registered // by us: the answer was lost, or is on its way
		n.Epoch++
	case n.Registration != old.Registration:
		n.Epoch++ // an attempt that is under way has nothing to say any more
	}
}

// CloudAPI is the platform of a number that is registered, as Meta writes it.
const CloudAPI = "CLOUD_API"

// registrationStands tells whether Meta says nothing against that a number is registered: it may be deregistered, or have
// been elsewhere meanwhile.
func (n *PhoneNumber) registrationStands() bool {
	return n.PlatformType == CloudAPI || n.PlatformType == ""
}

// Registers tells whether there is any use in registering a number.
func (n *PhoneNumber) Registers() bool {
	return !n.Coexistence && (n.Registration != Registered || !n.registrationStands())
}

// unverified tells whether a number waits for its owner's proof. One that is on the Cloud API has given it, whether or not
// it is still good.
func (n *PhoneNumber) unverified() bool {
	return !n.Coexistence && !n.registrationStands() && n.Verification != "" && n.Verification != "VERIFIED"
}

// keepNews keeps what Meta told of a number after it was read: what a claim read waits for its end.
func (n *PhoneNumber) keepNews(old PhoneNumber) {
	if after(old.QualityTime, n.QualityTime) {
		n.QualityTime, n.Status, n.MessagingLimit = old.QualityTime, old.Status, old.MessagingLimit
	}
	if after(old.NameTime, n.NameTime) {
		n.NameTime, n.NameStatus, n.VerifiedName = old.NameTime, old.NameStatus, old.VerifiedName
	}
}

// after tells whether something was said after something else; what was never said is older than all.
func after(a, b *time.Time) bool { return a != nil && (b == nil || a.After(*b)) }

func attachPhoneNumbers(tx *gorm.DB, connections []*Connection) error {
	ids := make([]uuid.UUID, 0, len(connections))
	byID := map[uuid.UUID]*Connection{}
	for _, c := range connections {
		ids = append(ids, c.ID)
		byID[c.ID] = c
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []PhoneNumber
	if err := tx.Where("connection_id in ? and position <> ?", ids, gone).Order("connection_id, position").Find(&rows).Error; err != nil {
		return err
	}
	numbers := make([]*PhoneNumber, 0, len(rows))
	for i := range rows {
		numbers = append(numbers, &rows[i])
	}
	if err := attachSyncs(tx, numbers); err != nil {
		return err
	}
	for _, n := range rows {
		c := byID[n.ConnectionID]
		c.PhoneNumbers = append(c.PhoneNumbers, n)
	}
	return nil
}

// registerAnew enqueues the registration of each number that needs one. One that failed, or that rests until its next try,
// is tried again: its customer was here, and may have mended what Meta said against it.
func (s *Store) registerAnew(tx *gorm.DB, connection uuid.UUID) error {
	failed := tx.Model(&PhoneNumber{}).Where("connection_id = ? and registration = ?", connection, RegistrationFailed)
	if err := failed.Updates(pending()).Error; err != nil {
		return err
	}
	resting := tx.Model(&PhoneNumber{}).Where("connection_id = ? and registration = ?", connection, Pending)
	if err := resting.Update("run_time", nil).Error; err != nil {
		return err
	}
	return s.registerPending(tx, connection)
}

// registerPending enqueues the registration of each number that needs one and has no job yet.
func (s *Store) registerPending(tx *gorm.DB, connection uuid.UUID) error {
	var ids []string
	query := tx.Model(&PhoneNumber{}).
		Where("connection_id = ? and registration = ? and run_time is null and position <> ?", connection, Pending, gone)
	if err := query.Pluck("phone_number_id", &ids).Error; err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.enqueueRegistration(tx, connection, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) enqueueRegistration(tx *gorm.DB, connection uuid.UUID, phone string) error {
	update := tx.Model(&PhoneNumber{}).Where("connection_id = ? and phone_number_id = ?", connection, phone).
		Updates(map[string]any{"run_time": s.now().Add(slack)})
	if update.Error != nil {
		return update.Error
	}
	return s.queue.Add(tx.Statement.Context, tx, RegisterArgs{connection, phone})
}

// pending are the columns of a number whose registration begins anew.
func pending() map[string]any {
	return map[string]any{"registration": Pending, "reason": "", "metadata": nil, "attempts": 0, "epoch": gorm.Expr("epoch + 1")}
}

// Sealed is the ciphertext of a PIN or of a destination's secret, and the key that opens it.
type Sealed struct {
	Ciphertext []byte
	KeyID      uint32
}

// StartRegistration makes a number PENDING once more, with a new PIN where one is given. ErrNotFound when the
// connection has no such number; ErrDisconnecting when it no longer writes to Meta.
func (s *Store) StartRegistration(ctx context.Context, c Connection, phone string, pin *Sealed, actor string) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		current, err := lock[Connection](s, tx, c.ID)
		if err != nil {
			return err
		}
		if !current.Live() {
			return ErrDisconnecting
		}
		columns := pending()
		if pin != nil {
			columns["pin"], columns["pin_key_id"] = pin.Ciphertext, pin.KeyID
		}
		update := tx.Model(&PhoneNumber{}).
			Where("connection_id = ? and phone_number_id = ? and coexistence = ? and position <> ?", c.ID, phone, false, gone)
		if err := database.OneRow(update.Updates(columns), ErrNotFound); err != nil {
			return err
		}
		if err := s.note(tx, c.activity("NUMBER_REGISTRATION_STARTED", actor, "")); err != nil {
			return err
		}
		if err := s.enqueueRegistration(tx, c.ID, phone); err != nil {
			return err
		}
		return s.reassess(tx, c.ID)
	})
}

// BeginRegistration writes down, before anything is sent, that a number is about to be registered, and with which PIN:
// the one that it has, or the given one if it has none yet. The epoch fences twins: ErrFenced.
func (s *Store) BeginRegistration(ctx context.Context, n PhoneNumber, pin Sealed) (begun PhoneNumber, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		columns := map[string]any{"attempts": n.Attempts + 1, "epoch": n.Epoch + 1, "run_time": s.now().Add(jobLife)}
		if n.PIN == nil {
			columns["pin"], columns["pin_key_id"] = pin.Ciphertext, pin.KeyID
		}
		if err := database.OneRow(n.unchanged(tx).Updates(columns), ErrFenced); err != nil {
			return err
		}
		begun = PhoneNumber{}
		return tx.Where("connection_id = ? and phone_number_id = ?", n.ConnectionID, n.PhoneNumberID).Take(&begun).Error
	})
	return begun, err
}

// unchanged is the row of a number if nobody changed its registration since it was read.
func (n *PhoneNumber) unchanged(tx *gorm.DB) *gorm.DB {
	return tx.Model(&PhoneNumber{}).
		Where("connection_id = ? and phone_number_id = ? and epoch = ?", n.ConnectionID, n.PhoneNumberID, n.Epoch)
}

// EndRegistration writes down what came of an attempt; with a delay, there is another one then.
func (s *Store) EndRegistration(ctx context.Context, n PhoneNumber, outcome Registration, reason string, delay time.Duration) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		c, err := lock[Connection](s, tx, n.ConnectionID)
		if err != nil {
			return err
		}
		columns := map[string]any{"registration": outcome, "reason": reason, "metadata": nil, "epoch": n.Epoch + 1, "run_time": nil}
		if n.Said != nil {
			said, err := json.Marshal(n.Said)
			if err != nil {
				return err
			}
			columns["metadata"] = string(said)
		}
		if delay > 0 {
			columns["run_time"] = s.now().Add(delay + slack)
		}
		if err := database.OneRow(n.unchanged(tx).Updates(columns), ErrFenced); err != nil {
			return err
		}
		if outcome != n.Registration {
			told := c.activity("NUMBER_"+string(outcome), "", reason)
			told.Metadata = n.Said
			if err := s.note(tx, told); err != nil {
				return err
			}
		}
		return s.reassess(tx, n.ConnectionID)
	})
}

// RecordNumber writes down how one number stands by Meta's word. What it is called does not follow from that, and stays.
// A connection that was given up keeps what it last knew.
func (s *Store) RecordNumber(ctx context.Context, n PhoneNumber, said PhoneNumber) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		c, err := lock[Connection](s, tx, n.ConnectionID)
		if err != nil || !c.Live() {
			return err
		}
		update := tx.Model(&PhoneNumber{}).Where("connection_id = ? and phone_number_id = ?", n.ConnectionID, n.PhoneNumberID).
			Select("status", "quality_rating", "platform_type", "verification", "name_status", "messaging_limit", "can_send_message", "quality_time").Updates(said)
		if update.Error != nil {
			return update.Error
		}
		return s.reassess(tx, n.ConnectionID)
	})
}

// PostponeReading says when a registered number is to be read; without a delay, never.
func (s *Store) PostponeReading(ctx context.Context, n PhoneNumber, delay time.Duration) error {
	var at *time.Time
	if delay > 0 {
		at = ptr(s.now().Add(delay + slack))
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return database.OneRow(n.unchanged(tx).Update("run_time", at), ErrFenced)
	})
}

// FindNumber reads one number, for the job that registers it.
func (s *Store) FindNumber(ctx context.Context, connection uuid.UUID, phone string) (PhoneNumber, error) {
	return read(ctx, s, func(tx *gorm.DB, n *PhoneNumber) error {
		return tx.Where("connection_id = ? and phone_number_id = ? and position <> ?", connection, phone, gone).Take(n).Error
	})
}
