-- +goose Up
-- Whether the stream still has something about a change is asked for each change that retention removes.
create index events_change on events (change_id);
