-- What the ledger takes: bytes of its tables (with their TOAST) and of their indexes, and how many connections there are.
SELECT
    (SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'croupier' AND c.relkind = 'r') AS table_bytes,
    (SELECT coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'croupier' AND c.relkind = 'r') AS index_bytes,
    (SELECT count(*)
     FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'croupier') AS connections;
