-- +goose Up
-- The address book of the WhatsApp Business app, as far as a coexistence number brings it along: the names of those with
-- whom messages are, where the messages themselves bring none.
create table contacts (
    connection_id uuid        not null references connections (id) on delete cascade,
    phone         text        not null, -- digits
    name          text        not null, -- empty: removed, which an older word must not undo
    time          timestamptz not null, -- of Meta's last word on it
    primary key (connection_id, phone)
);
create index contacts_removed on contacts (time) where name = '';
