-- A standby that knows no primary waits for WAL that somebody brings.
ALTER SYSTEM SET primary_conninfo = '';
