-- How large the database is.
SELECT pg_size_pretty(pg_database_size(current_database()));
