-- +goose Up
-- The stream: what followers and destinations are told, in the order in which it became visible.
create table events (
    position        bigint generated always as identity primary key, -- given under one lock, so that none appears late
    id              uuid        not null,
    organization_id text        not null,
    connection_id   uuid        not null references connections (id),
    phone_number_id text        not null, -- empty: of the connection as a whole
    type            text        not null, -- change.<field> or connection.<state>
    change_id       uuid references changes (id),
    reasons         text        not null, -- of connection.<state>: JSON list of ErrorReasons
    time            timestamptz not null
);
create index events_organization on events (organization_id, position);

-- What retention removed from the stream: a cursor below it has missed something.
create table event_horizon (
    only_row boolean primary key default true check (only_row),
    position bigint not null
);
insert into event_horizon (position) values (0);
