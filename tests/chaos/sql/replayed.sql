-- Whether what the primary had written up to $1 can be read on this standby.
SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn;
