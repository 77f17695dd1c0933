-- Lanes: the layout, each lane's row (lease and progress), the journal of what Kafka may not hold yet, the seals.

CREATE TABLE layouts (
    number     integer NOT NULL,
    topic      text NOT NULL,
    topic_id   text NOT NULL,
    partitions integer NOT NULL,
    lanes      integer NOT NULL,
    shards     integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT layouts_pkey PRIMARY KEY (number),
    CONSTRAINT layouts_counts_check CHECK (partitions > 0 AND lanes BETWEEN 1 AND partitions AND shards > 0)
);
COMMENT ON TABLE layouts IS 'How the input is cut into lanes; the highest number is the current one.';

CREATE TABLE lanes (
    layout             integer NOT NULL,
    lane               integer NOT NULL,
    epoch              bigint NOT NULL DEFAULT 0,
    owner              text,
    applied_seq        bigint NOT NULL DEFAULT 0,
    published_seq      bigint NOT NULL DEFAULT 0,
    partitions         integer[] NOT NULL DEFAULT '{}',
    next_offsets       bigint[] NOT NULL DEFAULT '{}',
    bootstrapped_at    timestamptz,
    stopped_reason     text,
    taken_offsets      bigint[],
    suspect_takeovers  integer NOT NULL DEFAULT 0,
    suspect_partition  integer,
    suspect_offset     bigint,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lanes_pkey PRIMARY KEY (layout, lane),
    CONSTRAINT lanes_seq_check CHECK (published_seq BETWEEN 0 AND applied_seq),
    CONSTRAINT lanes_offsets_check CHECK (cardinality(partitions) = cardinality(next_offsets))
) WITH (fillfactor = 30);
COMMENT ON TABLE lanes IS 'One row per lane: who holds it (epoch) and how far it has come; every batch moves it by compare-and-set.';
COMMENT ON COLUMN lanes.taken_offsets IS 'next_offsets at the last take-over: unmoved at the next one, the take-over is suspect.';

CREATE TABLE journal (
    layout       integer NOT NULL,
    lane         integer NOT NULL,
    seq          bigint NOT NULL,
    records      integer NOT NULL,
    payload      bytea STORAGE EXTERNAL NOT NULL,
    partitions   integer[] NOT NULL,
    next_offsets bigint[] NOT NULL,
    CONSTRAINT journal_pkey PRIMARY KEY (layout, lane, seq)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 8000
);
COMMENT ON TABLE journal IS 'Batches that Kafka may not hold yet, rendered once, compressed by the program.';

CREATE TABLE seals (
    layout     integer NOT NULL,
    lane       integer NOT NULL,
    seq        bigint NOT NULL,
    previous   bytea NOT NULL,
    seal       bytea NOT NULL,
    outcomes   integer NOT NULL,
    revision   integer NOT NULL,
    decided_at timestamptz NOT NULL,
    CONSTRAINT seals_pkey PRIMARY KEY (layout, lane, seq)
);
COMMENT ON TABLE seals IS 'One seal per batch: a hash over the seal before and the batch, so that a changed past shows.';
CREATE INDEX seals_decided_at ON seals USING brin (decided_at);
