package store

import (
	"context"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// aheadAtOnce is how many old messages are written ahead with one commit.
const aheadAtOnce = 250

// KeepAhead writes the old messages of changes that bring many, before these are taken: a few with each commit, so that
// whoever wants the database meanwhile does not wait until thousands are written. It notes for whom in their effects, and
// taking such a change for the same connection leaves them out. Nothing is written of what waits for a connection, or was
// taken before.
func (s *Store) KeepAhead(ctx context.Context, list []NewChange) error {
	for _, n := range list {
		if err := s.keepAhead(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) keepAhead(ctx context.Context, n NewChange) error {
	ahead := uuid.Nil
	for i, piece := range n.pieces() {
		holder, err := s.keepPiece(ctx, n.Change, piece)
		if err != nil {
			return err
		}
		if holder == uuid.Nil || (i > 0 && holder != ahead) { // whoever holds the WABA in the end gets them all
			return nil
		}
		ahead = holder
	}
	if ahead != uuid.Nil {
		n.Effect.Sync.Ahead = ahead
	}
	return nil
}

// pieces are the old messages of a change that brings many. That the sync goes on is all that a piece tells of it.
func (n NewChange) pieces() (pieces []SyncFact) {
	fact := n.Effect.Sync
	if fact == nil || fact.Ended != "" || len(fact.Messages)+len(fact.Media) <= aheadAtOnce {
		return nil
	}
	for first := 0; first < len(fact.Messages); first += aheadAtOnce {
		end := min(first+aheadAtOnce, len(fact.Messages))
		pieces = append(pieces, SyncFact{Part: fact.Part, Messages: fact.Messages[first:end], First: first})
	}
	for first := 0; first < len(fact.Media); first += aheadAtOnce {
		end := min(first+aheadAtOnce, len(fact.Media))
		pieces = append(pieces, SyncFact{Part: fact.Part, Media: fact.Media[first:end], First: first})
	}
	return pieces
}

// keepPiece writes a piece for the connection that holds the WABA of its change, and tells which; none for a change that
// is here.
func (s *Store) keepPiece(ctx context.Context, of Change, piece SyncFact) (holder uuid.UUID, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) error {
		holder = uuid.Nil
		if err := s.holdRoutes(tx, wabasOf([]Change{of})); err != nil {
			return err
		}
		routes, err := routesOf(tx, []Change{of})
		if err != nil {
			return err
		}
		var here int64
		if err := tx.Model(&Change{}).Where("hash = ?", of.Hash).Count(&here).Error; err != nil {
			return err
		}
		c := routes.of(of)
		if c == nil || here > 0 {
			return nil
		}
		holder = c.ID
		return s.applySync(tx, *c, of.PhoneNumberID, piece)
	})
	return holder, err
}
