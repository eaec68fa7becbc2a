-- +goose Up
-- Runs that resend many deliveries. One of an account is open at a time: it has
-- not ended. counted_to and position are how far it counted and resent, in the
-- order of ids; the bucket used_until keeps its pace. settled says that it has
-- ended and that every delivery of it has, too.
CREATE TABLE resends (
    id         text PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts (id),
    filter     text NOT NULL,
    pace       integer NOT NULL,
    state      text NOT NULL,
    total      integer NOT NULL,
    counted    integer NOT NULL,
    counted_to text NOT NULL,
    position   text NOT NULL,
    used_until integer NOT NULL DEFAULT 0,
    resent     integer NOT NULL DEFAULT 0,
    skipped    integer NOT NULL DEFAULT 0,
    delivered  integer NOT NULL DEFAULT 0,
    failed     integer NOT NULL DEFAULT 0,
    dead       integer NOT NULL DEFAULT 0,
    settled    integer NOT NULL DEFAULT 0,
    created_by text NOT NULL,
    changed_by text NOT NULL,
    created_at integer NOT NULL,
    changed_at integer NOT NULL,
    ended_at   integer
);
CREATE INDEX resends_account ON resends (account_id, id);
CREATE UNIQUE INDEX resends_open ON resends (account_id) WHERE ended_at IS NULL;
CREATE INDEX resends_unsettled ON resends (used_until) WHERE NOT settled;

-- What became of each delivery of a run: waiting, delivered, failed, dead,
-- skipped, or removed by retention before it was looked at.
CREATE TABLE resend_deliveries (
    resend_id   text NOT NULL,
    delivery_id text NOT NULL,
    outcome     text NOT NULL,
    PRIMARY KEY (resend_id, delivery_id)
) WITHOUT ROWID;
CREATE INDEX resend_deliveries_outcome ON resend_deliveries (resend_id, outcome, delivery_id);

-- +goose Down
DROP TABLE resend_deliveries;
DROP TABLE resends;
