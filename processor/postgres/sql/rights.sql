-- name: role
-- Who we are logged in as.
SELECT current_user;

-- name: excess
-- What this login could do to what is written in the books: one row for each way, nothing where there is none.
WITH books AS (
    SELECT c.oid, c.relname::text AS name, c.relowner
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'croupier' AND c.relkind IN ('r', 'p')
      AND (c.relname IN ('entries', 'outcomes', 'seals', 'operator_actions') OR EXISTS (
          SELECT FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent
          WHERE i.inhrelid = c.oid AND parent.relname IN ('entries', 'outcomes')))
)
SELECT 'is a superuser' AS way FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT DISTINCT 'can become ' || pg_get_userbyid(relowner) || ', who owns the books'
FROM books WHERE pg_has_role(current_user, relowner, 'MEMBER')
UNION ALL
SELECT 'may ' || lower(privilege) || ' in ' || min(name)
FROM books, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
WHERE has_table_privilege(current_user, books.oid, privilege)
   OR (privilege = 'UPDATE' AND has_any_column_privilege(current_user, books.oid, privilege))
GROUP BY privilege
ORDER BY way;
