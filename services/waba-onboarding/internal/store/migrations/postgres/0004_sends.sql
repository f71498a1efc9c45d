-- +goose Up
-- Messages of ours are written down before Meta is asked: their wamid is not known before it answers, or a status tells.
alter table messages
    drop constraint message_once_uq,
    add column request_id   text not null default '', -- the caller's; empty: not sent by us
    add column request_hash text not null default '', -- hex SHA-256 of what was asked for
    add column send_state   text not null default '', -- empty: not sent by us
    add column send_time    timestamptz,              -- when Meta was asked, the last time
    add constraint message_send_state_known check (send_state in ('', 'SENDING', 'ACCEPTED', 'REFUSED', 'UNSENT', 'UNKNOWN'));
create unique index message_once_uq on messages (connection_id, wamid) where wamid <> '';
create unique index message_request_uq on messages (connection_id, request_id) where request_id <> '';
create index messages_sending on messages (send_time) where send_state = 'SENDING';
