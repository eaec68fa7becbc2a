-- +goose Up
-- Times are unix microseconds UTC. Ids are UUIDv7. Statuses of a delivery:
-- 0 pending, 1 processing, 2 delivered, 3 failed, 4 dead.

CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE accounts (
    id            text PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    header_prefix text,
    limits        text NOT NULL DEFAULT '{}',
    created_at    integer NOT NULL
);

-- What changes with every batch of an account, apart from what people edit.
-- rate_used_until is the bucket of outgoing requests: the time until which the
-- requests already started have used up the rate.
CREATE TABLE account_states (
    account_id       text PRIMARY KEY REFERENCES accounts (id),
    rate_used_until  integer NOT NULL DEFAULT 0,
    webhooks_version integer NOT NULL DEFAULT 1
);

CREATE TABLE users (
    id            text PRIMARY KEY,
    account_id    text NOT NULL REFERENCES accounts (id),
    email         text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role          text NOT NULL,
    created_at    integer NOT NULL,
    updated_at    integer NOT NULL
);

CREATE TABLE sessions (
    id_hash    blob PRIMARY KEY,
    user_id    text REFERENCES users (id),
    data       blob NOT NULL,
    created_at integer NOT NULL,
    expires_at integer NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- The first answer to each form that was sent, by its one-use token.
CREATE TABLE form_tokens (
    token      text PRIMARY KEY,
    user_id    text NOT NULL REFERENCES users (id),
    location   text NOT NULL,
    created_at integer NOT NULL
) WITHOUT ROWID;
CREATE INDEX form_tokens_age ON form_tokens (created_at);

CREATE TABLE api_keys (
    id           text PRIMARY KEY,
    account_id   text NOT NULL REFERENCES accounts (id),
    name         text NOT NULL,
    hash         blob NOT NULL UNIQUE,
    hint         text NOT NULL,
    scopes       text NOT NULL,
    created_at   integer NOT NULL,
    created_by   text,
    last_used_at integer,
    revoked_at   integer
);
CREATE INDEX api_keys_account ON api_keys (account_id, id);

CREATE TABLE event_types (
    account_id  text NOT NULL REFERENCES accounts (id),
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    schema      text,
    sample      text,
    source      text NOT NULL,
    created_at  integer NOT NULL,
    PRIMARY KEY (account_id, name)
) WITHOUT ROWID;

CREATE TABLE webhooks (
    id              text PRIMARY KEY,
    account_id      text NOT NULL REFERENCES accounts (id),
    agent_id        text,
    url             text NOT NULL,
    description     text NOT NULL DEFAULT '',
    events          text NOT NULL DEFAULT '[]',
    active          integer NOT NULL,
    disabled_reason text,
    active_since    integer NOT NULL,
    changed_by      text,
    secret          blob,
    next_secret     blob,
    overlap_ends_at integer,
    rotated_at      integer,
    headers         blob,
    version         integer NOT NULL DEFAULT 1,
    created_at      integer NOT NULL,
    updated_at      integer NOT NULL,
    deleted_at      integer
);
CREATE INDEX webhooks_account ON webhooks (account_id, id);
CREATE UNIQUE INDEX webhooks_endpoint ON webhooks (account_id, url, coalesce(agent_id, ''))
    WHERE deleted_at IS NULL;

-- The running state of each webhook, and one row (webhook_id NULL) for the
-- tests of each account. due_at is never later than the earliest
-- next_attempt_at of a pending delivery; NULL when there is none.
CREATE TABLE queues (
    id                   text PRIMARY KEY,
    account_id           text NOT NULL REFERENCES accounts (id),
    webhook_id           text REFERENCES webhooks (id),
    paused               integer NOT NULL DEFAULT 0,
    deleted              integer NOT NULL DEFAULT 0,
    due_at               integer,
    served_at            integer NOT NULL DEFAULT 0,
    pending              integer NOT NULL DEFAULT 0,
    processing           integer NOT NULL DEFAULT 0,
    delivered            integer NOT NULL DEFAULT 0,
    failed               integer NOT NULL DEFAULT 0,
    dead                 integer NOT NULL DEFAULT 0,
    failures_in_row      integer NOT NULL DEFAULT 0,
    failed_since_success integer NOT NULL DEFAULT 0,
    failing_since        integer,
    last_success_at      integer,
    last_attempt_at      integer,
    probing              integer NOT NULL DEFAULT 0,
    probing_since        integer,
    probe_step           integer NOT NULL DEFAULT 0,
    probe_at             integer,
    resumed_at           integer,
    resume_used_until    integer NOT NULL DEFAULT 0
);
CREATE INDEX queues_account ON queues (account_id);
CREATE INDEX queues_due ON queues (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE events (
    id          text PRIMARY KEY,
    account_id  text NOT NULL,
    type        text NOT NULL,
    agent_id    text,
    occurred_at integer NOT NULL,
    data        blob NOT NULL,
    verdicts    blob NOT NULL,
    test        integer NOT NULL DEFAULT 0,
    created_at  integer NOT NULL
);
CREATE INDEX events_account ON events (account_id, id);
CREATE INDEX events_type ON events (account_id, type, id);

CREATE TABLE event_counts (
    account_id text NOT NULL,
    type       text NOT NULL,
    hour       integer NOT NULL,
    count      integer NOT NULL,
    PRIMARY KEY (account_id, type, hour)
) WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    account_id   text NOT NULL,
    key          text NOT NULL,
    request_hash blob NOT NULL,
    answer       blob NOT NULL,
    created_at   integer NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Events an inactive webhook would have got, to be sent when it is active again.
CREATE TABLE missed_events (
    webhook_id text NOT NULL,
    event_id   text NOT NULL,
    PRIMARY KEY (webhook_id, event_id)
) WITHOUT ROWID;

CREATE TABLE deliveries (
    id               text PRIMARY KEY,
    account_id       text NOT NULL,
    queue_id         text NOT NULL,
    webhook_id       text,
    event_id         text NOT NULL,
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
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_tests ON deliveries (queue_id, created_at) WHERE test = 1;
CREATE INDEX deliveries_due ON deliveries (queue_id, next_attempt_at) WHERE status = 0;
CREATE INDEX deliveries_leased ON deliveries (lease_node, lease_until) WHERE status = 1;
CREATE INDEX deliveries_open ON deliveries (queue_id, status, id) WHERE status IN (0, 3, 4);
CREATE INDEX deliveries_trouble ON deliveries (account_id, status, id) WHERE status IN (0, 3, 4);

CREATE TABLE attempts (
    delivery_id      text NOT NULL,
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

-- Attempts counted by outcome and response time, per minute (span 60) and per
-- hour (span 3600): the charts, health and error kinds read nothing else.
-- bucket is a step of the response-time scale, see store/tally.go.
CREATE TABLE tallies (
    queue_id text NOT NULL,
    span     integer NOT NULL,
    start    integer NOT NULL,
    kind     text NOT NULL,
    code     integer NOT NULL,
    bucket   integer NOT NULL,
    count    integer NOT NULL,
    last_at  integer NOT NULL,
    PRIMARY KEY (queue_id, span, start, kind, code, bucket)
) WITHOUT ROWID;

CREATE TABLE nodes (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    started_at integer NOT NULL,
    beat_at    integer NOT NULL
);

-- +goose Down
DROP TABLE nodes;
DROP TABLE tallies;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE missed_events;
DROP TABLE idempotency_keys;
DROP TABLE event_counts;
DROP TABLE events;
DROP TABLE queues;
DROP TABLE webhooks;
DROP TABLE event_types;
DROP TABLE api_keys;
DROP TABLE form_tokens;
DROP TABLE sessions;
DROP TABLE users;
DROP TABLE account_states;
DROP TABLE accounts;
DROP TABLE settings;
