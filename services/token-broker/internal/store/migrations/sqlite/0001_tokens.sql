-- +goose Up
create table tokens (
    id                      text      primary key,
    organization_id         text      not null,
    onboarding_id           text      not null,
    kind                    text      not null,
    state                   text      not null,
    reason                  text      not null,
    state_time              timestamp not null,
    scopes                  text      not null, -- JSON list
    target_ids              text      not null, -- JSON list
    ciphertext              blob,               -- null: erased
    key_id                  integer   not null,
    version                 integer   not null,
    expire_time             timestamp,          -- null: never
    data_access_expire_time timestamp,          -- null: never
    extend_time             timestamp,          -- when a short-lived token was last extended, or Meta refused to
    create_time             timestamp not null,
    constraint token_state_known check (state in ('UNVERIFIED', 'ACTIVE', 'EXPIRED', 'INVALID', 'SUPERSEDED', 'REVOKED')),
    constraint token_erased_when_ended check (state not in ('SUPERSEDED', 'REVOKED') or ciphertext is null)
);
create index tokens_onboarding on tokens (organization_id, onboarding_id);
create index tokens_held on tokens (create_time) where ciphertext is not null;

create table exchanges (
    fingerprint     text      primary key, -- hex SHA-256 of the authorization code
    organization_id text      not null,
    onboarding_id   text      not null,
    spender_id      text      not null,    -- who spends the code: a reservation that is repeated is known by it
    state           text      not null,
    reason          text      not null,
    metadata        text      not null,    -- JSON object: variables of the fault
    token_id        text      references tokens (id),
    lease_time      timestamp not null,    -- SPENDING past this is UNKNOWN
    create_time     timestamp not null,
    end_time        timestamp,
    constraint exchange_state_known check (state in ('SPENDING', 'STORED', 'FAILED', 'UNKNOWN')),
    constraint exchange_stored_has_token check ((state = 'STORED') = (token_id is not null))
);
create index exchanges_onboarding on exchanges (organization_id, onboarding_id, create_time);

create table token_wabas (
    organization_id text      not null,
    waba_id         text      not null,
    token_id        text      not null references tokens (id),
    bind_time       timestamp not null,
    primary key (organization_id, waba_id)
);
create index token_wabas_token on token_wabas (token_id);

create table token_events (
    id       text      primary key, -- version 7: in order of time
    token_id text      not null references tokens (id),
    type     text      not null,
    time     timestamp not null,
    actor    text      not null,
    reason   text      not null,
    waba_id  text      not null
);
create index token_events_token on token_events (token_id, id);

create table token_reveals (
    caller   text      not null,
    token_id text      not null, -- a token's id, or own-business/<WABA>
    minute   timestamp not null,
    count    integer   not null,
    primary key (caller, token_id, minute)
);
