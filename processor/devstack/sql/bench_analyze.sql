-- Statistics of the tables as they are after the opening; an installation that runs has them from autovacuum.
ANALYZE;
