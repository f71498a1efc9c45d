-- +goose Up
alter table phone_numbers add column can_send_message text not null default ''; -- health_status, as Meta wrote it
