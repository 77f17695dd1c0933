-- Ends the clients connected to the database $1 and waits for each to go, five seconds at most; tells who has gone.
-- Clients only: a worker of autovacuum belongs to the superuser, whom a migrator may not end. DROP DATABASE tells
-- such a worker itself to go, but with FORCE it is asked for before that, and the drop is refused.
-- The call stands among what is selected: as a condition it could be made for others before datname is looked at.
SELECT pid, pg_terminate_backend(pid, 5000) AS has_gone
FROM pg_stat_activity
WHERE datname = $1 AND backend_type = 'client backend' AND pid <> pg_backend_pid();
