-- +goose Up
-- An order that was priced; subscription is the order that it became.
CREATE TABLE quotes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  number VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NULL UNIQUE,
  test_clock VARCHAR(64) NOT NULL,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX quotes_account ON quotes (account);

-- +goose Down
DROP TABLE quotes;
