-- How many standbys the primary waits for.
SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync';
