-- A copy that has done its service.
DROP DATABASE :0 WITH (FORCE);
