-- Whether a standby hears its primary: 1, or 0.
SELECT count(*) FROM pg_stat_wal_receiver;
