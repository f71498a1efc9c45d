-- +goose Up
create table connections (
    id                  text primary key,
    organization_id     text        not null,
    waba_id             text        not null,
    business_id         text        not null,
    name                text        not null,
    state               text        not null,
    reasons             text        not null, -- JSON list of ErrorReasons
    state_time          timestamp not null,
    onboarding_id       text        not null, -- the one that held it last
    token_id            text        not null, -- empty: own business, or none
    token_state         text        not null,
    token_expire_time   timestamp,
    own_business        numeric     not null,
    access_reason       text        not null, -- what Meta says of our access, when it says no
    subscription_proven numeric     not null,
    subscription_time   timestamp,
    subscription_reason text        not null,
    last_event_time     timestamp,
    disconnect_time     timestamp,          -- when its end was asked for
    disconnect_actor    text        not null,
    unsubscribed        numeric     not null, -- the end: Meta was told
    epoch               integer      not null,
    run_time            timestamp,          -- when the sweeper looks after its end
    create_time         timestamp not null,
    constraint connection_state_known check (state in ('CLAIMING', 'CONNECTED', 'ATTENTION', 'RECONNECT_REQUIRED', 'DISCONNECTED')),
    constraint connection_organization_waba_uq unique (organization_id, waba_id)
);
-- One WABA belongs to one connection at a time.
create unique index connection_holder_uq on connections (waba_id) where state <> 'DISCONNECTED';
create index connections_listed on connections (organization_id, id);
create index connections_ending on connections (run_time) where run_time is not null;

create table onboardings (
    id              text primary key,
    organization_id text        not null,
    state           text        not null,
    reason          text        not null,
    metadata        text        not null, -- JSON object: variables of the reason
    state_time      timestamp not null,
    create_time     timestamp not null,
    expire_time     timestamp not null,
    steps           text        not null, -- JSON list
    choices         text        not null, -- JSON list
    epoch           integer      not null, -- fences twins: each change of a claim is a compare-and-set
    fingerprint     text,                 -- hex SHA-256 of the authorization code
    state_hash      text,                 -- hex SHA-256 of the state
    token_id        text        not null, -- of the broker; empty until exchanged
    own_business    numeric     not null,
    waba_id         text        not null,
    phone_number_id text        not null, -- as posted
    facts           text,                 -- JSON of what a reconnection read, until it is bound
    connection_id   text references connections (id),
    actor           text        not null,
    start_time      timestamp,          -- of the exchange or the claim, the last time it was started
    run_time        timestamp,          -- when the sweeper looks after it
    constraint onboarding_state_known check (state in ('STARTED', 'EXCHANGING', 'CHOOSING_WABA', 'CLAIMING', 'CONNECTED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    constraint onboarding_code_uq unique (organization_id, fingerprint),
    constraint onboarding_state_uq unique (organization_id, state_hash)
);
create index onboardings_listed on onboardings (organization_id, id);
create index onboardings_running on onboardings (run_time) where run_time is not null;
create index onboardings_open on onboardings (expire_time) where state in ('STARTED', 'CANCELLED', 'CHOOSING_WABA');
create index onboardings_connection on onboardings (connection_id);

create table phone_numbers (
    connection_id        text        not null references connections (id),
    phone_number_id      text        not null,
    position             integer     not null, -- as Meta lists them; -1: gone, kept for its PIN
    display_phone_number text        not null,
    verified_name        text        not null,
    status               text        not null,
    quality_rating       text        not null,
    platform_type        text        not null,
    coexistence          numeric     not null,
    name_status          text        not null,
    messaging_limit      text        not null,
    registration         text        not null,
    reason               text        not null,
    attempts             integer     not null, -- calls of the registration under way
    epoch                integer     not null, -- fences twins: each change of a registration is a compare-and-set
    pin                  blob,                -- sealed
    pin_key_id           integer      not null,
    run_time             timestamp,          -- when the sweeper looks after the registration
    primary key (connection_id, phone_number_id),
    constraint registration_known check (registration in ('NOT_NEEDED', 'PENDING', 'REGISTERED', 'WAITING_FOR_META', 'PIN_REQUIRED', 'FAILED'))
);
create index phone_numbers_registering on phone_numbers (run_time) where run_time is not null;

create table activities (
    id              text primary key, -- version 7: in order of time
    organization_id text        not null,
    connection_id   text,
    onboarding_id   text,
    type            text        not null,
    time            timestamp not null,
    actor           text        not null,
    reason          text        not null
);
create index activities_connection on activities (connection_id, id);
create index activities_onboarding on activities (onboarding_id, id) where connection_id is null;
