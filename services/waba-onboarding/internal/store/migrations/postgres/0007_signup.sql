-- +goose Up
-- Where the full-page flow leads back to; empty: to our own page.
alter table onboardings add column return_url text not null default '';
create index onboardings_state on onboardings (state_hash);

-- What the page reported last of the popup of an onboarding.
create table signups (
    onboarding_id   uuid primary key references onboardings (id) on delete cascade,
    event           text not null,
    step            text not null,
    error_code      text not null,
    error_message   text not null,
    session_id      text not null,
    user_agent      text not null,
    waba_id         text not null, -- hints, kept when a later report has none
    phone_number_id text not null,
    reports         integer not null,
    time            timestamptz not null,
    constraint signup_event_known check (event in ('OPENED', 'FINISHED', 'CANCELLED', 'FAILED', 'BLOCKED'))
);
