-- +goose Up
-- What a coexistence number brings along from the WhatsApp Business app: its contacts, and its history. Meta hands out
-- each once for an onboarding of the number.
create table sync_parts (
    connection_id   uuid        not null,
    phone_number_id text        not null,
    part            text        not null,
    state           text        not null,
    reason          text        not null,
    onboard_time    timestamptz not null, -- of the signup whose part it is: Meta can be asked for 24 hours from then
    request_time    timestamptz,          -- on record before Meta is asked, so that it is asked once; null: never
    update_time     timestamptz not null,
    request_id      text        not null, -- Meta's, for its support
    progress        integer     not null, -- percent, as Meta says
    item_count      bigint      not null,
    attempts        integer     not null, -- that reached nobody
    offboarded      boolean     not null, -- the number left since: its next signup may ask again
    epoch           bigint      not null, -- fences twins
    run_time        timestamptz,          -- when the sweeper looks after it; null: it is not its turn
    primary key (connection_id, phone_number_id, part),
    foreign key (connection_id, phone_number_id) references phone_numbers (connection_id, phone_number_id),
    constraint sync_part_known check (part in ('CONTACTS', 'HISTORY')),
    constraint sync_state_known check (state in ('PENDING', 'REQUESTED', 'RUNNING', 'DONE', 'DECLINED', 'FAILED', 'UNKNOWN'))
);
create index sync_parts_running on sync_parts (run_time) where run_time is not null;
create index sync_parts_arriving on sync_parts (update_time) where state = 'RUNNING';

-- How far a message of the history had got, which has no times.
alter table messages add column history_state text not null default '';
