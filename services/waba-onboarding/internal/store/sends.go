package store

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// SendState is what came of handing a message of ours to Meta; how far it got from there, statuses tell.
type SendState string

// The send states of a message. Only one that is UNSENT is ever sent again.
const (
	MessageSending  SendState = "SENDING"  // written down; Meta is being asked
	MessageAccepted SendState = "ACCEPTED" // Meta took it
	MessageRefused  SendState = "REFUSED"  // Meta said no to it
	MessageUnsent   SendState = "UNSENT"   // it got nowhere, for a reason that is not its own
	MessageUnknown  SendState = "UNKNOWN"  // the answer was lost: a status will tell
)

// sendLife is how long a message may be SENDING before whoever sends it counts as dead: more than the time that sending
// and writing down what came of it are given.
const sendLife = time.Minute

// FindSend reads the message of a request; hash is of what is asked for now.
func (s *Store) FindSend(ctx context.Context, connection uuid.UUID, request, hash string) (Message, error) {
	row, err := read(ctx, s, func(tx *gorm.DB, row *Message) error { return ofRequest(tx, connection, request).Take(row).Error })
	if err == nil && row.RequestHash != hash {
		err = ErrRequestReused
	}
	return row, err
}

func ofRequest(tx *gorm.DB, connection uuid.UUID, request string) *gorm.DB {
	return tx.Where("connection_id = ? and request_id = ?", connection, request)
}

// BeginSend writes a message down before Meta is asked. begun is true for the one caller that is to send it: where its
// request was there already, the row is as it stands.
func (s *Store) BeginSend(ctx context.Context, m Message) (row Message, begun bool, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		now := s.now()
		row, begun = m, true
		row.ID, row.Direction, row.SendState = database.NewID(), Outbound, MessageSending
		row.MessageTime, row.SendTime = &now, &now
		insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if insert.Error != nil || insert.RowsAffected == 1 {
			return insert.Error
		}
		row = Message{}
		if err := ofRequest(s.db.ForUpdate(tx), m.ConnectionID, m.RequestID).Take(&row).Error; err != nil {
			return err
		}
		if row.RequestHash != m.RequestHash {
			return ErrRequestReused
		}
		if begun = row.SendState == MessageUnsent; !begun {
			return nil
		}
		row.PhoneNumberID, row.SendState, row.Error = m.PhoneNumberID, MessageSending, ""
		row.MessageTime, row.SendTime = &now, &now
		return saveMessage(tx, row)
	})
	return row, begun, err
}

// SendOutcome is what came of asking Meta.
type SendOutcome struct {
	State                              SendState
	Wamid, ContactPhone, ContactUserID string // of an accepted message
	Error                              string
}

// EndSend writes down what came of a send that BeginSend began, and answers the message. What a status told meanwhile
// stands; a message that was begun again is the other sender's.
func (s *Store) EndSend(ctx context.Context, begun Message, out SendOutcome) (row Message, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		if row, err = lock[Message](s, tx, begun.ID); err != nil {
			return err
		}
		open := row.SendState == MessageSending || (row.SendState == MessageUnknown && out.State != MessageUnknown)
		if !open || !row.SendTime.Equal(*begun.SendTime) {
			return nil
		}
		row.SendState, row.Error = out.State, out.Error
		if out.State == MessageAccepted {
			row.meet(out.ContactPhone, out.ContactUserID)
			if _, err := s.identify(tx, &row, out.Wamid); err != nil {
				return err
			}
		}
		return saveMessage(tx, row)
	})
	return row, err
}

// sweepSends gives up on messages whose sender died: whether Meta took them, a status will tell.
func (s *Store) sweepSends(ctx context.Context) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		return tx.Model(&Message{}).Where("send_state = ? and send_time < ?", MessageSending, s.now().Add(-sendLife)).
			Update("send_state", MessageUnknown).Error
	})
}

// sentRow finds the message of ours that a status names by the id that Meta was given with it, and locks it. That there
// is a status proves that Meta took the message. nil: there is none in this connection, or another has the wamid.
func (s *Store) sentRow(tx *gorm.DB, c Connection, fact StatusFact) (*Message, error) {
	if fact.MessageID == uuid.Nil {
		return nil, nil //nolint:nilnil // most statuses name none of ours
	}
	var rows []Message
	err := s.db.ForUpdate(tx).Where("id = ? and connection_id = ? and send_state <> ''", fact.MessageID, c.ID).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	row := &rows[0]
	ours, err := s.identify(tx, row, fact.Wamid)
	if err != nil || !ours {
		return nil, err
	}
	row.meet(fact.ContactPhone, fact.ContactUserID)
	return row, nil
}

// identify gives a message of ours its wamid. What was heard of that wamid before becomes part of it. ours is false
// where the message has another wamid, or the wamid another message of ours.
func (s *Store) identify(tx *gorm.DB, row *Message, wamid string) (ours bool, err error) {
	if row.Wamid != "" {
		return row.Wamid == wamid, nil
	}
	var others []Message
	err = s.db.ForUpdate(tx).Where("connection_id = ? and wamid = ?", row.ConnectionID, wamid).Find(&others).Error
	if err != nil {
		return false, err
	}
	for _, other := range others {
		if other.SendState != "" {
			return false, nil
		}
		row.hear(StatusFact{
			Sent: other.SentTime, Delivered: other.DeliveredTime, Read: other.ReadTime, Failed: other.FailedTime, Error: other.Error,
		})
		if err := tx.Delete(&Message{}, "id = ?", other.ID).Error; err != nil {
			return false, err
		}
	}
	row.Wamid = wamid
	return true, nil
}

// meet takes over whom Meta wrote to: it may know the number that was given by another one.
func (m *Message) meet(phone, userID string) {
	if phone != "" {
		m.ContactPhone = phone
	}
	if userID != "" {
		m.ContactUserID = userID
	}
}
