-- +goose Up
-- Numbers that webhooks name and Meta has not listed: how often it was asked for them in vain, and when it is asked next.
alter table connections add column sought_numbers text not null default '[]'; -- JSON array of ids
alter table connections add column seeks integer not null default 0;
alter table connections add column seek_time timestamp; -- null: nothing is sought
create index connections_seeking on connections (seek_time) where seek_time is not null;

-- When the claim began by which the WABA is held. A reconnection changes nothing about it.
alter table connections add column hold_time timestamp;
update connections set hold_time = (select create_time from onboardings where onboardings.id = connections.onboarding_id);

-- What waits already is looked at.
update connections set seek_time = create_time
where state not in ('CLAIMING', 'DISCONNECTED') and exists (
    select 1 from changes where changes.waba_id = connections.waba_id and changes.state = 'WAITING' and changes.phone_number_id <> ''
);
