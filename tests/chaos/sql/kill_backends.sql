-- Ends the lanes' backends, whatever they are in the middle of.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'croupier' AND pid <> pg_backend_pid();
