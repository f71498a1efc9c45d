package store

import (
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// SyncFact is what a change tells of a sync.
type SyncFact struct {
	Part string
	// Messages of the history, and Media that Meta sends after them, in place of messages known as media_placeholder.
	Messages, Media []MessageFact
	// First is how many came before them, of a piece of what a change brings.
	First    int
	Contacts int
	// Progress in percent; 100 is the end, in whichever order chunks come.
	Progress int
	// Ended is set when Meta says that nothing comes: DECLINED or FAILED.
	Ended  SyncState
	Reason string
	// Ahead is the connection for which Messages and Media are written already.
	Ahead uuid.UUID
}

// applySync keeps what arrived of a sync, and says so at the part that it is of.
func (s *Store) applySync(tx *gorm.DB, c Connection, phone string, fact SyncFact) error {
	if fact.Ahead == c.ID {
		fact.Messages, fact.Media = nil, nil
	}
	arrived, err := s.keepHistory(tx, c, fact.Messages, fact.First)
	if err != nil {
		return err
	}
	media, err := s.keepHistory(tx, c, fact.Media, fact.First) // ahead of its placeholder it counts in its place
	if err != nil {
		return err
	}
	var parts []SyncPart
	mine := s.db.ForUpdate(tx).Where("connection_id = ? and phone_number_id = ? and part = ?", c.ID, phone, fact.Part)
	if err := mine.Find(&parts).Error; err != nil || len(parts) == 0 { // none: no coexistence number, as far as we know
		return err
	}
	p := parts[0]
	state := p.after(fact)
	if state == "" {
		return nil
	}
	columns := map[string]any{
		"state": state, "update_time": s.now(), "progress": max(p.Progress, min(fact.Progress, 100)),
		"item_count": p.ItemCount + arrived + media + int64(fact.Contacts), "reason": fact.Reason,
	}
	if p.State == SyncPending && p.RequestTime == nil { // somebody else asked: there is nothing left to ask for
		columns["run_time"], columns["epoch"] = nil, p.Epoch+1
	}
	if err := p.row(tx).Updates(columns).Error; err != nil || state == p.State || state == SyncRunning {
		return err
	}
	return s.noteSync(tx, p, state, fact.Reason)
}

// after is the state of a part after what arrived; empty when it says nothing about the part. Contacts come as well
// when somebody edits the app's address book at any other time, so they count only while they are waited for; history
// comes for no other reason than that it was asked for.
func (p *SyncPart) after(fact SyncFact) SyncState {
	asked := p.State == SyncRequested || p.State == SyncUnknown || p.State == SyncRunning ||
		(p.State == SyncPending && p.RequestTime != nil)
	switch {
	case fact.Ended != "":
		if p.State == SyncRunning || p.State == SyncDone { // an old word: some of it arrived
			return ""
		}
		return fact.Ended
	case fact.Part == SyncContacts && !asked:
		return ""
	case p.State == SyncDone || fact.Progress >= 100:
		return SyncDone
	}
	return SyncRunning
}

// keepHistory writes old messages, and counts those that were not known at all. One that is here already stays as it
// is: what came live is newer. Only what was known by a status alone, or as a placeholder of its media, is filled in.
func (s *Store) keepHistory(tx *gorm.DB, c Connection, facts []MessageFact, first int) (arrived int64, err error) {
	for batch := range slices.Chunk(s.historyRows(c, facts, first), rowsAtOnce) {
		fresh := tx.Clauses(clause.OnConflict{Columns: wamidColumns(), TargetWhere: hasWamid(), DoNothing: true}).Create(&batch)
		if fresh.Error != nil {
			return 0, fresh.Error
		}
		arrived += fresh.RowsAffected
		if fresh.RowsAffected == int64(len(batch)) {
			continue
		}
		if err := tx.Clauses(fillHistory()).Create(&batch).Error; err != nil {
			return 0, err
		}
	}
	return arrived, nil
}

// historyRows are the rows of messages, each once, in an order in which twins lock them alike. Their ids are of their own
// times, so that a list by id shows them where they belong.
func (s *Store) historyRows(c Connection, facts []MessageFact, first int) []Message {
	rows, known := make([]Message, 0, len(facts)), map[string]int{}
	for i, fact := range facts {
		row := fact.Message
		row.ID, row.OrganizationID, row.ConnectionID = database.NewID(), c.OrganizationID, c.ID
		if row.MessageTime != nil && row.MessageTime.Before(s.now()) {
			row.ID = idAt(*row.MessageTime, first+i)
		}
		if at, twice := known[row.Wamid]; !twice {
			known[row.Wamid] = len(rows)
			rows = append(rows, row)
		} else if rows[at].Type == mediaPlaceholder {
			rows[at] = row
		}
	}
	slices.SortFunc(rows, func(a, b Message) int { return strings.Compare(a.Wamid, b.Wamid) })
	return rows
}

// mediaPlaceholder is the type of a message whose media follows, or is too old to.
const mediaPlaceholder = "media_placeholder"

// hasWamid is the part of the messages for which a wamid is unique.
func hasWamid() clause.Where {
	return clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "wamid <> ''"}}}
}

func wamidColumns() []clause.Column { return []clause.Column{{Name: "connection_id"}, {Name: "wamid"}} }

// fillHistory completes rows that were known by a status or an edit alone, or as a placeholder.
func fillHistory() clause.OnConflict {
	kept := func(column string) clause.Assignment { // what the row has, unless it has nothing
		return clause.Assignment{
			Column: clause.Column{Name: column},
			Value:  clause.Expr{SQL: "coalesce(nullif(excluded." + column + ", ''), messages." + column + ")"},
		}
	}
	taken := func(column string) clause.Assignment {
		return clause.Assignment{Column: clause.Column{Name: column}, Value: clause.Expr{SQL: "excluded." + column}}
	}
	said := func(column string) clause.Assignment { // what an edit or a revocation left stands
		return clause.Assignment{Column: clause.Column{Name: column}, Value: clause.Expr{
			SQL: "case when messages.revoked or messages.edit_time is not null then messages." + column + " else excluded." + column + " end",
		}}
	}
	return clause.OnConflict{
		Columns:     wamidColumns(),
		TargetWhere: hasWamid(),
		Where: clause.Where{Exprs: []clause.Expression{clause.Expr{
			SQL:  "messages.type = '' or (messages.type = ? and excluded.type <> ?)",
			Vars: []any{mediaPlaceholder, mediaPlaceholder},
		}}},
		DoUpdates: []clause.Assignment{
			taken("type"), taken("direction"), taken("phone_number_id"), said("text"), said("content"), kept("contact_phone"),
			kept("contact_user_id"), kept("contact_name"), kept("error"), kept("history_state"),
			{
				Column: clause.Column{Name: "message_time"},
				Value:  clause.Expr{SQL: "coalesce(excluded.message_time, messages.message_time)"},
			},
		},
	}
}
