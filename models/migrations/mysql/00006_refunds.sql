-- +goose Up
-- Money on its way back to a card, or back there.
CREATE TABLE refunds (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  credit_note VARCHAR(64) NOT NULL,
  invoice VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  gateway VARCHAR(64) NOT NULL,
  charge VARCHAR(255) NOT NULL,
  currency VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  status VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX refunds_subscription ON refunds (subscription, status);

-- How often an account has had its money back for a product.
CREATE TABLE money_backs (
  account VARCHAR(64) NOT NULL,
  product VARCHAR(64) NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (account, product)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Why somebody says that a command is given, in their words.
ALTER TABLE requests ADD COLUMN reason VARCHAR(500) NOT NULL DEFAULT '';

-- The tax that was given back with what is drawn from a line.
ALTER TABLE sold_lines ADD COLUMN drawn_tax BIGINT NOT NULL DEFAULT 0;
UPDATE sold_lines SET drawn_tax = (2 * CAST(JSON_EXTRACT(line, '$.tax') AS SIGNED) * drawn + net) DIV (2 * net) WHERE net > 0;

-- +goose Down
ALTER TABLE sold_lines DROP COLUMN drawn_tax;
ALTER TABLE requests DROP COLUMN reason;
DROP TABLE money_backs;
DROP TABLE refunds;
