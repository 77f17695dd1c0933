-- name: lock
-- One migration at a time in a database; waits for whoever migrates now.
SELECT pg_advisory_lock(727001, 0);

-- name: unlock
-- Lets the next one migrate.
SELECT pg_advisory_unlock(727001, 0);

-- name: prepare
-- The schema, and the table that says which migrations it has had.
CREATE SCHEMA IF NOT EXISTS croupier;
CREATE TABLE IF NOT EXISTS croupier.schema_version (
    version    integer NOT NULL,
    name       text NOT NULL,
    digest     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT schema_version_pkey PRIMARY KEY (version)
);

-- name: applied
-- The migrations this database has had.
SELECT version, name, digest FROM croupier.schema_version ORDER BY version;

-- name: note
-- Notes a migration, in the transaction that carried it out.
INSERT INTO croupier.schema_version (version, name, digest) VALUES ($1, $2, $3);

-- name: version
-- The schema's version, for a worker that starts; NULL where there is none.
SELECT max(version) FROM croupier.schema_version;

-- name: make_partitions
-- The months of entries to come.
SELECT croupier.make_entry_partitions(12);

-- name: name_worker
-- Tells the statement of rights which role the worker has.
SELECT set_config('croupier.worker_role', $1, false);

-- name: rights
-- Roles and rights as they should be, whatever they were: the worker owns nothing and can do only what it needs.
DO $$
DECLARE
    worker text := current_setting('croupier.worker_role');
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = worker) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', worker);
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'croupier_reader') THEN
            CREATE ROLE croupier_reader NOLOGIN;
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'the roles % (LOGIN) and croupier_reader (NOLOGIN) must exist before, as % may not make them',
                worker, current_user USING ERRCODE = 'insufficient_privilege';
        WHEN duplicate_object OR unique_violation THEN
            NULL; -- another database of this server is being migrated at the same moment
    END;
    REVOKE ALL ON SCHEMA croupier FROM PUBLIC;
    IF (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
        -- Another installation's roles on the same server do not come in, and nobody makes temporary tables here.
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, croupier_reader', current_database(), worker);
    END IF;
    REVOKE ALL ON ALL TABLES IN SCHEMA croupier FROM croupier_reader;
    GRANT USAGE ON SCHEMA croupier TO croupier_reader;
    GRANT SELECT ON balance_v1, entry_v1, transaction_v1, round_v1 TO croupier_reader;
    -- What history and the audit's proofs read: the books, and nothing that senders attached or that could not be read.
    GRANT SELECT ON schema_version, players, accounts, house_accounts, outcomes, entries, bet_marks, rounds, sessions,
        lanes, layouts, journal, seals, audit_marks, reference_revisions, reference_documents TO croupier_reader;
    IF worker = current_user THEN
        RETURN; -- the owner works for himself: he can do everything, and rights taken from him would be missing
    END IF;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA croupier FROM %I', worker);
    EXECUTE format('GRANT USAGE ON SCHEMA croupier TO %I', worker);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA croupier TO %I', worker);
    EXECUTE format('GRANT INSERT ON players, accounts, house_accounts, outcomes, entries, bet_marks, rounds, sessions,'
                   ' metadata, layouts, lanes, journal, seals, parked, dead_letters, lane_requests, operator_actions,'
                   ' audit_marks, key_uses, accepted_gaps, suspects TO %I', worker);
    EXECUTE format('GRANT DELETE ON journal, parked, suspects TO %I', worker);
    EXECUTE format('GRANT UPDATE (shard, event_partition, opened_at, sequence, parked, tombstones, blocked, excluded_until, country,'
                   ' time_zone, jurisdiction, limits, bonuses) ON players TO %I', worker);
    EXECUTE format('GRANT UPDATE (balance, version, usage) ON accounts TO %I', worker);
    EXECUTE format('GRANT UPDATE (balance) ON house_accounts TO %I', worker);
    EXECUTE format('GRANT UPDATE (shard, rolled_back, wins, game_wins, won_minor, refunded_minor, paid_otherwise) ON bet_marks TO %I', worker);
    EXECUTE format('GRANT UPDATE (game_id, currency, closed_at, bets, bets_rolled_back, wins, staked_minor, won_minor, also)'
                   ' ON rounds TO %I', worker);
    EXECUTE format('GRANT UPDATE ON sessions TO %I', worker);
    EXECUTE format('GRANT UPDATE ON lanes, parked, suspects TO %I', worker);
    EXECUTE format('GRANT UPDATE (status, status_changed_at, replay_count) ON dead_letters TO %I', worker);
    EXECUTE format('GRANT UPDATE (done_at, what_came) ON lane_requests TO %I', worker);
    EXECUTE format('GRANT UPDATE (proved, updated_at) ON audit_marks TO %I', worker);
    EXECUTE format('GRANT UPDATE (last_used_at, uses) ON key_uses TO %I', worker);
    EXECUTE format('GRANT EXECUTE ON FUNCTION make_entry_partitions(integer) TO %I', worker);
END
$$;
