-- +goose Up
CREATE TABLE accounts (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  email VARCHAR(255) NOT NULL UNIQUE,
  created_at DATETIME NOT NULL,
  domain VARCHAR(255) GENERATED ALWAYS AS (SUBSTRING_INDEX(email, '@', -1)) STORED
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX accounts_domain ON accounts (domain);

CREATE TABLE products (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  description TEXT NOT NULL,
  icon VARCHAR(255) NOT NULL,
  changelog_url VARCHAR(255) NOT NULL,
  activation VARCHAR(64) NOT NULL,
  proration VARCHAR(64) NOT NULL,
  trial BOOLEAN NOT NULL,
  presentation MEDIUMTEXT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE pictures (
  product VARCHAR(64) NOT NULL,
  name VARCHAR(80) NOT NULL,
  content_type VARCHAR(64) NOT NULL,
  data LONGBLOB NOT NULL,
  PRIMARY KEY (product, name)
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
  guid VARCHAR(200) NOT NULL,
  kids VARCHAR(2048) NOT NULL,
  withdrawn_at DATETIME NULL,
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

-- All personal data of a purchase, as it was ordered. kept_since: its billing
-- contact was erased, but for what documents print; the last one is from then.
CREATE TABLE orders (
  subscription VARCHAR(64) NOT NULL PRIMARY KEY,
  license VARCHAR(64) NOT NULL UNIQUE,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL,
  kept_since DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX orders_kept ON orders (kept_since);

-- A command, written before it is sent, and its answer.
CREATE TABLE requests (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  caller VARCHAR(255) NOT NULL,
  route VARCHAR(255) NOT NULL,
  idempotency_key VARCHAR(255) NOT NULL,
  body_hash VARCHAR(255) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  actor VARCHAR(128) NOT NULL,
  origin VARCHAR(255) NOT NULL,
  command JSON NOT NULL,
  token VARCHAR(255) NOT NULL,
  method VARCHAR(255) NOT NULL,
  amendment JSON NULL,
  outcome JSON NULL,
  response_status BIGINT NOT NULL,
  response MEDIUMTEXT NOT NULL,
  created_at DATETIME NOT NULL,
  reason VARCHAR(500) NOT NULL,
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
  created_at DATETIME NOT NULL,
  charge VARCHAR(255) NOT NULL,
  paid_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX invoices_paid ON invoices (paid_at);
CREATE INDEX invoices_subscription ON invoices (subscription, in_flight);
CREATE INDEX invoices_account ON invoices (account, id);

-- The service lines of paid invoices: each has one refundable remainder.
CREATE TABLE paid_lines (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  invoice VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  net BIGINT NOT NULL,
  credited BIGINT NOT NULL,
  line JSON NOT NULL,
  credited_tax BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX paid_lines_subscription ON paid_lines (subscription);

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
  created_at DATETIME NOT NULL,
  cause VARCHAR(64) NOT NULL,
  document VARCHAR(64) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX balance_entries_account ON balance_entries (account, currency);

-- used: somebody of the organisation has used the trial. Until then another
-- address of it may take the claim.
CREATE TABLE trial_claims (
  product VARCHAR(64) NOT NULL,
  claim VARCHAR(255) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  used BOOLEAN NOT NULL,
  PRIMARY KEY (product, claim)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX trial_claims_subscription ON trial_claims (subscription);

CREATE TABLE payment_methods (
  ref VARCHAR(255) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  gateway VARCHAR(64) NOT NULL,
  brand VARCHAR(64) NOT NULL,
  last4 VARCHAR(64) NOT NULL,
  exp VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  fingerprint VARCHAR(255) NOT NULL,
  removed_at DATETIME NULL,
  detach_at DATETIME NULL
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
  test_clock VARCHAR(64) NOT NULL,
  site_edits BIGINT NOT NULL,
  site_edits_until DATETIME NULL,
  block_over_limit BOOLEAN NOT NULL,
  money_back_until DATETIME NULL,
  tally JSON NOT NULL,
  changed_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- What processes that have read a licence look for every few seconds.
CREATE INDEX licenses_changed ON licenses (changed_at);

-- Mails to be sent, written with the event that they tell of. resent_as: the row
-- by which an operator has had it sent again.
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
  resent_as VARCHAR(64) NULL,
  UNIQUE (subscription, revision, kind, recipient)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX outbox_due ON outbox (done_at, claimed_until);
CREATE INDEX outbox_failed ON outbox (failed, resent_as, id);

CREATE TABLE events (
  subscription VARCHAR(64) NOT NULL,
  revision BIGINT NOT NULL,
  position BIGINT NOT NULL,
  at DATETIME NOT NULL,
  kind VARCHAR(64) NOT NULL,
  actor VARCHAR(128) NOT NULL,
  words TEXT NOT NULL,
  details JSON NULL,
  PRIMARY KEY (subscription, revision, position)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What programs are told, in the order of commits (see models/feed.go). account and
-- licensee may read it.
CREATE TABLE feed (
  seq BIGINT NOT NULL PRIMARY KEY,
  id VARCHAR(64) NOT NULL UNIQUE,
  type VARCHAR(64) NOT NULL,
  at DATETIME NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  account VARCHAR(64) NOT NULL,
  licensee VARCHAR(64) NOT NULL,
  object JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX feed_account ON feed (account, seq);
CREATE INDEX feed_licensee ON feed (licensee, seq);
CREATE INDEX feed_created ON feed (created_at);

-- Where events are sent to. told: the place in the feed up to which there are
-- deliveries. The secrets are encrypted under OKVIZ_SECRET.
CREATE TABLE webhook_endpoints (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  member VARCHAR(64) NOT NULL,
  url TEXT NOT NULL,
  types JSON NOT NULL,
  description TEXT NOT NULL,
  disabled VARCHAR(64) NOT NULL,
  secret VARCHAR(255) NOT NULL,
  former VARCHAR(255) NOT NULL,
  former_until DATETIME NULL,
  failing_since DATETIME NULL,
  told BIGINT NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX webhook_endpoints_account ON webhook_endpoints (account);

CREATE TABLE webhook_deliveries (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  endpoint VARCHAR(64) NOT NULL,
  seq BIGINT NOT NULL,
  event VARCHAR(64) NOT NULL,
  type VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  status VARCHAR(64) NOT NULL,
  tries BIGINT NOT NULL,
  created_at DATETIME NOT NULL,
  tried_at DATETIME NULL,
  next_at DATETIME NULL,
  code BIGINT NOT NULL,
  body TEXT NOT NULL,
  error VARCHAR(255) NOT NULL,
  took BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_at);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, next_at);
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (endpoint, subscription, next_at);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at);

CREATE TABLE counters (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  value BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What one process does at a time, and which one.
CREATE TABLE leases (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  holder VARCHAR(64) NOT NULL,
  held_until DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who works for the vendor. API keys and the audit log name them.
CREATE TABLE operators (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  name VARCHAR(64) NOT NULL UNIQUE,
  created_at DATETIME NOT NULL,
  suspended_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A key is an account's, or an operator's: then account is empty. access is an
-- operator's role, or read or write. member: who made it for an account of others.
CREATE TABLE api_keys (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  operator VARCHAR(64) NOT NULL,
  member VARCHAR(64) NOT NULL,
  access VARCHAR(64) NOT NULL,
  name VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NULL,
  last_used_at DATETIME NULL,
  revoked_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Consoles that an operator has signed in to. api_key is the key that this was
-- done with; empty: the identity provider.
CREATE TABLE operator_sessions (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  operator VARCHAR(64) NOT NULL,
  role VARCHAR(64) NOT NULL,
  api_key VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL
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
  detail JSON NOT NULL,
  untold BOOLEAN NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sandbox_payments_subscription ON sandbox_payments (subscription);

CREATE TABLE test_clocks (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  now DATETIME NOT NULL,
  busy_until DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Whether the database takes writes is found out by writing here.
CREATE TABLE probes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  filler MEDIUMBLOB NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE coupons (
  code VARCHAR(64) NOT NULL PRIMARY KEY,
  detail JSON NOT NULL,
  redeemed BIGINT NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- An order redeems a coupon once, however often its payment is tried.
CREATE TABLE redemptions (
  coupon VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NOT NULL,
  PRIMARY KEY (coupon, subscription)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE account_discounts (
  account VARCHAR(64) NOT NULL PRIMARY KEY,
  percent BIGINT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- An order that was priced; subscription is the order that it became.
CREATE TABLE quotes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  number VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  subscription VARCHAR(64) NULL UNIQUE,
  test_clock VARCHAR(64) NOT NULL,
  detail JSON NOT NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX quotes_account ON quotes (account);

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
CREATE INDEX refunds_created ON refunds (created_at);
CREATE INDEX refunds_subscription ON refunds (subscription, status);

-- How often an account has had its money back for a product.
CREATE TABLE money_backs (
  account VARCHAR(64) NOT NULL,
  product VARCHAR(64) NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (account, product)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A link that was mailed to sign in with; its token is kept as a hash.
CREATE TABLE logins (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  return_url TEXT NOT NULL,
  used_at DATETIME NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX logins_account ON logins (account);

-- account has signed in; acts_for: the account that it is a member of and looks at.
CREATE TABLE sessions (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  hash VARCHAR(64) NOT NULL UNIQUE,
  account VARCHAR(64) NOT NULL,
  acts_for VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sessions_account ON sessions (account);

-- What a gateway calls an account or an invoice of ours.
CREATE TABLE gateway_references (
  gateway VARCHAR(64) NOT NULL,
  object VARCHAR(64) NOT NULL,
  reference VARCHAR(255) NOT NULL,
  PRIMARY KEY (gateway, object)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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
CREATE INDEX invoices_charge ON invoices (charge);
CREATE INDEX sandbox_payments_untold ON sandbox_payments (untold);
-- A licence is found by its activation key, and may be blocked when far more
-- people use it than it covers.
CREATE UNIQUE INDEX licenses_activation_key ON licenses (activation_key);

-- Who has asked about a licence in a calendar week, counted from the one that
-- 1970 began in: a sketch, from which nobody can be told, and how many questions
-- named nobody. No more than eight weeks are kept.
CREATE TABLE license_usage (
  license VARCHAR(64) NOT NULL,
  week BIGINT NOT NULL,
  sketch MEDIUMBLOB NOT NULL,
  questions BIGINT NOT NULL,
  without_id BIGINT NOT NULL,
  PRIMARY KEY (license, week)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What an account's owner has had written down for later orders.
CREATE TABLE profiles (
  account VARCHAR(64) NOT NULL PRIMARY KEY,
  detail JSON NOT NULL,
  updated_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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
  detail JSON NOT NULL,
  untold BOOLEAN NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX sandbox_forms_untold ON sandbox_forms (untold);
CREATE INDEX payment_methods_detach ON payment_methods (detach_at);

-- When something was done that is limited: mails, declines, returns.
CREATE TABLE attempts (
  subject VARCHAR(128) NOT NULL PRIMARY KEY,
  instants JSON NOT NULL,
  expires_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX attempts_expires ON attempts (expires_at);

-- What operators have changed. Rows are only ever added; each hash covers the
-- row before.
CREATE TABLE audit_log (
  id BIGINT NOT NULL PRIMARY KEY,
  at DATETIME NOT NULL,
  actor VARCHAR(128) NOT NULL,
  origin VARCHAR(255) NOT NULL,
  action VARCHAR(64) NOT NULL,
  subject VARCHAR(128) NOT NULL,
  state_before MEDIUMTEXT NOT NULL,
  state_after MEDIUMTEXT NOT NULL,
  hash VARCHAR(64) NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);

-- Browsers that an account has signed in with, by the hash of a cookie.
CREATE TABLE browsers (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  UNIQUE (account, hash)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What operators search by: words of names, addresses, numbers and amounts, and
-- the object that each leads to.
CREATE TABLE search_words (
  word VARCHAR(64) NOT NULL,
  object VARCHAR(64) NOT NULL,
  PRIMARY KEY (word, object)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX search_words_object ON search_words (object, word);
CREATE INDEX payment_methods_last4 ON payment_methods (last4, account);

-- What operators have written down about a subscription.
CREATE TABLE notes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  subscription VARCHAR(64) NOT NULL,
  at DATETIME NOT NULL,
  actor VARCHAR(128) NOT NULL,
  text TEXT NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
-- Lines of bank statements that a person must settle. text is the bank's, and is
-- removed when the line is settled; invoice is where it went.
CREATE TABLE statement_lines (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  line_key VARCHAR(64) NOT NULL UNIQUE,
  value_date DATETIME NOT NULL,
  amount BIGINT NOT NULL,
  currency VARCHAR(64) NOT NULL,
  text TEXT NOT NULL,
  why VARCHAR(255) NOT NULL,
  invoice VARCHAR(64) NOT NULL,
  settled VARCHAR(64) NOT NULL,
  settled_at DATETIME NULL,
  created_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX statement_lines_settled ON statement_lines (settled, id);

-- What another system had (okviz import), by its own ids. object is what it became
-- here, hash what was said of it.
CREATE TABLE moved_in (
  kind VARCHAR(64) NOT NULL,
  ref VARCHAR(128) NOT NULL,
  object VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (kind, ref)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE INDEX moved_in_object ON moved_in (object);
CREATE INDEX subscriptions_status ON subscriptions (status, number);

-- The vendor's own papers that customers' finance departments ask for.
CREATE TABLE vendor_documents (
  name VARCHAR(64) NOT NULL PRIMARY KEY,
  title VARCHAR(200) NOT NULL,
  size BIGINT NOT NULL,
  content LONGBLOB NOT NULL,
  updated_at DATETIME NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX refunds_status ON refunds (status, subscription);
CREATE INDEX events_kind ON events (kind, at);
CREATE INDEX notes_subscription ON notes (subscription, id);

-- Who may use an account besides its own address. person is the member's own
-- account, and empty until the invitation is accepted.
CREATE TABLE members (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  person VARCHAR(64) NOT NULL,
  email VARCHAR(254) NOT NULL,
  role VARCHAR(64) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  joined_at DATETIME NULL,
  UNIQUE (account, email)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX members_person ON members (person);

-- An account's move from a former address to another, which both confirm.
CREATE TABLE email_changes (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  account VARCHAR(64) NOT NULL,
  former VARCHAR(254) NOT NULL,
  email VARCHAR(254) NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  former_confirmed_at DATETIME NULL,
  email_confirmed_at DATETIME NULL,
  done_at DATETIME NULL,
  vouched BOOLEAN NOT NULL
) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE INDEX email_changes_account ON email_changes (account);

-- +goose Down
DROP TABLE vendor_documents;
DROP TABLE statement_lines;
DROP TABLE moved_in;
DROP TABLE email_changes;
DROP TABLE members;
DROP TABLE notes;
DROP TABLE search_words;
DROP TABLE leases;
DROP TABLE browsers;
DROP TABLE audit_log;
DROP TABLE attempts;
DROP TABLE sandbox_forms;
DROP TABLE card_forms;
DROP TABLE profiles;
DROP TABLE license_usage;
DROP TABLE gateway_events;
DROP TABLE gateway_references;
DROP TABLE sessions;
DROP TABLE logins;
DROP TABLE money_backs;
DROP TABLE refunds;
DROP TABLE quotes;
DROP TABLE account_discounts;
DROP TABLE redemptions;
DROP TABLE coupons;
DROP TABLE probes;
DROP TABLE test_clocks;
DROP TABLE sandbox_payments;
DROP TABLE sandbox_methods;
DROP TABLE sandbox_customers;
DROP TABLE api_keys;
DROP TABLE operator_sessions;
DROP TABLE operators;
DROP TABLE counters;
DROP TABLE feed;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
DROP TABLE events;
DROP TABLE outbox;
DROP TABLE licenses;
DROP TABLE payment_methods;
DROP TABLE trial_claims;
DROP TABLE balance_entries;
DROP TABLE balances;
DROP TABLE credit_notes;
DROP TABLE paid_lines;
DROP TABLE invoices;
DROP TABLE requests;
DROP TABLE orders;
DROP TABLE subscriptions;
DROP TABLE versions;
DROP TABLE prices;
DROP TABLE plans;
DROP TABLE pictures;
DROP TABLE products;
DROP TABLE accounts;
