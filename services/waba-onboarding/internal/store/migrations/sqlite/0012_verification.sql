-- +goose Up
alter table phone_numbers add column verification text not null default ''; -- code_verification_status, as Meta wrote it
