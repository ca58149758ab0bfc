-- +goose Up
-- What gateways have told by webhooks: stored first, then acted on.
CREATE TABLE gateway_events (
  gateway TEXT NOT NULL,
  event TEXT NOT NULL,
  kind TEXT NOT NULL,
  reference TEXT NOT NULL,
  dispute TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  live BOOLEAN NOT NULL,
  told_at DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  next_at DATETIME NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (gateway, event)
);
CREATE INDEX gateway_events_next ON gateway_events (next_at);

-- The gateway's reference of an invoice's charge, by which webhooks name it.
ALTER TABLE invoices ADD COLUMN charge TEXT NOT NULL DEFAULT '';
UPDATE invoices SET charge = COALESCE(json_extract(detail, '$.charge'), '');
CREATE INDEX invoices_charge ON invoices (charge);

-- Whether the sandbox still has to tell something of a payment.
ALTER TABLE sandbox_payments ADD COLUMN untold BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX sandbox_payments_untold ON sandbox_payments (untold);

-- +goose Down
DROP INDEX sandbox_payments_untold;
ALTER TABLE sandbox_payments DROP COLUMN untold;
DROP INDEX invoices_charge;
ALTER TABLE invoices DROP COLUMN charge;
DROP TABLE gateway_events;
