package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/whatrack/connect/services/internal/database"
)

// DestinationEvent is what a destination still has to receive.
type DestinationEvent struct {
	DestinationID uuid.UUID `gorm:"primaryKey"`
	Position      int64     `gorm:"primaryKey"`
	Lane          string
}

// Lane is the order in which a destination receives what is of one phone number, or of a connection as a whole: one thing
// after the other, beside other lanes. It is there while something is to be received.
type Lane struct {
	DestinationID uuid.UUID  `gorm:"primaryKey"`
	Lane          string     `gorm:"primaryKey"`
	RunTime       *time.Time // nil: not while its destination rests
	Leased        bool
	Epoch         int64
	Attempts      int
	Failures      int
}

// TableName implements gorm's Tabler.
func (Lane) TableName() string { return "destination_lanes" }

func laneOf(e Event) string {
	if e.PhoneNumberID != "" {
		return e.PhoneNumberID
	}
	return e.ConnectionID.String()
}

// fanOutBatch is how many events are given out in one commit.
const fanOutBatch = 200

// FanOut gives the next events of the stream out to the destinations that want them, in one commit with its place in the
// stream; more tells whether there are further ones.
func (s *Store) FanOut(ctx context.Context) (more bool, err error) {
	waiting, err := read(ctx, s, func(tx *gorm.DB, waiting *bool) error {
		return tx.Raw(`select exists (select 1 from destinations) and exists (select 1 from events
			where position > (select position from destination_cursor) and position > (select min(begin_position) from destinations))`).
			Scan(waiting).Error
	})
	if err != nil || !waiting {
		return false, err
	}
	err = s.inTx(ctx, func(tx *gorm.DB) (err error) {
		more, err = s.fanOut(tx)
		return err
	})
	return more, err
}

func (s *Store) fanOut(tx *gorm.DB) (more bool, err error) {
	var cursor struct{ Position int64 }
	if err := s.db.ForUpdate(tx).Table("destination_cursor").Take(&cursor).Error; err != nil {
		return false, err
	}
	var begin int64 // what nobody wants need not be read
	if err := tx.Raw("select coalesce(min(begin_position), 0) from destinations").Scan(&begin).Error; err != nil {
		return false, err
	}
	var events []Event
	err = tx.Where("position > ?", max(cursor.Position, begin)).Order("position").Limit(fanOutBatch).Find(&events).Error
	if err != nil || len(events) == 0 {
		return false, err
	}
	owners := map[string]bool{Everybody: true}
	for _, e := range events {
		owners[e.OrganizationID] = true
	}
	// Locked, so that none changes its state while it is given lanes.
	var destinations []Destination
	err = s.db.ForUpdate(tx).Where("organization_id in ?", slices.Collect(maps.Keys(owners))).Order("id").Find(&destinations).Error
	if err != nil {
		return false, err
	}
	if err := s.giveOut(tx, events, destinations); err != nil {
		return false, err
	}
	last := events[len(events)-1].Position
	return len(events) == fanOutBatch, tx.Exec("update destination_cursor set position = ?", last).Error
}

func (s *Store) giveOut(tx *gorm.DB, events []Event, destinations []Destination) error {
	var rows []DestinationEvent
	var lanes []Lane
	for _, d := range destinations {
		known := map[string]bool{}
		for _, e := range events {
			if !d.wants(e) {
				continue
			}
			lane := laneOf(e)
			rows = append(rows, DestinationEvent{d.ID, e.Position, lane})
			if known[lane] {
				continue
			}
			known[lane] = true
			fresh := Lane{DestinationID: d.ID, Lane: lane}
			if d.State == DestinationActive {
				fresh.RunTime = ptr(s.now())
			}
			lanes = append(lanes, fresh)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := tx.CreateInBatches(&rows, 1000).Error; err != nil {
		return err
	}
	// A lane that is there is locked: whoever has just found it empty has removed it, or sees what is in it now.
	wake := clause.OnConflict{
		Columns:   []clause.Column{{Name: "destination_id"}, {Name: "lane"}},
		DoUpdates: clause.Assignments(map[string]any{"run_time": gorm.Expr("coalesce(destination_lanes.run_time, excluded.run_time)")}),
	}
	return tx.Clauses(wake).CreateInBatches(&lanes, 1000).Error
}

// DueDestination has lanes that are due.
type DueDestination struct {
	DestinationID  uuid.UUID
	OrganizationID string
	Lanes          int
	Refuses        bool // the last answer of its receiver was no good one
}

// DueDestinations lists the destinations that have something to be sent now, those that wait longest first.
func (s *Store) DueDestinations(ctx context.Context) ([]DueDestination, error) {
	return read(ctx, s, func(tx *gorm.DB, list *[]DueDestination) error {
		return tx.Raw(`select l.destination_id, d.organization_id, l.lanes, d.reason <> '' as refuses from (
			select destination_id, count(*) as lanes, min(run_time) as since from destination_lanes
			where run_time <= ? group by destination_id) l
			join destinations d on d.id = l.destination_id order by l.since`, s.now()).Scan(list).Error
	})
}

// Parcel is the first event of a lane, on its way to a destination.
type Parcel struct {
	Destination Destination
	Lane        Lane
	Event       Event
}

// parcelLease is how long a sender may be silent before it is taken for dead. It lies well above the time of a request.
const parcelLease = 25 * time.Second

// ClaimParcel takes a lane of a destination that is due; nil when there is none. Whoever dies with it, loses it when the
// lease ends.
func (s *Store) ClaimParcel(ctx context.Context, destination uuid.UUID) (p *Parcel, err error) {
	err = s.inTx(ctx, func(tx *gorm.DB) (err error) {
		p, err = s.claimParcel(tx, destination)
		return err
	})
	return p, err
}

func (s *Store) claimParcel(tx *gorm.DB, destination uuid.UUID) (*Parcel, error) {
	d, err := database.First[Destination](tx.Where("id = ?", destination))
	if err != nil || d == nil {
		return nil, err
	}
	if d.State != DestinationActive {
		return nil, s.restLanes(tx, destination)
	}
	due := s.db.ForUpdateSkipLocked(tx).Where("destination_id = ? and run_time <= ?", destination, s.now())
	lane, err := database.First[Lane](due.Order("run_time"))
	if err != nil || lane == nil {
		return nil, err
	}
	lane.Epoch++
	return s.load(tx, *d, *lane)
}

// restLanes puts the lanes to rest whose sender died while their destination stopped being sent to.
func (s *Store) restLanes(tx *gorm.DB, destination uuid.UUID) error {
	d, err := lock[Destination](s, tx, destination)
	if err != nil || d.State == DestinationActive {
		return err
	}
	return tx.Model(&Lane{}).Where("destination_id = ? and run_time <= ?", destination, s.now()).
		Updates(map[string]any{"run_time": nil, "leased": false}).Error
}

// load leases a locked lane for its first event; a lane without one is gone.
func (s *Store) load(tx *gorm.DB, d Destination, lane Lane) (*Parcel, error) {
	event, err := firstOf(tx, lane)
	if err != nil {
		return nil, err
	}
	if event == nil {
		return nil, laneRow(tx, lane).Delete(&Lane{}).Error
	}
	lane.Leased, lane.RunTime = true, ptr(s.now().Add(parcelLease))
	return &Parcel{Destination: d, Lane: lane, Event: *event}, saveLane(tx, lane)
}

func firstOf(tx *gorm.DB, lane Lane) (*Event, error) {
	var found []Event
	first := tx.Session(&gorm.Session{NewDB: true}).Model(&DestinationEvent{}).Select("position").
		Where("destination_id = ? and lane = ?", lane.DestinationID, lane.Lane).Order("position").Limit(1)
	if err := tx.Where("position = (?)", first).Find(&found).Error; err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

func laneRow(tx *gorm.DB, lane Lane) *gorm.DB {
	return tx.Model(&Lane{}).Where("destination_id = ? and lane = ?", lane.DestinationID, lane.Lane)
}

func saveLane(tx *gorm.DB, lane Lane) error {
	return laneRow(tx, lane).Select("run_time", "leased", "epoch", "attempts", "failures").Updates(lane).Error
}
