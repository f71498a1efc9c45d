-- +goose Up
alter table batches add column bulk boolean not null default false; -- of histories and address books: split beside the others
