-- A folder that no database lies in any more.
DROP TABLESPACE :0;
