-- +goose Up
-- Money on its way back to a card, or back there.
CREATE TABLE refunds (
  id TEXT NOT NULL PRIMARY KEY,
  credit_note TEXT NOT NULL,
  invoice TEXT NOT NULL,
  subscription TEXT NOT NULL,
  gateway TEXT NOT NULL,
  charge TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  status TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX refunds_subscription ON refunds (subscription, status);

-- How often an account has had its money back for a product.
CREATE TABLE money_backs (
  account TEXT NOT NULL,
  product TEXT NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (account, product)
);

-- Why somebody says that a command is given, in their words.
ALTER TABLE requests ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- The tax that was given back with what is drawn from a line.
ALTER TABLE sold_lines ADD COLUMN drawn_tax INTEGER NOT NULL DEFAULT 0;
UPDATE sold_lines SET drawn_tax = (2 * json_extract(line, '$.tax') * drawn + net) / (2 * net) WHERE net > 0;

-- +goose Down
ALTER TABLE sold_lines DROP COLUMN drawn_tax;
ALTER TABLE requests DROP COLUMN reason;
DROP TABLE money_backs;
DROP TABLE refunds;
