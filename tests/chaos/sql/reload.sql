-- Takes changed settings into use.
SELECT pg_reload_conf();
