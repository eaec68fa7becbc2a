-- +goose Up
-- The test inbox: the last requests that webhooks of the URL inbox: sent, and
-- what each account's inbox answers. verified is a word for which secret signed
-- it, or why none did.
CREATE TABLE inbox_requests (
    id          uuid PRIMARY KEY,
    account_id  uuid NOT NULL REFERENCES accounts (id),
    webhook_id  uuid,
    delivery_id uuid NOT NULL,
    event_type  text NOT NULL,
    attempt     integer NOT NULL,
    verified    text NOT NULL,
    headers     text NOT NULL,
    body        bytea NOT NULL,
    size        bigint NOT NULL,
    status_code integer NOT NULL,
    created_at  bigint NOT NULL
);
CREATE INDEX inbox_requests_account ON inbox_requests (account_id, id);
CREATE INDEX inbox_requests_age ON inbox_requests (created_at);
CREATE TABLE inboxes (
    account_id uuid PRIMARY KEY REFERENCES accounts (id),
    answer     text NOT NULL
);

-- +goose Down
DROP TABLE inboxes;
DROP TABLE inbox_requests;
