-- +goose Up
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

-- +goose Down
DROP TABLE account_discounts;
DROP TABLE redemptions;
DROP TABLE coupons;
