-- The roles of an installation, made or brought up to date: the migrator owns databases, the worker only logs in;
-- what it may do there is granted by the migrations. Read with the settings croupier.migrator_password and
-- croupier.worker_password set for the session, so that no password is ever part of a statement's text.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES ('croupier_migrator', 'CREATEDB', current_setting('croupier.migrator_password')),
                     ('croupier_worker', 'NOCREATEDB', current_setting('croupier.worker_password')))
             AS roles (name, right_to_create, password)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I', wanted.name);
        END IF;
        EXECUTE format('ALTER ROLE %I LOGIN NOSUPERUSER NOCREATEROLE %s PASSWORD %L',
                       wanted.name, wanted.right_to_create, wanted.password);
    END LOOP;
END
$$;
