-- +goose Up
-- What gateways have told by webhooks: stored first, then acted on.
CREATE TABLE gateway_events (
  gateway VARCHAR(64) NOT NULL,
  event VARCHAR(255) NOT NULL,
  kind VARCHAR(32) NOT NULL,
  reference VARCHAR(255) NOT NULL,
  dispute VARCHAR(255) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  amount BIGINT NOT NULL,
  live BOOLEAN NOT NULL,
  told_at DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  attempts BIGINT NOT NULL,
  next_at DATETIME NULL,
  result VARCHAR(16) NOT NULL,
  PRIMARY KEY (gateway, event)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX gateway_events_next ON gateway_events (next_at);

-- The gateway's reference of an invoice's charge, by which webhooks name it.
ALTER TABLE invoices ADD COLUMN charge VARCHAR(255) NOT NULL DEFAULT '';
UPDATE invoices SET charge = COALESCE(JSON_UNQUOTE(JSON_EXTRACT(detail, '$.charge')), '');
CREATE INDEX invoices_charge ON invoices (charge);

-- Whether the sandbox still has to tell something of a payment.
ALTER TABLE sandbox_payments ADD COLUMN untold BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX sandbox_payments_untold ON sandbox_payments (untold);

-- +goose Down
DROP INDEX sandbox_payments_untold ON sandbox_payments;
ALTER TABLE sandbox_payments DROP COLUMN untold;
DROP INDEX invoices_charge ON invoices;
ALTER TABLE invoices DROP COLUMN charge;
DROP TABLE gateway_events;
