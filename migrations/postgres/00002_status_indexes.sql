-- +goose Up
-- One partial index per status, each with an equality for its condition: a list
-- of statuses there costs every insert and update more than all other indexes
-- together.
DROP INDEX deliveries_open;
DROP INDEX deliveries_trouble;
CREATE INDEX deliveries_pending ON deliveries (webhook_id, id) WHERE status = 0;
CREATE INDEX deliveries_failed ON deliveries (webhook_id, id) WHERE status = 3;
CREATE INDEX deliveries_dead ON deliveries (webhook_id, id) WHERE status = 4;
CREATE INDEX deliveries_account_pending ON deliveries (account_id, id) WHERE status = 0;
CREATE INDEX deliveries_account_failed ON deliveries (account_id, id) WHERE status = 3;
CREATE INDEX deliveries_account_dead ON deliveries (account_id, id) WHERE status = 4;
CREATE INDEX deliveries_type ON deliveries (account_id, event_type, id);
CREATE INDEX deliveries_error ON deliveries (account_id, last_error, id) WHERE last_error IS NOT NULL;

-- +goose Down
DROP INDEX deliveries_error;
DROP INDEX deliveries_type;
DROP INDEX deliveries_account_dead;
DROP INDEX deliveries_account_failed;
DROP INDEX deliveries_account_pending;
DROP INDEX deliveries_dead;
DROP INDEX deliveries_failed;
DROP INDEX deliveries_pending;
CREATE INDEX deliveries_open ON deliveries (queue_id, status, id) WHERE status IN (0, 3, 4);
CREATE INDEX deliveries_trouble ON deliveries (account_id, status, id) WHERE status IN (0, 3, 4);
