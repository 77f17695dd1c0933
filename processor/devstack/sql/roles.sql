-- The roles of an installation, made or brought up to date: the migrator owns databases, the worker logs in, readers
-- belong to croupier_reader; what each may do in a database is granted by the migrations. Read with the settings
-- croupier.migrator_password and croupier.worker_password set for the session (set_passwords.sql).
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT *
        FROM (VALUES ('croupier_migrator', 'LOGIN CREATEDB', current_setting('croupier.migrator_password')),
                     ('croupier_worker', 'LOGIN NOCREATEDB', current_setting('croupier.worker_password')),
                     ('croupier_reader', 'NOLOGIN NOCREATEDB', NULL))
             AS roles (name, rights, password)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I', wanted.name);
        END IF;
        EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE %s PASSWORD %L',
                       wanted.name, wanted.rights, wanted.password);
    END LOOP;
END
$$;
