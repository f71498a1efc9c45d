-- +goose Up
create table destinations (
    id                   text primary key, -- version 7
    organization_id      text        not null, -- *: of all
    kind                 text        not null,
    url                  text        not null,
    state                text        not null,
    reason               text        not null, -- what the receiver answered last, when it refuses
    state_time           timestamp not null,
    event_types          text        not null, -- JSON list; empty: all
    secret               blob        not null, -- sealed
    secret_key_id        integer     not null,
    secret_version       integer     not null, -- the secret before is that of the version before
    previous_secret      blob,                -- sealed
    previous_key_id      integer     not null,
    previous_expire_time timestamp,
    begin_position       integer     not null, -- of the stream: what comes after it is sent
    last_success_time    timestamp,
    create_time          timestamp not null,
    constraint destination_kind_known check (kind in ('EVENTS', 'META_RAW')),
    constraint destination_state_known check (state in ('ACTIVE', 'HELD', 'DISABLED'))
);
create index destinations_listed on destinations (organization_id, id);

-- How far the stream was given out to destinations.
create table destination_cursor (
    only_row integer primary key default 1 check (only_row = 1),
    position integer not null
);
insert into destination_cursor (position) values (0);

-- What a destination still has to receive. It goes with its event, when retention removes that.
create table destination_events (
    destination_id text   not null references destinations (id) on delete cascade,
    position       integer not null references events (position) on delete cascade,
    lane           text   not null,
    primary key (destination_id, position)
);
create index destination_events_lane on destination_events (destination_id, lane, position);
create index destination_events_position on destination_events (position);

-- One for each phone number, or connection, of which a destination still has to receive something: within a lane one
-- thing is sent after the other.
create table destination_lanes (
    destination_id text    not null references destinations (id) on delete cascade,
    lane           text    not null, -- the id of the phone number or of the connection
    run_time       timestamp,      -- when its first event is sent, or its sender is taken for dead; null: not while its destination rests
    leased         numeric not null, -- somebody is at it
    epoch          integer not null, -- fences twins
    attempts       integer not null, -- of its first event
    failures       integer not null, -- of those, since its destination was last enabled
    primary key (destination_id, lane)
);
create index destination_lanes_due on destination_lanes (run_time, destination_id) where run_time is not null;

create table destination_attempts (
    id                text primary key, -- version 7: in order of time
    destination_id    text        not null references destinations (id) on delete cascade,
    event_id          text        not null,
    event_type        text        not null,
    change_id         text,
    time              timestamp not null,
    http_status       integer     not null, -- 0: no answer
    error             text        not null,
    duration_ms       integer     not null,
    attempt           integer     not null,
    next_attempt_time timestamp
);
create index destination_attempts_listed on destination_attempts (destination_id, id);

alter table activities add column destination_id text;
