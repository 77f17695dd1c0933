-- A database that is no longer wanted, once its clients are gone (end_sessions.sql); :name is a quoted identifier.
DROP DATABASE IF EXISTS :name;
