-- +goose Up
-- What the engine has found in a version's package: the visual's guid, and the
-- kids of the signing keys that its code knows. A withdrawn version stays, for
-- the visuals that were built of it.
ALTER TABLE versions ADD COLUMN guid TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN kids TEXT NOT NULL DEFAULT '[]';
ALTER TABLE versions ADD COLUMN withdrawn_at DATETIME NULL;

-- +goose Down
ALTER TABLE versions DROP COLUMN withdrawn_at;
ALTER TABLE versions DROP COLUMN kids;
ALTER TABLE versions DROP COLUMN guid;
