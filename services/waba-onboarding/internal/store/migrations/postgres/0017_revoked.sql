-- +goose Up
-- What was taken back or changed stood on in what the message brought. Of an edit its content was not kept.
update messages set content = '' where revoked or edit_time is not null;
