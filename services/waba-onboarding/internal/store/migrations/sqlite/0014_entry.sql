-- +goose Up
alter table changes add column entry_id text not null default ''; -- of Meta's envelope, where it is not the WABA: a partner's business
