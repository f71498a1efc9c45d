-- +goose Up
alter table activities add column metadata text; -- JSON object: variables of the reason; null: none
