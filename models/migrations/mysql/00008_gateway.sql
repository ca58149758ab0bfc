-- +goose Up
-- What a gateway calls an account or an invoice of ours.
CREATE TABLE gateway_references (
  gateway VARCHAR(64) NOT NULL,
  object VARCHAR(64) NOT NULL,
  reference VARCHAR(255) NOT NULL,
  PRIMARY KEY (gateway, object)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE gateway_references;
