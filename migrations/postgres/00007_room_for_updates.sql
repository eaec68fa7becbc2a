-- +goose Up
-- Nearly every delivery is updated once, moments after it was inserted, and the
-- new version has an entry in each of these indexes: half of a page is kept for
-- them, so that pages are not split, nor searched for dead entries, for that. They
-- take no more room than before.
ALTER INDEX deliveries_pkey SET (fillfactor = 50);
ALTER INDEX deliveries_account SET (fillfactor = 50);
ALTER INDEX deliveries_webhook SET (fillfactor = 50);
ALTER INDEX deliveries_event SET (fillfactor = 50);
ALTER INDEX deliveries_type SET (fillfactor = 50);

-- +goose Down
ALTER INDEX deliveries_type RESET (fillfactor);
ALTER INDEX deliveries_event RESET (fillfactor);
ALTER INDEX deliveries_webhook RESET (fillfactor);
ALTER INDEX deliveries_account RESET (fillfactor);
ALTER INDEX deliveries_pkey RESET (fillfactor);
