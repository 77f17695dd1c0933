-- A new database that belongs to whoever asks; :name and :template are quoted identifiers (a statement of this kind
-- takes no parameters).
CREATE DATABASE :name TEMPLATE :template;
