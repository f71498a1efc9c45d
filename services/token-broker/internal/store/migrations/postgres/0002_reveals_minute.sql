-- +goose Up
create index token_reveals_minute on token_reveals (minute); -- by which the old ones are erased
