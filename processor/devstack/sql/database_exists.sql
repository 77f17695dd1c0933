-- Whether a database of this name is there.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1);
