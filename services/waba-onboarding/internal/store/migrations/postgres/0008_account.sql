-- +goose Up
-- Meta's last word on each matter of the account, JSON: {"ban": {"said", "at", "until"}, …}.
alter table connections add column account text not null default '{}';
alter table connections add column reassess_time timestamptz; -- when a word of the account ends
create index connections_reassessed on connections (reassess_time) where reassess_time is not null;

alter table phone_numbers add column quality_time timestamptz; -- of Meta's last word on its quality
alter table phone_numbers add column name_time timestamptz;    -- of Meta's last word on its name

alter table changes add column event text not null default ''; -- of an account_update
create index changes_kept on changes (receive_time);
create index deliveries_kept on deliveries (receive_time);
