package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// Direction is who sent a message.
type Direction string

// The directions of a message.
const (
	Inbound  Direction = "INBOUND"
	Outbound Direction = "OUTBOUND"
	Echo     Direction = "ECHO"
)

// Message is one message of a connection's numbers.
type Message struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	OrganizationID string
	ConnectionID   uuid.UUID
	PhoneNumberID  string
	Wamid          string
	Direction      Direction
	ContactPhone   string
	ContactUserID  string
	ContactName    string
	Type           string
	Text           string
	MessageTime    *time.Time
	SentTime       *time.Time
	DeliveredTime  *time.Time
	ReadTime       *time.Time
	FailedTime     *time.Time
	EditTime       *time.Time
	Revoked        bool
	HistoryState   string // how far one of the history had got, which has no times
	Error          string
	Content        []byte

	// Of a message that we sent.
	RequestID   string
	RequestHash string
	SendState   SendState
	SendTime    *time.Time
}

// MessageFact is a message as a change tells it. An edit or a revocation is one too: it says what it is of.
type MessageFact struct {
	Message
	// Edits is the wamid whose text this replaces, as of its own time; Revokes the one that it takes back.
	Edits, Revokes string
}

// StatusFact is how far a message got, as a change tells it. Statuses come in any order, so each is a time on the message.
type StatusFact struct {
	// MessageID is the id that we gave Meta with the message; none for what we did not send.
	MessageID uuid.UUID

	Wamid, PhoneNumberID, ContactPhone, ContactUserID string
	Sent, Delivered, Read, Failed                     *time.Time
	Error                                             string
}

// applyMessages writes the messages of changes once: those that are nothing but new with one statement, the others each
// by itself.
func (s *Store) applyMessages(tx *gorm.DB, list []taken) error {
	type said struct {
		c    Connection
		fact MessageFact
	}
	var plain, others []said
	for _, t := range list {
		if t.holder == nil {
			continue
		}
		for _, fact := range t.effect.Messages {
			if fact.Edits == "" && fact.Revokes == "" {
				plain = append(plain, said{*t.holder, fact})
			} else {
				others = append(others, said{*t.holder, fact})
			}
		}
	}
	for batch := range slices.Chunk(plain, rowsAtOnce) {
		rows := make([]Message, 0, len(batch))
		for _, m := range batch {
			rows = append(rows, newMessage(m.c, m.fact.Wamid, m.fact.Message))
		}
		insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows)
		if insert.Error != nil {
			return insert.Error
		}
		if insert.RowsAffected < int64(len(rows)) { // some have a row already
			others = append(others, batch...)
		}
	}
	for _, m := range others {
		if err := s.applyMessage(tx, m.c, m.fact); err != nil {
			return err
		}
	}
	return nil
}

// applyMessage writes a message once. What came before it — a status, an edit — has made its row already, and stays.
func (s *Store) applyMessage(tx *gorm.DB, c Connection, fact MessageFact) error {
	wamid := fact.Wamid
	if fact.Edits != "" {
		wamid = fact.Edits
	} else if fact.Revokes != "" {
		wamid = fact.Revokes
	}
	of := fact.Message
	if wamid != fact.Wamid { // of the message that it is about, it tells no more than between whom it is
		of = Message{
			PhoneNumberID: of.PhoneNumberID, Direction: of.Direction,
			ContactPhone: of.ContactPhone, ContactUserID: of.ContactUserID, ContactName: of.ContactName,
		}
	}
	row, made, err := s.messageRow(tx, c, wamid, of)
	if err != nil {
		return err
	}
	switch {
	case fact.Revokes != "":
		row.Revoked, row.Text, row.Content = true, "", []byte{}
	case fact.Edits != "":
		if row.EditTime == nil || !row.EditTime.After(*fact.MessageTime) {
			row.edit(fact)
		}
	case made || (row.Type != "" && (row.Type != unsupported || fact.Type == unsupported)): // it is here
		return nil
	default:
		row.fill(fact.Message)
	}
	return saveMessage(tx, row)
}

// unsupported is the type of a message that Meta could not show then, and may send again (error 131060).
const unsupported = "unsupported"

// fill adds the message itself to a row that a status or an edit made, or that came without what it says.
func (m *Message) fill(of Message) {
	m.Direction, m.PhoneNumberID, m.Type, m.MessageTime, m.Error = of.Direction, of.PhoneNumberID, of.Type, of.MessageTime, of.Error
	m.ContactPhone, m.ContactUserID, m.ContactName = of.ContactPhone, of.ContactUserID, of.ContactName
	if m.EditTime == nil && !m.Revoked {
		m.Text, m.Content = of.Text, of.Content
	}
}

// edit takes over what a message was changed to. Of one that is revoked nothing is kept.
func (m *Message) edit(to MessageFact) {
	m.EditTime = to.MessageTime
	if m.Revoked {
		return
	}
	m.Text, m.Content = to.Text, to.Content
	if m.Content == nil {
		m.Content = []byte{}
	}
}

func (s *Store) applyStatus(tx *gorm.DB, c Connection, fact StatusFact) error {
	sent, err := s.sentRow(tx, c, fact)
	if err != nil {
		return err
	}
	if sent != nil {
		sent.hear(fact)
		return saveMessage(tx, *sent)
	}
	row, _, err := s.messageRow(tx, c, fact.Wamid, Message{
		PhoneNumberID: fact.PhoneNumberID, ContactPhone: fact.ContactPhone, ContactUserID: fact.ContactUserID, Direction: Outbound,
	})
	if err != nil {
		return err
	}
	row.hear(fact)
	return saveMessage(tx, row)
}

// hear takes over what a status tells. That there is one proves that Meta took the message.
func (m *Message) hear(fact StatusFact) {
	if m.SendState == MessageSending || m.SendState == MessageUnknown {
		m.SendState = MessageAccepted
	}
	for _, part := range []struct{ have, heard **time.Time }{
		{&m.SentTime, &fact.Sent}, {&m.DeliveredTime, &fact.Delivered}, {&m.ReadTime, &fact.Read}, {&m.FailedTime, &fact.Failed},
	} {
		if *part.heard != nil && *part.have == nil {
			*part.have = *part.heard
		}
	}
	if fact.Error != "" {
		m.Error = fact.Error
	}
}

// messageRow makes the row of a message, or finds and locks the one that is there.
func (s *Store) messageRow(tx *gorm.DB, c Connection, wamid string, of Message) (row Message, made bool, err error) {
	row = newMessage(c, wamid, of)
	insert := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if insert.Error != nil || insert.RowsAffected == 1 {
		return row, true, insert.Error
	}
	row = Message{}
	err = s.db.ForUpdate(tx).Where("connection_id = ? and wamid = ?", c.ID, wamid).Take(&row).Error
	return row, false, err
}

func newMessage(c Connection, wamid string, of Message) Message {
	of.ID, of.OrganizationID, of.ConnectionID, of.Wamid = database.NewID(), c.OrganizationID, c.ID, wamid
	if of.Content == nil {
		of.Content = []byte{}
	}
	return of
}

func saveMessage(tx *gorm.DB, row Message) error {
	return tx.Select("*").Omit("id").Updates(&row).Error
}

// State is how far a message got, of all that was heard. One that somebody got did not fail: in a group it may for
// another.
func (m *Message) State() string {
	switch {
	case m.ReadTime != nil:
		return "READ"
	case m.DeliveredTime != nil:
		return "DELIVERED"
	case m.FailedTime != nil:
		return "FAILED"
	case m.Direction == Inbound:
		return "RECEIVED"
	case m.HistoryState != "":
		return m.HistoryState
	case m.SentTime != nil || m.SendState == "":
		return "SENT"
	case m.SendState == MessageRefused || m.SendState == MessageUnsent:
		return "FAILED"
	}
	return string(m.SendState)
}

// Time is Meta's time of the message, or until that is known, of the first that was heard of it.
func (m *Message) Time() *time.Time {
	first := m.MessageTime
	if first != nil {
		return first
	}
	for _, at := range []*time.Time{m.SentTime, m.DeliveredTime, m.ReadTime, m.FailedTime, m.EditTime} {
		if at != nil && (first == nil || at.Before(*first)) {
			first = at
		}
	}
	return first
}

// ListMessages lists the messages of a connection, newest first, named after its address book where they bring no name.
func (s *Store) ListMessages(ctx context.Context, organization string, connection, before uuid.UUID, limit int) ([]Message, error) {
	return snapshot(ctx, s, func(tx *gorm.DB, list *[]Message) error {
		var c Connection
		if err := within(tx, organization).Select("id").Where("id = ?", connection).Take(&c).Error; err != nil {
			return err
		}
		if err := page(tx.Where("connection_id = ?", connection), before, limit).Find(list).Error; err != nil {
			return err
		}
		return nameContacts(tx, connection, *list)
	})
}
