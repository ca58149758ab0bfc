-- +goose Up
-- Pages of a gateway's on which a customer gives a card for a subscription.
CREATE TABLE card_forms (
  id TEXT NOT NULL PRIMARY KEY,
  form_key TEXT NOT NULL UNIQUE,
  subscription TEXT NOT NULL,
  gateway TEXT NOT NULL,
  reference TEXT NOT NULL,
  back TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX card_forms_reference ON card_forms (gateway, reference);

CREATE TABLE sandbox_forms (
  id TEXT NOT NULL PRIMARY KEY,
  form_key TEXT NOT NULL UNIQUE,
  detail TEXT NOT NULL
);

-- +goose Down
DROP TABLE sandbox_forms;
DROP TABLE card_forms;
