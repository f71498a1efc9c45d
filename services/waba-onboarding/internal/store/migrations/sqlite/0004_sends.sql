-- +goose Up
-- Messages of ours are written down before Meta is asked: their wamid is not known before it answers, or a status tells.
-- SQLite drops no constraint of a table: the table is made anew.
create table messages_4 (
    id              text primary key, -- version 7
    organization_id text        not null,
    connection_id   text        not null references connections (id),
    phone_number_id text        not null,
    wamid           text        not null, -- empty: not known yet
    direction       text        not null,
    contact_phone   text        not null,
    contact_user_id text        not null,
    contact_name    text        not null,
    type            text        not null, -- empty: the message itself has not arrived
    text            text        not null,
    message_time    timestamp,
    sent_time       timestamp,
    delivered_time  timestamp,
    read_time       timestamp,
    failed_time     timestamp,
    edit_time       timestamp,          -- of the newest edit; text is the edit's
    revoked         numeric     not null,
    error           text        not null,
    content         blob, -- as Meta sent it; empty: known by its status or edit alone
    request_id      text        not null default '', -- the caller's; empty: not sent by us
    request_hash    text        not null default '', -- hex SHA-256 of what was asked for
    send_state      text        not null default '', -- empty: not sent by us
    send_time       timestamp,                       -- when Meta was asked, the last time
    constraint message_direction_known check (direction in ('INBOUND', 'OUTBOUND', 'ECHO')),
    constraint message_send_state_known check (send_state in ('', 'SENDING', 'ACCEPTED', 'REFUSED', 'UNSENT', 'UNKNOWN'))
);
insert into messages_4 (id, organization_id, connection_id, phone_number_id, wamid, direction, contact_phone, contact_user_id,
    contact_name, type, text, message_time, sent_time, delivered_time, read_time, failed_time, edit_time, revoked, error, content)
select id, organization_id, connection_id, phone_number_id, wamid, direction, contact_phone, contact_user_id,
    contact_name, type, text, message_time, sent_time, delivered_time, read_time, failed_time, edit_time, revoked, error, content
from messages;
drop table messages;
alter table messages_4 rename to messages;
create index messages_listed on messages (connection_id, id);
create unique index message_once_uq on messages (connection_id, wamid) where wamid <> '';
create unique index message_request_uq on messages (connection_id, request_id) where request_id <> '';
create index messages_sending on messages (send_time) where send_state = 'SENDING';
