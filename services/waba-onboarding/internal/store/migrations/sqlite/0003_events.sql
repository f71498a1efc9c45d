-- +goose Up
-- The stream: what followers and destinations are told, in the order in which it became visible.
create table events (
    position        integer primary key autoincrement, -- given under one lock, so that none appears late
    id              text        not null,
    organization_id text        not null,
    connection_id   text        not null references connections (id),
    phone_number_id text        not null, -- empty: of the connection as a whole
    type            text        not null, -- change.<field> or connection.<state>
    change_id       text references changes (id),
    reasons         text        not null, -- of connection.<state>: JSON list of ErrorReasons
    time            timestamp   not null
);
create index events_organization on events (organization_id, position);

-- What retention removed from the stream: a cursor below it has missed something.
create table event_horizon (
    only_row integer primary key default 1 check (only_row = 1),
    position integer not null
);
insert into event_horizon (position) values (0);
