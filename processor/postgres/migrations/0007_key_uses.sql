-- When senders' keys were last used: ids and times only; the keys themselves are never in the database.

CREATE TABLE key_uses (
    key_id       text COLLATE "C" NOT NULL,
    owner        text COLLATE "C" NOT NULL,
    last_used_at timestamptz NOT NULL,
    uses         bigint NOT NULL,
    CONSTRAINT key_uses_pkey PRIMARY KEY (key_id)
);
COMMENT ON TABLE key_uses IS 'When each sender''s key was last used (broker time), and how often.';
