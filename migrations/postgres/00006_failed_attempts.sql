-- +goose Up
-- Deliveries are found by the failure kind of any of their attempts, also of
-- those that were made good since.
DROP INDEX deliveries_error;
CREATE INDEX attempts_error ON attempts (error, delivery_id) WHERE error IS NOT NULL;

-- +goose Down
DROP INDEX attempts_error;
CREATE INDEX deliveries_error ON deliveries (account_id, last_error, id) WHERE last_error IS NOT NULL;
