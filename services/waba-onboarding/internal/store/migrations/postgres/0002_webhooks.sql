-- +goose Up
create table deliveries (
    id           uuid primary key, -- version 7: in order of time
    state        text        not null,
    receive_time timestamptz not null,
    size_bytes   integer     not null,
    change_count integer     not null,
    body         bytea       not null, -- as Meta sent it
    constraint delivery_state_known check (state in ('RECEIVED', 'SPLIT', 'UNPARSED'))
);
create index deliveries_received on deliveries (id) where state = 'RECEIVED';

create table changes (
    id              uuid primary key, -- version 7
    delivery_id     uuid        not null, -- the first that brought it
    organization_id text        not null, -- empty: nobody's yet
    connection_id   uuid references connections (id),
    field           text        not null,
    state           text        not null,
    waba_id         text        not null,
    phone_number_id text        not null,
    entry_time      timestamptz,
    receive_time    timestamptz not null,
    hash            text        not null, -- hex SHA-256 of field, entry and value: the same change again is the same row
    value           bytea       not null, -- as Meta sent it
    constraint change_state_known check (state in ('RESOLVED', 'WAITING', 'UNPARSED', 'IGNORED')),
    constraint change_once_uq unique (hash)
);
create index changes_listed on changes (organization_id, id);
create index changes_connection on changes (connection_id, id);
create index changes_waiting on changes (waba_id, receive_time) where state = 'WAITING';

create table messages (
    id              uuid primary key, -- version 7
    organization_id text        not null,
    connection_id   uuid        not null references connections (id),
    phone_number_id text        not null,
    wamid           text        not null,
    direction       text        not null,
    contact_phone   text        not null,
    contact_user_id text        not null,
    contact_name    text        not null,
    type            text        not null, -- empty: the message itself has not arrived
    text            text        not null,
    message_time    timestamptz,
    sent_time       timestamptz,
    delivered_time  timestamptz,
    read_time       timestamptz,
    failed_time     timestamptz,
    edit_time       timestamptz,          -- of the newest edit; text is the edit's
    revoked         boolean     not null,
    error           text        not null,
    content         bytea, -- as Meta sent it; empty: known by its status or edit alone
    constraint message_once_uq unique (connection_id, wamid),
    constraint message_direction_known check (direction in ('INBOUND', 'OUTBOUND', 'ECHO'))
);
create index messages_listed on messages (connection_id, id);

-- Bodies are JSON: lz4 compresses them with a fraction of the work of pglz. Not every server is built with it.
-- +goose StatementBegin
do $$
begin
    if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) then
        alter table deliveries alter column body set compression lz4;
        alter table changes alter column value set compression lz4;
        alter table messages alter column content set compression lz4;
    end if;
end
$$;
-- +goose StatementEnd
