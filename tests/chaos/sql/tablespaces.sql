-- Where the tablespaces are that somebody made.
SELECT pg_tablespace_location(oid) AS place FROM pg_tablespace WHERE pg_tablespace_location(oid) <> '';
