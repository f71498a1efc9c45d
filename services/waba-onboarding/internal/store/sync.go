package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// SyncState is how far a part of a sync got.
type SyncState string

// The states of a part.
const (
	SyncPending   SyncState = "PENDING"
	SyncRequested SyncState = "REQUESTED"
	SyncRunning   SyncState = "RUNNING"
	SyncDone      SyncState = "DONE"
	SyncDeclined  SyncState = "DECLINED"
	SyncFailed    SyncState = "FAILED"
	SyncUnknown   SyncState = "UNKNOWN"
)

// The parts of a sync, in the order in which Meta is asked for them, which is their order as texts too.
const (
	SyncContacts = "CONTACTS"
	SyncHistory  = "HISTORY"
)

// SyncWindow is how long after a signup Meta can be asked.
const SyncWindow = 24 * time.Hour

// SyncPart is a part of what a coexistence number brings along. A part whose request time is set is never asked for
// again. One part of a number has its turn at a time: the one with a run time.
type SyncPart struct {
	ConnectionID  uuid.UUID `gorm:"primaryKey"`
	PhoneNumberID string    `gorm:"primaryKey"`
	Part          string    `gorm:"primaryKey"`
	State         SyncState
	Reason        string
	OnboardTime   time.Time
	RequestTime   *time.Time
	UpdateTime    time.Time
	RequestID     string
	Progress      int
	ItemCount     int64
	Attempts      int
	Offboarded    bool
	Epoch         int64
	RunTime       *time.Time
}

// SyncArgs is the job that asks for the next part of a number.
type SyncArgs struct {
	ConnectionID  uuid.UUID `json:"connectionId"`
	PhoneNumberID string    `json:"phoneNumberId"`
}

// Kind implements river.JobArgs.
func (SyncArgs) Kind() string { return "sync_phone_number" }

// startSyncs gives each coexistence number of a claim its parts, and the first its turn. What was asked for stays as it
// is, unless the number left since: then this signup onboarded it anew, and Meta hands everything out once more.
func (s *Store) startSyncs(tx *gorm.DB, o *Onboarding) error {
	var phones []string
	query := tx.Model(&PhoneNumber{}).Where("connection_id = ? and coexistence = ? and position <> ?", *o.ConnectionID, true, gone)
	if err := query.Order("position").Pluck("phone_number_id", &phones).Error; err != nil {
		return err
	}
	for _, phone := range phones {
		for _, part := range []string{SyncContacts, SyncHistory} {
			fresh := SyncPart{
				ConnectionID: *o.ConnectionID, PhoneNumberID: phone, Part: part, State: SyncPending,
				OnboardTime: o.CreateTime, UpdateTime: s.now(), Epoch: 1,
			}
			if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
				return err
			}
			left := fresh.row(tx).Where("offboarded = ? and onboard_time < ?", true, o.CreateTime).Updates(map[string]any{
				"state": SyncPending, "reason": "", "onboard_time": o.CreateTime, "request_time": nil, "request_id": "",
				"update_time": s.now(), "progress": 0, "item_count": 0, "offboarded": false, "epoch": gorm.Expr("epoch + 1"),
			})
			if left.Error != nil {
				return left.Error
			}
		}
		if err := s.nextSync(tx, *o.ConnectionID, phone); err != nil {
			return err
		}
	}
	return nil
}

// nextSync gives the first part of a number that was not asked for its turn.
func (s *Store) nextSync(tx *gorm.DB, connection uuid.UUID, phone string) error {
	query := tx.Where("connection_id = ? and phone_number_id = ? and state = ? and request_time is null", connection, phone, SyncPending)
	first, err := database.First[SyncPart](query.Order("part"))
	if err != nil || first == nil {
		return err
	}
	turn := first.row(tx).Updates(map[string]any{"run_time": s.now().Add(slack), "attempts": 0})
	if turn.Error != nil {
		return turn.Error
	}
	return s.queue.Add(tx.Statement.Context, tx, SyncArgs{connection, phone})
}

// row is the part's row.
func (p *SyncPart) row(tx *gorm.DB) *gorm.DB {
	return tx.Model(&SyncPart{}).
		Where("connection_id = ? and phone_number_id = ? and part = ?", p.ConnectionID, p.PhoneNumberID, p.Part)
}

// DueSync reads the part of a number whose turn it is.
func (s *Store) DueSync(ctx context.Context, connection uuid.UUID, phone string) (SyncPart, error) {
	return read(ctx, s, func(tx *gorm.DB, p *SyncPart) error {
		return tx.Where("connection_id = ? and phone_number_id = ? and run_time is not null", connection, phone).
			Order("part").Take(p).Error
	})
}

// Asking tells whether somebody who may be alive is asking for a part: Meta was asked, and the answer is not on record.
func (s *Store) Asking(p SyncPart) bool {
	return p.RequestTime != nil && s.now().Sub(*p.RequestTime) < jobLife
}

// BeginSync writes down, before Meta is asked, that it was asked. The epoch fences twins: ErrFenced.
func (s *Store) BeginSync(ctx context.Context, p SyncPart) (begun SyncPart, err error) {
	begun = p
	begun.RequestTime, begun.Epoch = ptr(s.now()), p.Epoch+1
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		mine := p.row(tx).Where("epoch = ? and state = ? and request_time is null", p.Epoch, SyncPending)
		return database.OneRow(mine.Updates(map[string]any{
			"request_time": *begun.RequestTime, "epoch": begun.Epoch, "run_time": begun.RequestTime.Add(jobLife),
		}), ErrFenced)
	})
	return begun, err
}

// SyncOutcome is what came of an attempt. A part that stays PENDING was not asked for, and is tried again after Delay.
type SyncOutcome struct {
	State     SyncState
	Reason    string
	RequestID string
	Delay     time.Duration
}

// EndSync writes down what came of an attempt. A part of which something arrived in the meantime keeps what that says.
// What is over gives the next part its turn.
func (s *Store) EndSync(ctx context.Context, p SyncPart, o SyncOutcome) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		var now SyncPart
		mine := s.db.ForUpdate(tx).Where("connection_id = ? and phone_number_id = ? and part = ? and epoch = ?",
			p.ConnectionID, p.PhoneNumberID, p.Part, p.Epoch)
		if err := mine.Take(&now).Error; errors.Is(err, ErrNotFound) {
			return ErrFenced
		} else if err != nil {
			return err
		}
		again := o.State == SyncPending && now.State == SyncPending
		columns := map[string]any{"epoch": p.Epoch + 1, "run_time": nil, "request_id": o.RequestID}
		if now.State == SyncPending {
			columns["state"], columns["reason"], columns["update_time"] = o.State, o.Reason, s.now()
		}
		if again {
			columns["run_time"], columns["request_time"] = s.now().Add(o.Delay+slack), nil
			columns["attempts"] = p.Attempts + 1
		}
		if err := p.row(tx).Updates(columns).Error; err != nil || again {
			return err
		}
		if now.State == SyncPending || o.State == SyncRequested { // that it was asked for, though what came of it was quicker
			if err := s.noteSync(tx, p, o.State, o.Reason); err != nil {
				return err
			}
		}
		return s.nextSync(tx, p.ConnectionID, p.PhoneNumberID)
	})
}

// noteSync writes the state that a part reached onto the timeline: SYNC_CONTACTS_REQUESTED and the like.
func (s *Store) noteSync(tx *gorm.DB, p SyncPart, state SyncState, reason string) error {
	var c Connection
	if err := tx.Select("id", "organization_id").Where("id = ?", p.ConnectionID).Take(&c).Error; err != nil {
		return err
	}
	return s.note(tx, c.activity("SYNC_"+p.Part+"_"+string(state), "", reason))
}

// idleSyncs ends all turns of a connection that was given up. What was being asked for then stays unknown.
func (s *Store) idleSyncs(tx *gorm.DB, connection uuid.UUID) error {
	lost := tx.Model(&SyncPart{}).Where("connection_id = ? and state = ? and request_time is not null", connection, SyncPending).
		Updates(map[string]any{"state": SyncUnknown, "update_time": s.now()})
	if lost.Error != nil {
		return lost.Error
	}
	return tx.Model(&SyncPart{}).Where("connection_id = ?", connection).
		Updates(map[string]any{"run_time": nil, "epoch": gorm.Expr("epoch + 1")}).Error
}

// offboard marks the parts of a WABA's numbers when Meta says that they left us: their next signup is a new onboarding,
// for which Meta hands everything out again. What is older than the signup says nothing about it: Meta repeats.
func (s *Store) offboard(tx *gorm.DB, change Change, fact *AccountFact) error {
	if fact == nil || (fact.Event != "PARTNER_REMOVED" && fact.Event != "PARTNER_APP_UNINSTALLED" && fact.Event != "ACCOUNT_DELETED") {
		return nil
	}
	at := change.ReceiveTime
	if change.EntryTime != nil {
		at = change.EntryTime.Add(time.Second) // Meta's times have no fractions
	}
	ours := tx.Session(&gorm.Session{NewDB: true}).Model(&Connection{}).Select("id").Where("waba_id = ?", change.WabaID)
	return tx.Model(&SyncPart{}).Where("connection_id in (?) and onboard_time < ?", ours, at).Update("offboarded", true).Error
}

func attachSyncs(tx *gorm.DB, numbers []*PhoneNumber) error {
	var ids []uuid.UUID
	byNumber := map[SyncArgs]*PhoneNumber{}
	for _, n := range numbers {
		if n.Coexistence {
			ids = append(ids, n.ConnectionID)
			byNumber[SyncArgs{n.ConnectionID, n.PhoneNumberID}] = n
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var parts []SyncPart
	if err := tx.Where("connection_id in ?", ids).Order("part").Find(&parts).Error; err != nil {
		return err
	}
	for _, p := range parts {
		if n := byNumber[SyncArgs{p.ConnectionID, p.PhoneNumberID}]; n != nil {
			n.Sync = append(n.Sync, p)
		}
	}
	return nil
}

// quiet is after which silence the contacts count as complete: Meta marks no end of them.
const quiet = 10 * time.Minute

// sweepSyncs enqueues again what no job came for, and ends contacts of which no more came.
func (s *Store) sweepSyncs(ctx context.Context) error {
	found, err := read(ctx, s, func(tx *gorm.DB, found *struct{ late, complete []SyncPart }) error {
		if err := tx.Where("run_time < ?", s.now()).Limit(sweepBatch).Find(&found.late).Error; err != nil {
			return err
		}
		return tx.Where("state = ? and part = ? and update_time < ?", SyncRunning, SyncContacts, s.now().Add(-quiet)).
			Limit(sweepBatch).Find(&found.complete).Error
	})
	for _, p := range found.late {
		row := sweepRow{
			&SyncPart{}, "run_time", "connection_id = ? and phone_number_id = ? and part = ?", []any{p.ConnectionID, p.PhoneNumberID, p.Part},
		}
		err = errors.Join(err, s.again(ctx, row, SyncArgs{p.ConnectionID, p.PhoneNumberID}))
	}
	for _, p := range found.complete {
		err = errors.Join(err, s.completeContacts(ctx, p))
	}
	return err
}

func (s *Store) completeContacts(ctx context.Context, p SyncPart) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		done := p.row(tx).Where("state = ? and update_time = ?", SyncRunning, p.UpdateTime).
			Updates(map[string]any{"state": SyncDone, "update_time": s.now()})
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		return s.noteSync(tx, p, SyncDone, "")
	})
}
