-- +goose Up
-- What intake keeps with one commit is one row, until it is split into deliveries.
create table batches (
    id           text primary key, -- version 7: in order of time
    receive_time timestamp not null,
    bodies       blob      not null -- as Meta sent them, framed and compressed together
);
