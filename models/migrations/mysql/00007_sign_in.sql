-- +goose Up
-- A link that was mailed to sign in with; its token is kept as a hash.
CREATE TABLE logins (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  used_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sessions (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sessions_account ON sessions (account);

-- +goose Down
DROP TABLE sessions;
DROP TABLE logins;
