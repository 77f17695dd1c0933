-- A database lets in the installation's own roles alone, and nobody makes temporary tables in it: what a migration sets
-- and a copy of a migrated database does not have. :name is a quoted identifier.
REVOKE ALL ON DATABASE :name FROM PUBLIC;
GRANT CONNECT ON DATABASE :name TO croupier_worker, croupier_reader;
