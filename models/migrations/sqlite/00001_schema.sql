-- +goose Up
CREATE TABLE accounts (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  created_at DATETIME NOT NULL,
  domain TEXT GENERATED ALWAYS AS (substr(email, instr(email, '@') + 1)) STORED
);
CREATE INDEX accounts_domain ON accounts (domain);

CREATE TABLE products (
  id TEXT NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  icon TEXT NOT NULL,
  changelog_url TEXT NOT NULL,
  activation TEXT NOT NULL,
  proration TEXT NOT NULL,
  trial BOOLEAN NOT NULL,
  presentation TEXT NOT NULL
);

CREATE TABLE pictures (
  product TEXT NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (product, name)
);

CREATE TABLE plans (
  id TEXT NOT NULL PRIMARY KEY,
  product TEXT NOT NULL,
  position INTEGER NOT NULL,
  type TEXT NOT NULL,
  tier TEXT NOT NULL,
  covers INTEGER NOT NULL,
  cycle TEXT NOT NULL
);
CREATE INDEX plans_product ON plans (product, position);

-- A price is never edited: a new price is a new version.
CREATE TABLE prices (
  id TEXT NOT NULL PRIMARY KEY,
  plan TEXT NOT NULL,
  currency TEXT NOT NULL,
  version INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  tax TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  UNIQUE (plan, currency, version)
);

CREATE TABLE versions (
  product TEXT NOT NULL,
  version TEXT NOT NULL,
  changelog TEXT NOT NULL,
  released_at DATETIME NOT NULL,
  package BLOB NOT NULL,
  guid TEXT NOT NULL,
  kids TEXT NOT NULL,
  withdrawn_at DATETIME NULL,
  PRIMARY KEY (product, version)
);

-- The row of a subscription holds all that its workflow carries: state.
CREATE TABLE subscriptions (
  id TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  status TEXT NOT NULL,
  product TEXT NOT NULL,
  billing_account TEXT NOT NULL,
  licensee_account TEXT NOT NULL,
  method TEXT NOT NULL,
  next_at DATETIME NULL,
  test_clock TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL
);
CREATE INDEX subscriptions_billing ON subscriptions (billing_account, number);
CREATE INDEX subscriptions_licensee ON subscriptions (licensee_account, number);
CREATE INDEX subscriptions_clock ON subscriptions (test_clock, next_at, number);

-- All personal data of a purchase, as it was ordered. kept_since: its billing
-- contact was erased, but for what documents print; the last one is from then.
CREATE TABLE orders (
  subscription TEXT NOT NULL PRIMARY KEY,
  license TEXT NOT NULL UNIQUE,
  detail TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  kept_since DATETIME NULL
);
CREATE INDEX orders_kept ON orders (kept_since);

-- A command, written before it is sent, and its answer.
CREATE TABLE requests (
  id TEXT NOT NULL PRIMARY KEY,
  caller TEXT NOT NULL,
  route TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  subscription TEXT NOT NULL,
  actor TEXT NOT NULL,
  origin TEXT NOT NULL,
  command TEXT NOT NULL,
  token TEXT NOT NULL,
  method TEXT NOT NULL,
  amendment TEXT NULL,
  outcome TEXT NULL,
  response_status INTEGER NOT NULL,
  response TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  reason TEXT NOT NULL,
  UNIQUE (caller, route, idempotency_key)
);
CREATE INDEX requests_created ON requests (created_at);

CREATE TABLE invoices (
  id TEXT NOT NULL PRIMARY KEY,
  invoice_key TEXT NOT NULL UNIQUE,
  number TEXT NULL UNIQUE,
  subscription TEXT NOT NULL,
  account TEXT NOT NULL,
  status TEXT NOT NULL,
  in_flight BOOLEAN NOT NULL,
  detail TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  charge TEXT NOT NULL,
  paid_at DATETIME NULL
);
CREATE INDEX invoices_paid ON invoices (paid_at);
CREATE INDEX invoices_subscription ON invoices (subscription, in_flight);
CREATE INDEX invoices_account ON invoices (account, id);

-- The service lines of paid invoices: each has one refundable remainder.
CREATE TABLE paid_lines (
  id TEXT NOT NULL PRIMARY KEY,
  invoice TEXT NOT NULL,
  subscription TEXT NOT NULL,
  net INTEGER NOT NULL,
  credited INTEGER NOT NULL,
  line TEXT NOT NULL,
  credited_tax INTEGER NOT NULL
);
CREATE INDEX paid_lines_subscription ON paid_lines (subscription);

CREATE TABLE credit_notes (
  id TEXT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  invoice TEXT NOT NULL,
  account TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX credit_notes_invoice ON credit_notes (invoice);

CREATE TABLE balances (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (account, currency)
);

CREATE TABLE balance_entries (
  entry_key TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  created_at DATETIME NOT NULL,
  cause TEXT NOT NULL,
  document TEXT NOT NULL
);
CREATE INDEX balance_entries_account ON balance_entries (account, currency);

-- used: somebody of the organisation has used the trial. Until then another
-- address of it may take the claim.
CREATE TABLE trial_claims (
  product TEXT NOT NULL,
  claim TEXT NOT NULL,
  subscription TEXT NOT NULL,
  used BOOLEAN NOT NULL,
  PRIMARY KEY (product, claim)
);
CREATE INDEX trial_claims_subscription ON trial_claims (subscription);

CREATE TABLE payment_methods (
  ref TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  gateway TEXT NOT NULL,
  brand TEXT NOT NULL,
  last4 TEXT NOT NULL,
  exp TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  fingerprint TEXT NOT NULL,
  removed_at DATETIME NULL,
  detach_at DATETIME NULL
);
CREATE INDEX payment_methods_account ON payment_methods (account);

CREATE TABLE licenses (
  id TEXT NOT NULL PRIMARY KEY,
  subscription TEXT NOT NULL UNIQUE,
  revision INTEGER NOT NULL,
  product TEXT NOT NULL,
  licensee TEXT NOT NULL,
  sites TEXT NOT NULL,
  tenant TEXT NOT NULL,
  activation_key TEXT NOT NULL,
  suspended BOOLEAN NOT NULL,
  revoked BOOLEAN NOT NULL,
  status TEXT NOT NULL,
  cancel_at_end BOOLEAN NOT NULL,
  trial BOOLEAN NOT NULL,
  valid_until DATETIME NOT NULL,
  period_end DATETIME NOT NULL,
  plan TEXT NOT NULL,
  covers INTEGER NOT NULL,
  quantity INTEGER NOT NULL,
  test_clock TEXT NOT NULL,
  site_edits INTEGER NOT NULL,
  site_edits_until DATETIME NULL,
  block_over_limit BOOLEAN NOT NULL,
  money_back_until DATETIME NULL,
  tally TEXT NOT NULL,
  changed_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
-- What processes that have read a licence look for every few seconds.
CREATE INDEX licenses_changed ON licenses (changed_at);
-- Two changes of one licence never have the same instant.
-- +goose StatementBegin
CREATE TRIGGER licenses_change AFTER UPDATE ON licenses BEGIN
  UPDATE licenses SET changed_at = max(strftime('%Y-%m-%d %H:%M:%f', 'now'), strftime('%Y-%m-%d %H:%M:%f', OLD.changed_at, '+0.0015 seconds')) WHERE id = NEW.id;
END;
-- +goose StatementEnd

-- Mails to be sent, written with the event that they tell of. resent_as: the row
-- by which an operator has had it sent again.
CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY,
  subscription TEXT NOT NULL,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  recipient TEXT NOT NULL,
  notice TEXT NOT NULL,
  at DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  attempts INTEGER NOT NULL,
  claimed_until DATETIME NULL,
  done_at DATETIME NULL,
  failed BOOLEAN NOT NULL,
  resent_as TEXT NULL,
  UNIQUE (subscription, revision, kind, recipient)
);
CREATE INDEX outbox_due ON outbox (done_at, claimed_until);
CREATE INDEX outbox_failed ON outbox (failed, resent_as, id);

CREATE TABLE events (
  subscription TEXT NOT NULL,
  revision INTEGER NOT NULL,
  position INTEGER NOT NULL,
  at DATETIME NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  words TEXT NOT NULL,
  details TEXT NULL,
  PRIMARY KEY (subscription, revision, position)
);

-- What programs are told, in the order of commits (see models/feed.go). account and
-- licensee may read it.
CREATE TABLE feed (
  seq INTEGER NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  at DATETIME NOT NULL,
  subscription TEXT NOT NULL,
  account TEXT NOT NULL,
  licensee TEXT NOT NULL,
  object TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX feed_account ON feed (account, seq);
CREATE INDEX feed_licensee ON feed (licensee, seq);
CREATE INDEX feed_created ON feed (created_at);

-- Where events are sent to. told: the place in the feed up to which there are
-- deliveries. The secrets are encrypted under OKVIZ_SECRET.
CREATE TABLE webhook_endpoints (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  member TEXT NOT NULL,
  url TEXT NOT NULL,
  types TEXT NOT NULL,
  description TEXT NOT NULL,
  disabled TEXT NOT NULL,
  secret TEXT NOT NULL,
  former TEXT NOT NULL,
  former_until DATETIME NULL,
  failing_since DATETIME NULL,
  told INTEGER NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX webhook_endpoints_account ON webhook_endpoints (account);

CREATE TABLE webhook_deliveries (
  id TEXT NOT NULL PRIMARY KEY,
  endpoint TEXT NOT NULL,
  seq INTEGER NOT NULL,
  event TEXT NOT NULL,
  type TEXT NOT NULL,
  subscription TEXT NOT NULL,
  status TEXT NOT NULL,
  tries INTEGER NOT NULL,
  created_at DATETIME NOT NULL,
  tried_at DATETIME NULL,
  next_at DATETIME NULL,
  code INTEGER NOT NULL,
  body TEXT NOT NULL,
  error TEXT NOT NULL,
  took INTEGER NOT NULL
);
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (next_at);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint, next_at);
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (endpoint, subscription, next_at);
CREATE INDEX webhook_deliveries_created ON webhook_deliveries (created_at);

CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
);

-- What one process does at a time, and which one.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  held_until DATETIME NULL
);

-- Who works for the vendor. API keys and the audit log name them.
CREATE TABLE operators (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at DATETIME NOT NULL,
  suspended_at DATETIME NULL
);

-- A key is an account's, or an operator's: then account is empty. access is an
-- operator's role, or read or write. member: who made it for an account of others.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  operator TEXT NOT NULL,
  member TEXT NOT NULL,
  access TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NULL,
  last_used_at DATETIME NULL,
  revoked_at DATETIME NULL
);

-- Consoles that an operator has signed in to. api_key is the key that this was
-- done with; empty: the identity provider.
CREATE TABLE operator_sessions (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  operator TEXT NOT NULL,
  role TEXT NOT NULL,
  api_key TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL
);

-- The sandbox gateway's own books.
CREATE TABLE sandbox_customers (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL UNIQUE
);

CREATE TABLE sandbox_methods (
  id TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL
);

CREATE TABLE sandbox_payments (
  id TEXT NOT NULL PRIMARY KEY,
  invoice TEXT NOT NULL UNIQUE,
  subscription TEXT NOT NULL,
  detail TEXT NOT NULL,
  untold BOOLEAN NOT NULL
);
CREATE INDEX sandbox_payments_subscription ON sandbox_payments (subscription);

CREATE TABLE test_clocks (
  id TEXT NOT NULL PRIMARY KEY,
  now DATETIME NOT NULL,
  busy_until DATETIME NULL
);

-- Whether the database takes writes is found out by writing here.
CREATE TABLE probes (
  id TEXT NOT NULL PRIMARY KEY,
  filler BLOB NOT NULL
);

CREATE TABLE coupons (
  code TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL,
  redeemed INTEGER NOT NULL,
  created_at DATETIME NOT NULL
);

-- An order redeems a coupon once, however often its payment is tried.
CREATE TABLE redemptions (
  coupon TEXT NOT NULL,
  subscription TEXT NOT NULL,
  PRIMARY KEY (coupon, subscription)
);

CREATE TABLE account_discounts (
  account TEXT NOT NULL PRIMARY KEY,
  percent INTEGER NOT NULL
);

-- An order that was priced; subscription is the order that it became.
CREATE TABLE quotes (
  id TEXT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  subscription TEXT NULL UNIQUE,
  test_clock TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX quotes_account ON quotes (account);

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
CREATE INDEX refunds_created ON refunds (created_at);
CREATE INDEX refunds_subscription ON refunds (subscription, status);

-- How often an account has had its money back for a product.
CREATE TABLE money_backs (
  account TEXT NOT NULL,
  product TEXT NOT NULL,
  used INTEGER NOT NULL,
  PRIMARY KEY (account, product)
);

-- A link that was mailed to sign in with; its token is kept as a hash.
CREATE TABLE logins (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  return_url TEXT NOT NULL,
  used_at DATETIME NULL
);

CREATE INDEX logins_account ON logins (account);

-- account has signed in; acts_for: the account that it is a member of and looks at.
CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  acts_for TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL
);
CREATE INDEX sessions_account ON sessions (account);

-- What a gateway calls an account or an invoice of ours.
CREATE TABLE gateway_references (
  gateway TEXT NOT NULL,
  object TEXT NOT NULL,
  reference TEXT NOT NULL,
  PRIMARY KEY (gateway, object)
);

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
CREATE INDEX invoices_charge ON invoices (charge);
CREATE INDEX sandbox_payments_untold ON sandbox_payments (untold);
-- A licence is found by its activation key, and may be blocked when far more
-- people use it than it covers.
CREATE UNIQUE INDEX licenses_activation_key ON licenses (activation_key);

-- Who has asked about a licence in a calendar week, counted from the one that
-- 1970 began in: a sketch, from which nobody can be told, and how many questions
-- named nobody. No more than eight weeks are kept.
CREATE TABLE license_usage (
  license TEXT NOT NULL,
  week INTEGER NOT NULL,
  sketch BLOB NOT NULL,
  questions INTEGER NOT NULL,
  without_id INTEGER NOT NULL,
  PRIMARY KEY (license, week)
);

-- What an account's owner has had written down for later orders.
CREATE TABLE profiles (
  account TEXT NOT NULL PRIMARY KEY,
  detail TEXT NOT NULL,
  updated_at DATETIME NOT NULL
);

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
  detail TEXT NOT NULL,
  untold BOOLEAN NOT NULL
);
CREATE INDEX sandbox_forms_untold ON sandbox_forms (untold);
CREATE INDEX payment_methods_detach ON payment_methods (detach_at);

-- When something was done that is limited: mails, declines, returns.
CREATE TABLE attempts (
  subject TEXT NOT NULL PRIMARY KEY,
  instants TEXT NOT NULL,
  expires_at DATETIME NOT NULL
);
CREATE INDEX attempts_expires ON attempts (expires_at);

-- What operators have changed. Rows are only ever added; each hash covers the
-- row before.
CREATE TABLE audit_log (
  id INTEGER NOT NULL PRIMARY KEY,
  at DATETIME NOT NULL,
  actor TEXT NOT NULL,
  origin TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  state_before TEXT NOT NULL,
  state_after TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
CREATE INDEX audit_log_actor ON audit_log (actor, id);

-- Browsers that an account has signed in with, by the hash of a cookie.
CREATE TABLE browsers (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  UNIQUE (account, hash)
);

-- What operators search by: words of names, addresses, numbers and amounts, and
-- the object that each leads to.
CREATE TABLE search_words (
  word TEXT NOT NULL,
  object TEXT NOT NULL,
  PRIMARY KEY (word, object)
);
CREATE INDEX search_words_object ON search_words (object, word);
CREATE INDEX payment_methods_last4 ON payment_methods (last4, account);

-- What operators have written down about a subscription.
CREATE TABLE notes (
  id TEXT NOT NULL PRIMARY KEY,
  subscription TEXT NOT NULL,
  at DATETIME NOT NULL,
  actor TEXT NOT NULL,
  text TEXT NOT NULL
);
-- Lines of bank statements that a person must settle. text is the bank's, and is
-- removed when the line is settled; invoice is where it went.
CREATE TABLE statement_lines (
  id TEXT NOT NULL PRIMARY KEY,
  line_key TEXT NOT NULL UNIQUE,
  value_date DATETIME NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  text TEXT NOT NULL,
  why TEXT NOT NULL,
  invoice TEXT NOT NULL,
  settled TEXT NOT NULL,
  settled_at DATETIME NULL,
  created_at DATETIME NOT NULL
);
CREATE INDEX statement_lines_settled ON statement_lines (settled, id);

-- What another system had (okviz import), by its own ids. object is what it became
-- here, hash what was said of it.
CREATE TABLE moved_in (
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  object TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (kind, ref)
);

CREATE INDEX moved_in_object ON moved_in (object);
CREATE INDEX subscriptions_status ON subscriptions (status, number);

-- The vendor's own papers that customers' finance departments ask for.
CREATE TABLE vendor_documents (
  name TEXT NOT NULL PRIMARY KEY,
  title TEXT NOT NULL,
  size INTEGER NOT NULL,
  content BLOB NOT NULL,
  updated_at DATETIME NOT NULL
);
CREATE INDEX refunds_status ON refunds (status, subscription);
CREATE INDEX events_kind ON events (kind, at);
CREATE INDEX notes_subscription ON notes (subscription, id);

-- Who may use an account besides its own address. person is the member's own
-- account, and empty until the invitation is accepted.
CREATE TABLE members (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  person TEXT NOT NULL,
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  joined_at DATETIME NULL,
  UNIQUE (account, email)
);
CREATE INDEX members_person ON members (person);

-- An account's move from a former address to another, which both confirm.
CREATE TABLE email_changes (
  id TEXT NOT NULL PRIMARY KEY,
  account TEXT NOT NULL,
  former TEXT NOT NULL,
  email TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  former_confirmed_at DATETIME NULL,
  email_confirmed_at DATETIME NULL,
  done_at DATETIME NULL,
  vouched BOOLEAN NOT NULL
);
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
