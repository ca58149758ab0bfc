-- +goose Up
-- Why an account's balance moved, and the document that the entry belongs to.
ALTER TABLE balance_entries ADD COLUMN cause VARCHAR(64) NOT NULL DEFAULT '';
ALTER TABLE balance_entries ADD COLUMN document VARCHAR(64) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE balance_entries DROP COLUMN document;
ALTER TABLE balance_entries DROP COLUMN cause;
