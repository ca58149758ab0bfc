-- +goose Up
-- Whether the sandbox still has to tell of a card that was given.
ALTER TABLE sandbox_forms ADD COLUMN untold BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX sandbox_forms_untold ON sandbox_forms (untold);

-- +goose Down
DROP INDEX sandbox_forms_untold;
ALTER TABLE sandbox_forms DROP COLUMN untold;
