-- +goose Up
-- What failed in the last 24 hours is counted on the page of webhooks, however
-- long it waited before and however much failed earlier.
CREATE INDEX deliveries_account_failed_at ON deliveries (account_id, finished_at) WHERE status = 3;

-- +goose Down
DROP INDEX deliveries_account_failed_at;
