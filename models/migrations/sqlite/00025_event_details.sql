-- +goose Up
-- What an event's words name, of which pages make sentences of their own.
ALTER TABLE events ADD COLUMN details TEXT;

-- +goose Down
ALTER TABLE events DROP COLUMN details;
