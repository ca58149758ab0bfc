-- +goose Up
CREATE TABLE accounts (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  email VARCHAR(255) NOT NULL UNIQUE,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE products (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  description TEXT NOT NULL,
  icon VARCHAR(255) NOT NULL,
  changelog_url VARCHAR(255) NOT NULL,
  activation VARCHAR(64) NOT NULL,
  proration VARCHAR(64) NOT NULL,
  trial BOOLEAN NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE plans (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  product VARCHAR(64) NOT NULL,
  position BIGINT NOT NULL,
  type VARCHAR(64) NOT NULL,
  tier VARCHAR(64) NOT NULL,
  covers BIGINT NOT NULL,
  cycle VARCHAR(64) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX plans_product ON plans (product, position);

-- A price is never edited: a new price is a new version.
CREATE TABLE prices (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  plan VARCHAR(255) NOT NULL,
  currency VARCHAR(64) NOT NULL,
  version BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  tax VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  UNIQUE (plan, currency, version)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE versions (
  product VARCHAR(64) NOT NULL,
  version VARCHAR(64) NOT NULL,
  changelog TEXT NOT NULL,
  released_at DATETIME NOT NULL,
  package LONGBLOB NOT NULL,
  PRIMARY KEY (product, version)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The row of a subscription holds all that its workflow carries: state.
CREATE TABLE subscriptions (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  revision BIGINT NOT NULL,
  status VARCHAR(64) NOT NULL,
  product VARCHAR(64) NOT NULL,
  billing_account VARCHAR(64) NOT NULL,
  licensee_account VARCHAR(64) NOT NULL,
  method VARCHAR(255) NOT NULL,
  next_at DATETIME NULL,
  test_clock VARCHAR(64) NOT NULL,
  state JSON NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX subscriptions_billing ON subscriptions (billing_account, number);
CREATE INDEX subscriptions_licensee ON subscriptions (licensee_account, number);
CREATE INDEX subscriptions_clock ON subscriptions (test_clock, next_at, number);

-- All personal data of a purchase, as it was ordered.
CREATE TABLE orders (
  subscription VARCHAR(64) NOT NULL PRIMARY KEY,
  license VARCHAR(64) NOT NULL UNIQUE,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A command, written before it is sent, and its answer.
CREATE TABLE requests (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  caller VARCHAR(255) NOT NULL,
  route VARCHAR(255) NOT NULL,
  idempotency_key VARCHAR(255) NOT NULL,
  body_hash VARCHAR(255) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  actor VARCHAR(64) NOT NULL,
  command JSON NOT NULL,
  token VARCHAR(255) NOT NULL,
  method VARCHAR(255) NOT NULL,
  outcome JSON NULL,
  response_status BIGINT NOT NULL,
  response MEDIUMTEXT NOT NULL,
  created_at DATETIME NOT NULL,
  UNIQUE (caller, route, idempotency_key)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX requests_created ON requests (created_at);

CREATE TABLE invoices (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  invoice_key VARCHAR(255) NOT NULL UNIQUE,
  number VARCHAR(64) NULL UNIQUE,
  subscription VARCHAR(64) NOT NULL,
  account VARCHAR(64) NOT NULL,
  status VARCHAR(64) NOT NULL,
  in_flight BOOLEAN NOT NULL,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX invoices_subscription ON invoices (subscription, in_flight);
CREATE INDEX invoices_account ON invoices (account, id);

-- The service lines of paid invoices: each has one refundable remainder.
CREATE TABLE sold_lines (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  invoice VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  net BIGINT NOT NULL,
  drawn BIGINT NOT NULL,
  line JSON NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sold_lines_subscription ON sold_lines (subscription);

CREATE TABLE credit_notes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  number VARCHAR(64) NOT NULL UNIQUE,
  invoice VARCHAR(64) NOT NULL,
  account VARCHAR(64) NOT NULL,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX credit_notes_invoice ON credit_notes (invoice);

CREATE TABLE balances (
  account VARCHAR(64) NOT NULL,
  currency VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (account, currency)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE balance_entries (
  entry_key VARCHAR(255) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  currency VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX balance_entries_account ON balance_entries (account, currency);

CREATE TABLE trial_claims (
  product VARCHAR(64) NOT NULL,
  claim VARCHAR(255) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  PRIMARY KEY (product, claim)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE payment_methods (
  ref VARCHAR(255) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  gateway VARCHAR(64) NOT NULL,
  brand VARCHAR(64) NOT NULL,
  last4 VARCHAR(64) NOT NULL,
  exp VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX payment_methods_account ON payment_methods (account);

CREATE TABLE licenses (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  subscription VARCHAR(64) NOT NULL UNIQUE,
  revision BIGINT NOT NULL,
  product VARCHAR(64) NOT NULL,
  licensee TEXT NOT NULL,
  sites JSON NOT NULL,
  tenant VARCHAR(255) NOT NULL,
  activation_key VARCHAR(255) NOT NULL,
  suspended BOOLEAN NOT NULL,
  revoked BOOLEAN NOT NULL,
  status VARCHAR(64) NOT NULL,
  cancel_at_end BOOLEAN NOT NULL,
  trial BOOLEAN NOT NULL,
  valid_until DATETIME NOT NULL,
  period_end DATETIME NOT NULL,
  plan JSON NOT NULL,
  covers BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  test_clock VARCHAR(64) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Mails to be sent, written with the event that they tell of.
CREATE TABLE outbox (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  subscription VARCHAR(64) NOT NULL,
  revision BIGINT NOT NULL,
  kind VARCHAR(64) NOT NULL,
  recipient VARCHAR(64) NOT NULL,
  notice JSON NOT NULL,
  at DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  attempts BIGINT NOT NULL,
  claimed_until DATETIME NULL,
  done_at DATETIME NULL,
  failed BOOLEAN NOT NULL,
  UNIQUE (subscription, revision, kind, recipient)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX outbox_waiting ON outbox (done_at, claimed_until);

CREATE TABLE events (
  subscription VARCHAR(64) NOT NULL,
  revision BIGINT NOT NULL,
  position BIGINT NOT NULL,
  at DATETIME NOT NULL,
  kind VARCHAR(64) NOT NULL,
  actor VARCHAR(64) NOT NULL,
  words TEXT NOT NULL,
  PRIMARY KEY (subscription, revision, position)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE counters (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE api_keys (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  scope VARCHAR(64) NOT NULL,
  account VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  revoked_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The sandbox gateway's own books.
CREATE TABLE sandbox_customers (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL UNIQUE
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sandbox_methods (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  detail JSON NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE sandbox_payments (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  invoice VARCHAR(64) NOT NULL UNIQUE,
  subscription VARCHAR(64) NOT NULL,
  detail JSON NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sandbox_payments_subscription ON sandbox_payments (subscription);

CREATE TABLE test_clocks (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  now DATETIME NOT NULL,
  busy_until DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE test_clocks;
DROP TABLE sandbox_payments;
DROP TABLE sandbox_methods;
DROP TABLE sandbox_customers;
DROP TABLE api_keys;
DROP TABLE counters;
DROP TABLE events;
DROP TABLE outbox;
DROP TABLE licenses;
DROP TABLE payment_methods;
DROP TABLE trial_claims;
DROP TABLE balance_entries;
DROP TABLE balances;
DROP TABLE credit_notes;
DROP TABLE sold_lines;
DROP TABLE invoices;
DROP TABLE requests;
DROP TABLE orders;
DROP TABLE subscriptions;
DROP TABLE versions;
DROP TABLE prices;
DROP TABLE plans;
DROP TABLE products;
DROP TABLE accounts;
