-- A database that is no longer wanted, with whoever is still connected to it; :name is a quoted identifier.
DROP DATABASE IF EXISTS :name WITH (FORCE);
