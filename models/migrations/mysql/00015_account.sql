-- +goose Up
-- What an account's owner has had written down for later orders.
CREATE TABLE profiles (
  account VARCHAR(64) NOT NULL PRIMARY KEY,
  detail JSON NOT NULL,
  updated_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE payment_methods ADD COLUMN removed_at DATETIME NULL;

-- +goose Down
ALTER TABLE payment_methods DROP COLUMN removed_at;
DROP TABLE profiles;
