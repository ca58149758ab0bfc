-- +goose Up
-- What a gateway calls an account or an invoice of ours.
CREATE TABLE gateway_references (
  gateway TEXT NOT NULL,
  object TEXT NOT NULL,
  reference TEXT NOT NULL,
  PRIMARY KEY (gateway, object)
);

-- +goose Down
DROP TABLE gateway_references;
