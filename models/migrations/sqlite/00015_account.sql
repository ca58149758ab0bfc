-- +goose Up
-- What an account's owner has had written down for later orders.
CREATE TABLE profiles (
  account TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL,
  updated_at DATETIME NOT NULL
);

ALTER TABLE payment_methods ADD COLUMN removed_at DATETIME NULL;

-- +goose Down
ALTER TABLE payment_methods DROP COLUMN removed_at;
DROP TABLE profiles;
