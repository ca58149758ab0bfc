-- +goose Up
-- Pages of a gateway's on which a customer gives a card for a subscription.
CREATE TABLE card_forms (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  form_key VARCHAR(255) NOT NULL UNIQUE,
  subscription VARCHAR(64) NOT NULL,
  gateway VARCHAR(64) NOT NULL,
  reference VARCHAR(255) NOT NULL,
  back VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX card_forms_reference ON card_forms (gateway, reference);

CREATE TABLE sandbox_forms (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  form_key VARCHAR(64) NOT NULL UNIQUE,
  detail JSON NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE sandbox_forms;
DROP TABLE card_forms;
