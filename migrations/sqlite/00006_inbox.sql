-- +goose Up
-- The test inbox: the last requests that webhooks of the URL inbox: sent, and
-- what each account's inbox answers. verified is a word for which secret signed
-- it, or why none did.
CREATE TABLE inbox_requests (
    id          text PRIMARY KEY,
    account_id  text NOT NULL REFERENCES accounts (id),
    webhook_id  text,
    delivery_id text NOT NULL,
    event_type  text NOT NULL,
    attempt     integer NOT NULL,
    verified    text NOT NULL,
    headers     text NOT NULL,
    body        blob NOT NULL,
    size        integer NOT NULL,
    status_code integer NOT NULL,
    created_at  integer NOT NULL
) WITHOUT ROWID;
CREATE INDEX inbox_requests_account ON inbox_requests (account_id, id);
CREATE INDEX inbox_requests_age ON inbox_requests (created_at);
CREATE TABLE inboxes (
    account_id text PRIMARY KEY REFERENCES accounts (id),
    answer     text NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE inboxes;
DROP TABLE inbox_requests;
