-- +goose Up
-- How often a licence's sites were edited in the period that ends then.
ALTER TABLE licenses ADD COLUMN site_edits BIGINT NOT NULL DEFAULT 0;
ALTER TABLE licenses ADD COLUMN site_edits_until DATETIME NULL;

-- +goose Down
ALTER TABLE licenses DROP COLUMN site_edits_until;
ALTER TABLE licenses DROP COLUMN site_edits;
