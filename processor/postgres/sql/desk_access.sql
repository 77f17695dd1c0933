-- name: grants
-- What a login and the readers may do with the ledger's tables, views and functions, as it is granted; $1 the login.
WITH granted AS (
    SELECT acl.grantee, acl.privilege_type, tables.relname::text AS what
    FROM pg_class tables, LATERAL aclexplode(tables.relacl) acl
    WHERE tables.relnamespace = 'croupier'::regnamespace AND NOT tables.relispartition
    UNION ALL
    SELECT acl.grantee, acl.privilege_type,
           tables.relname || ' (' || string_agg(columns.attname, ', ' ORDER BY columns.attnum) || ')'
    FROM pg_class tables
    JOIN pg_attribute columns ON columns.attrelid = tables.oid
    CROSS JOIN LATERAL aclexplode(columns.attacl) acl
    WHERE tables.relnamespace = 'croupier'::regnamespace AND NOT tables.relispartition
    GROUP BY acl.grantee, acl.privilege_type, tables.relname
    UNION ALL
    SELECT acl.grantee, acl.privilege_type, functions.proname || '()'
    FROM pg_proc functions, LATERAL aclexplode(functions.proacl) acl
    WHERE functions.pronamespace = 'croupier'::regnamespace
    UNION ALL
    SELECT acl.grantee, acl.privilege_type, 'schema ' || schemas.nspname
    FROM pg_namespace schemas, LATERAL aclexplode(schemas.nspacl) acl
    WHERE schemas.nspname = 'croupier'
)
SELECT roles.rolname::text AS login, lower(granted.privilege_type) AS "right", granted.what AS "on"
FROM granted
JOIN pg_roles roles ON roles.oid = granted.grantee
WHERE roles.rolname IN ($1, 'croupier_reader')
ORDER BY login, "on", "right";
