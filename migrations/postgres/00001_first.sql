-- +goose Up
-- Times are unix microseconds UTC. Ids are UUIDv7. Statuses of a delivery:
-- 0 pending, 1 processing, 2 delivered, 3 failed, 4 dead.

CREATE TABLE settings (
    name  text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE accounts (
    id            uuid PRIMARY KEY,
    name          text NOT NULL UNIQUE,
    header_prefix text,
    limits        text NOT NULL DEFAULT '{}',
    created_at    bigint NOT NULL
);

-- What changes with every batch of an account, apart from what people edit.
-- rate_used_until is the bucket of outgoing requests: the time until which the
-- requests already started have used up the rate.
CREATE TABLE account_states (
    account_id       uuid PRIMARY KEY REFERENCES accounts (id),
    rate_used_until  bigint NOT NULL DEFAULT 0,
    webhooks_version bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 50);

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES accounts (id),
    email         text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role          text NOT NULL,
    created_at    bigint NOT NULL,
    updated_at    bigint NOT NULL
);

CREATE TABLE sessions (
    id_hash    bytea PRIMARY KEY,
    user_id    uuid REFERENCES users (id),
    data       bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- The first answer to each form that was sent, by its one-use token.
CREATE TABLE form_tokens (
    token      text PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id),
    location   text NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX form_tokens_age ON form_tokens (created_at);

CREATE TABLE api_keys (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES accounts (id),
    name         text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    hint         text NOT NULL,
    scopes       text NOT NULL,
    created_at   bigint NOT NULL,
    created_by   text,
    last_used_at bigint,
    revoked_at   bigint
);
CREATE INDEX api_keys_account ON api_keys (account_id, id);

CREATE TABLE event_types (
    account_id  uuid NOT NULL REFERENCES accounts (id),
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    schema      text,
    sample      text,
    source      text NOT NULL,
    created_at  bigint NOT NULL,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE webhooks (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES accounts (id),
    agent_id        text,
    url             text NOT NULL,
    description     text NOT NULL DEFAULT '',
    events          text NOT NULL DEFAULT '[]',
    active          boolean NOT NULL,
    disabled_reason text,
    active_since    bigint NOT NULL,
    changed_by      text,
    secret          bytea,
    next_secret     bytea,
    overlap_ends_at bigint,
    rotated_at      bigint,
    headers         bytea,
    version         bigint NOT NULL DEFAULT 1,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    deleted_at      bigint
);
CREATE INDEX webhooks_account ON webhooks (account_id, id);
CREATE UNIQUE INDEX webhooks_endpoint ON webhooks (account_id, url, coalesce(agent_id, ''))
    WHERE deleted_at IS NULL;

-- The running state of each webhook, and one row (webhook_id NULL) for the
-- tests of each account. due_at is never later than the earliest
-- next_attempt_at of a pending delivery; NULL when there is none.
CREATE TABLE queues (
    id                   uuid PRIMARY KEY,
    account_id           uuid NOT NULL REFERENCES accounts (id),
    webhook_id           uuid REFERENCES webhooks (id),
    paused               boolean NOT NULL DEFAULT false,
    deleted              boolean NOT NULL DEFAULT false,
    due_at               bigint,
    served_at            bigint NOT NULL DEFAULT 0,
    pending              bigint NOT NULL DEFAULT 0,
    processing           bigint NOT NULL DEFAULT 0,
    delivered            bigint NOT NULL DEFAULT 0,
    failed               bigint NOT NULL DEFAULT 0,
    dead                 bigint NOT NULL DEFAULT 0,
    failures_in_row      bigint NOT NULL DEFAULT 0,
    failed_since_success bigint NOT NULL DEFAULT 0,
    failing_since        bigint,
    last_success_at      bigint,
    last_attempt_at      bigint,
    probing              boolean NOT NULL DEFAULT false,
    probing_since        bigint,
    probe_step           bigint NOT NULL DEFAULT 0,
    probe_at             bigint,
    resumed_at           bigint,
    resume_used_until    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE INDEX queues_account ON queues (account_id);
CREATE INDEX queues_due ON queues (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE events (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL,
    type        text NOT NULL,
    agent_id    text,
    occurred_at bigint NOT NULL,
    data        bytea NOT NULL,
    verdicts    bytea NOT NULL,
    test        boolean NOT NULL DEFAULT false,
    created_at  bigint NOT NULL
);
CREATE INDEX events_account ON events (account_id, id);
CREATE INDEX events_type ON events (account_id, type, id);

CREATE TABLE event_counts (
    account_id uuid NOT NULL,
    type       text NOT NULL,
    hour       bigint NOT NULL,
    count      bigint NOT NULL,
    PRIMARY KEY (account_id, type, hour)
);

CREATE TABLE idempotency_keys (
    account_id   uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    answer       bytea NOT NULL,
    created_at   bigint NOT NULL,
    PRIMARY KEY (account_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- Events an inactive webhook would have got, to be sent when it is active again.
CREATE TABLE missed_events (
    webhook_id uuid NOT NULL,
    event_id   uuid NOT NULL,
    PRIMARY KEY (webhook_id, event_id)
);

CREATE TABLE deliveries (
    id               uuid PRIMARY KEY,
    account_id       uuid NOT NULL,
    queue_id         uuid NOT NULL,
    webhook_id       uuid,
    event_id         uuid NOT NULL,
    event_type       text NOT NULL,
    agent_id         text,
    test             boolean NOT NULL DEFAULT false,
    url              text,
    secret           bytea,
    status           smallint NOT NULL,
    attempts         integer NOT NULL DEFAULT 0,
    max_attempts     integer NOT NULL,
    schedule_start   integer NOT NULL DEFAULT 0,
    interrupted      integer NOT NULL DEFAULT 0,
    spared           integer NOT NULL DEFAULT 0,
    next_attempt_at  bigint,
    lease_node       text,
    lease_until      bigint,
    last_status_code integer,
    last_error       text,
    last_detail      text,
    last_duration_us bigint,
    last_attempt_at  bigint,
    created_at       bigint NOT NULL,
    delivered_at     bigint,
    finished_at      bigint
);
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_event ON deliveries (event_id);
CREATE INDEX deliveries_tests ON deliveries (queue_id, created_at) WHERE test;
CREATE INDEX deliveries_due ON deliveries (queue_id, next_attempt_at) WHERE status = 0;
CREATE INDEX deliveries_leased ON deliveries (lease_node, lease_until) WHERE status = 1;
CREATE INDEX deliveries_open ON deliveries (queue_id, status, id) WHERE status IN (0, 3, 4);
CREATE INDEX deliveries_trouble ON deliveries (account_id, status, id) WHERE status IN (0, 3, 4);

CREATE TABLE attempts (
    delivery_id      uuid NOT NULL,
    number           integer NOT NULL,
    node             text NOT NULL,
    started_at       bigint NOT NULL,
    duration_us      bigint NOT NULL DEFAULT 0,
    status_code      integer,
    error            text,
    detail           text,
    remote_address   text,
    protocol         text,
    dns_us           bigint NOT NULL DEFAULT 0,
    connect_us       bigint NOT NULL DEFAULT 0,
    tls_us           bigint NOT NULL DEFAULT 0,
    first_byte_us    bigint NOT NULL DEFAULT 0,
    reused           boolean NOT NULL DEFAULT false,
    url              text,
    request_headers  text,
    response_headers text,
    response_body    bytea,
    truncated        boolean NOT NULL DEFAULT false,
    bodies_removed   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (delivery_id, number)
);

-- Attempts counted by outcome and response time, per minute (span 60) and per
-- hour (span 3600): the charts, health and error kinds read nothing else.
-- bucket is a step of the response-time scale, see store/tally.go.
CREATE TABLE tallies (
    queue_id uuid NOT NULL,
    span     integer NOT NULL,
    start    bigint NOT NULL,
    kind     text NOT NULL,
    code     integer NOT NULL,
    bucket   integer NOT NULL,
    count    bigint NOT NULL,
    last_at  bigint NOT NULL,
    PRIMARY KEY (queue_id, span, start, kind, code, bucket)
);

CREATE TABLE nodes (
    id         text PRIMARY KEY,
    name       text NOT NULL,
    started_at bigint NOT NULL,
    beat_at    bigint NOT NULL
);

-- +goose Down
DROP TABLE nodes, tallies, attempts, deliveries, missed_events, idempotency_keys, event_counts, events,
    queues, webhooks, event_types, api_keys, form_tokens, sessions, users, account_states, accounts, settings;
