-- A standby becomes a primary; true once it is one.
SELECT pg_promote();
