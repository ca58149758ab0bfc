-- +goose Up
-- When somebody may have the gateway forget a card that was removed here.
ALTER TABLE payment_methods ADD COLUMN detach_at DATETIME NULL;
UPDATE payment_methods SET detach_at = removed_at;
CREATE INDEX payment_methods_detach ON payment_methods (detach_at);

-- +goose Down
DROP INDEX payment_methods_detach ON payment_methods;
ALTER TABLE payment_methods DROP COLUMN detach_at;
