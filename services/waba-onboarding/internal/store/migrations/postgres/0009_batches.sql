-- +goose Up
-- What intake keeps with one commit is one row, until it is split into deliveries.
create table batches (
    id           uuid primary key, -- version 7: in order of time
    receive_time timestamptz not null,
    bodies       bytea       not null -- as Meta sent them, framed and compressed together
);
alter table batches alter column bodies set storage external;
