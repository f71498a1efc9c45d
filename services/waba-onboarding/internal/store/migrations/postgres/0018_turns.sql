-- +goose Up
-- What time alone changes now includes the end of a token, and reasons no longer contradict the state: look at all once.
update connections set reassess_time = create_time where state not in ('CLAIMING', 'DISCONNECTED');
