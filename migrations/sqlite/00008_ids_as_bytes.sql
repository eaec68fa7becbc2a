-- +goose Up
-- Ids are kept as the 16 bytes that they are (text took 36 in every table and
-- index). The tables that grow are written anew.
PRAGMA defer_foreign_keys = ON;

UPDATE accounts SET id = unhex(id, '-');
UPDATE account_states SET account_id = unhex(account_id, '-');
UPDATE users SET id = unhex(id, '-'), account_id = unhex(account_id, '-');
UPDATE sessions SET user_id = unhex(user_id, '-');
UPDATE form_tokens SET user_id = unhex(user_id, '-');
UPDATE api_keys SET id = unhex(id, '-'), account_id = unhex(account_id, '-');
UPDATE event_types SET account_id = unhex(account_id, '-');
UPDATE webhooks SET id = unhex(id, '-'), account_id = unhex(account_id, '-');
UPDATE queues SET id = unhex(id, '-'), account_id = unhex(account_id, '-'), webhook_id = unhex(webhook_id, '-');
UPDATE event_counts SET account_id = unhex(account_id, '-');
UPDATE idempotency_keys SET account_id = unhex(account_id, '-');
UPDATE missed_events SET webhook_id = unhex(webhook_id, '-'), event_id = unhex(event_id, '-');
UPDATE tallies SET queue_id = unhex(queue_id, '-');
UPDATE inbox_requests SET id = unhex(id, '-'), account_id = unhex(account_id, '-'), webhook_id = unhex(webhook_id, '-'), delivery_id = unhex(delivery_id, '-');
UPDATE inboxes SET account_id = unhex(account_id, '-');
UPDATE resends SET id = unhex(id, '-'), account_id = unhex(account_id, '-'), counted_to = unhex(counted_to, '-'), position = unhex(position, '-');
UPDATE resend_deliveries SET resend_id = unhex(resend_id, '-'), delivery_id = unhex(delivery_id, '-');

CREATE TABLE events_new (
    id          blob PRIMARY KEY,
    account_id  blob NOT NULL,
    type        text NOT NULL,
    agent_id    text,
    occurred_at integer NOT NULL,
    data        blob NOT NULL,
    verdicts    blob NOT NULL,
    test        integer NOT NULL DEFAULT 0,
    created_at  integer NOT NULL
);
INSERT INTO events_new SELECT unhex(id, '-'), unhex(account_id, '-'), type, agent_id, occurred_at, data, verdicts, test, created_at FROM events ORDER BY id;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_account ON events (account_id, id);
CREATE INDEX events_type ON events (account_id, type, id);

CREATE TABLE deliveries_new (
    id               blob PRIMARY KEY,
    account_id       blob NOT NULL,
    queue_id         blob NOT NULL,
    webhook_id       blob,
    event_id         blob NOT NULL,
    event_type       text NOT NULL,
    agent_id         text,
    test             integer NOT NULL DEFAULT 0,
    url              text,
    secret           blob,
    status           integer NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,
    max_attempts     integer NOT NULL,
    schedule_start   integer NOT NULL DEFAULT 0,
    interrupted      integer NOT NULL DEFAULT 0,
    spared           integer NOT NULL DEFAULT 0,
    next_attempt_at  integer,
    lease_node       text,
    lease_until      integer,
    last_status_code integer,
    last_error       text,
    last_detail      text,
    last_duration_us integer,
    last_attempt_at  integer,
    created_at       integer NOT NULL,
    delivered_at     integer,
    finished_at      integer
);
INSERT INTO deliveries_new SELECT unhex(id, '-'), unhex(account_id, '-'), unhex(queue_id, '-'), unhex(webhook_id, '-'), unhex(event_id, '-'), event_type, agent_id, test,
    url, secret, status, attempts, max_attempts, schedule_start, interrupted, spared, next_attempt_at, lease_node, lease_until, last_status_code, last_error,
    last_detail, last_duration_us, last_attempt_at, created_at, delivered_at, finished_at FROM deliveries ORDER BY id;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_type ON deliveries (account_id, event_type, id);
CREATE INDEX deliveries_tests ON deliveries (queue_id, created_at) WHERE test;
CREATE INDEX deliveries_due ON deliveries (queue_id, next_attempt_at) WHERE status = 0;
CREATE INDEX deliveries_leased ON deliveries (lease_node, lease_until) WHERE status = 1;
CREATE INDEX deliveries_pending ON deliveries (webhook_id, id) WHERE status = 0;
CREATE INDEX deliveries_failed ON deliveries (webhook_id, id) WHERE status = 3;
CREATE INDEX deliveries_dead ON deliveries (webhook_id, id) WHERE status = 4;
CREATE INDEX deliveries_account_pending ON deliveries (account_id, id) WHERE status = 0;
CREATE INDEX deliveries_account_failed ON deliveries (account_id, id) WHERE status = 3;
CREATE INDEX deliveries_account_dead ON deliveries (account_id, id) WHERE status = 4;
CREATE INDEX deliveries_account_failed_at ON deliveries (account_id, finished_at) WHERE status = 3;

CREATE TABLE attempts_new (
    delivery_id      blob NOT NULL,
    number           integer NOT NULL,
    node             text NOT NULL,
    started_at       integer NOT NULL,
    duration_us      integer NOT NULL DEFAULT 0,
    status_code      integer,
    error            text,
    detail           text,
    remote_address   text,
    protocol         text,
    dns_us           integer NOT NULL DEFAULT 0,
    connect_us       integer NOT NULL DEFAULT 0,
    tls_us           integer NOT NULL DEFAULT 0,
    first_byte_us    integer NOT NULL DEFAULT 0,
    reused           integer NOT NULL DEFAULT 0,
    url              text,
    request_headers  text,
    response_headers text,
    response_body    blob,
    truncated        integer NOT NULL DEFAULT 0,
    bodies_removed   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (delivery_id, number)
);
INSERT INTO attempts_new SELECT unhex(delivery_id, '-'), number, node, started_at, duration_us, status_code, error, detail, remote_address, protocol, dns_us, connect_us,
    tls_us, first_byte_us, reused, url, request_headers, response_headers, response_body, truncated, bodies_removed FROM attempts ORDER BY delivery_id, number;
DROP TABLE attempts;
ALTER TABLE attempts_new RENAME TO attempts;
CREATE INDEX attempts_error ON attempts (error, delivery_id) WHERE error IS NOT NULL;
