-- +goose Up
-- The condition as queries write it, or the index is not used: counting the
-- tests of a minute went through all deliveries.
DROP INDEX deliveries_tests;
CREATE INDEX deliveries_tests ON deliveries (queue_id, created_at) WHERE test;

-- +goose Down
DROP INDEX deliveries_tests;
CREATE INDEX deliveries_tests ON deliveries (queue_id, created_at) WHERE test = 1;
