-- +goose Up
alter table phone_numbers add column metadata text; -- JSON object: variables of the reason; null: none
