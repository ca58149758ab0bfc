-- +goose Up
-- A licence is found by its activation key, and may be blocked when far more
-- people use it than it covers.
CREATE UNIQUE INDEX licenses_activation_key ON licenses (activation_key);
ALTER TABLE licenses ADD COLUMN block_over_limit BOOLEAN NOT NULL DEFAULT FALSE;

-- How many people have used a licence in the period that ends then: a sketch,
-- from which nobody can be told.
CREATE TABLE license_users (
  license TEXT NOT NULL PRIMARY KEY,
  period_end DATETIME NOT NULL,
  sketch BLOB NOT NULL,
  people INTEGER NOT NULL,
  told BOOLEAN NOT NULL
);

-- +goose Down
DROP TABLE license_users;
ALTER TABLE licenses DROP COLUMN block_over_limit;
DROP INDEX licenses_activation_key;
