-- What autovacuum would have done by then.
VACUUM (ANALYZE);
