-- +goose Up
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

-- +goose Down
DROP TABLE account_discounts;
DROP TABLE redemptions;
DROP TABLE coupons;
