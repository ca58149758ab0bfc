-- +goose Up
-- An order that was priced; subscription is the order that it became.
CREATE TABLE quotes (
  id TEXT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  subscription TEXT NULL UNIQUE,
  test_clock TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX quotes_account ON quotes (account);

-- +goose Down
DROP TABLE quotes;
