-- The tables of the least ledger (least_ledger.py): what the bench's floor is measured with. Dropped and made anew.
DROP SCHEMA IF EXISTS bench_least CASCADE;
CREATE SCHEMA bench_least;
CREATE TABLE bench_least.accounts (
    player  text COLLATE "C" PRIMARY KEY,
    balance bigint NOT NULL,
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
CREATE TABLE bench_least.outcomes (
    provider text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    player   text COLLATE "C" NOT NULL,
    type     text COLLATE "C" NOT NULL,
    amount   bigint NOT NULL,
    round_id text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    PRIMARY KEY (provider, key)
);
CREATE TABLE bench_least.entries (
    player        text COLLATE "C" NOT NULL,
    key           text COLLATE "C" NOT NULL,
    amount        bigint NOT NULL,
    balance_after bigint NOT NULL
);
CREATE INDEX ON bench_least.entries (player);
